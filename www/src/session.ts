// What the page is about: an open memory, a chat, and what became of every message. Views read it and redraw on change.
import { type Change, Keeper, type Log, nothing, type Turn } from "./log.js";
import { openPlace, type Place } from "./place.js";
import { type Door, doorOf, sentence } from "./problems.js";
import { canReply, reply } from "./reply.js";
import type { Session as SampleSession } from "./sample/sample.js";
import { readSettings, type Settings, userOf, writeSettings } from "./settings.js";

/** Between two messages of the sample, in milliseconds. */
const PACE = 220;
/** Between two looks at what is tried again, in milliseconds. */
const LATER = 4_000;

export class Session {
  settings: Settings = readSettings();
  place: Place | undefined;
  log: Log = nothing();
  /** What takes a while, in words. */
  busy: string | undefined;
  /** What went wrong, in a sentence that says what to do. */
  problem: string | undefined;
  /** What the memory waits for before it opens. */
  door: Door | undefined;
  /** The last thing that was done, for those who do not see it. */
  said = "";
  /** Grows whenever something in the memory has changed. */
  revision = 0;
  /** The day from whose end views look back; now when absent. */
  day: string | undefined;
  #passphrase: string | undefined;
  #keeper = new Keeper(this.settings);
  #stop: AbortController | undefined;
  #unwatch: (() => void) | undefined;
  #opening = 0;
  #later: ReturnType<typeof setTimeout> | undefined;
  readonly #listeners = new Set<() => void>();

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  set(fields: Partial<Pick<Session, "problem" | "day" | "said">>): void {
    Object.assign(this, fields);
    this.#tell();
  }

  /** Whether what is open is stored encrypted. */
  get encrypted(): boolean {
    return this.place !== undefined && this.#passphrase !== undefined;
  }

  /** Opens what the settings name, in place of what is open. */
  async open(given = this.settings, passphrase = this.#known(given)): Promise<boolean> {
    const turn = ++this.#opening;
    const settings = { ...given, userId: (given.place === "server" && userOf(given.serverKey)) || given.userId };
    const closed = this.#leave();
    // Whoever stands before a door goes on seeing it until it opens.
    Object.assign(this, { settings, problem: undefined, door: this.door && { kind: this.door.kind } });
    this.#passphrase = passphrase;
    this.busy = settings.place === "server" ? "Connecting to the server …" : "Opening the memory in this browser …";
    writeSettings(settings);
    this.#tell();
    try {
      await closed;
      const place = await openPlace(settings, passphrase);
      const keeper = new Keeper(settings, passphrase);
      const log = await keeper.load();
      if (turn !== this.#opening) {
        await place.memory.close();
        return false;
      }
      Object.assign(this, { place, log, door: undefined });
      this.#keeper = keeper;
      this.#lookLater();
      this.#unwatch = place.memory.onChange(() => this.refresh());
    } catch (error) {
      if (turn === this.#opening) this.#fail(error);
    } finally {
      if (turn === this.#opening) this.busy = undefined;
      this.refresh();
    }
    return this.place !== undefined;
  }

  /** The passphrase, unless another memory is meant than the one that it opens. */
  #known({ place, userId }: Settings): string | undefined {
    return place === "browser" && place === this.settings.place && userId === this.settings.userId ? this.#passphrase : undefined;
  }

  /** Lets go of what is open. */
  async #leave(): Promise<void> {
    this.stop();
    this.#unwatch?.();
    clearTimeout(this.#later);
    const { place } = this;
    Object.assign(this, { place: undefined, day: undefined, log: nothing(), busy: undefined });
    await place?.memory.close();
  }

  /** Has every view ask anew. */
  refresh(): void {
    this.revision++;
    this.#tell();
  }

  #fail(error: unknown): void {
    this.door = doorOf(error, this.settings);
    if (!this.door) {
      this.problem = sentence(error);
      return;
    }
    this.#passphrase = undefined;
    void this.#leave();
  }

  /** What went wrong in a view, in words. A key that is refused meanwhile closes the memory. */
  explain(error: unknown): string {
    if (this.place && doorOf(error, this.settings)) {
      this.#fail(error);
      this.#tell();
    }
    return sentence(error);
  }

  /** Forgets the key of the server, and what is kept here of the chat. */
  async forget(): Promise<void> {
    await this.#keeper.forget();
    await this.open({ ...this.settings, serverKey: "", rememberKeys: false });
  }

  /** Forgets the passphrase: it is asked for again. */
  lock(): Promise<boolean> {
    this.#passphrase = undefined;
    return this.open();
  }

  /** Stores the memory encrypted by this passphrase, or no longer. */
  async encrypt(passphrase: string | undefined): Promise<boolean> {
    const done = await this.run(passphrase === undefined ? "Decrypting …" : "Encrypting …", async ({ memory }) => {
      // Views are not to ask what opens nothing any more once it is done.
      this.#unwatch?.();
      this.place = undefined;
      this.#tell();
      try {
        await memory.encrypt(passphrase === undefined ? null : { passphrase });
      } catch (error) {
        await memory.close();
        await this.open();
        this.problem = sentence(error);
        return false;
      }
      await memory.close();
      this.#passphrase = passphrase;
      this.#keeper = new Keeper(this.settings, passphrase);
      await this.#keeper.keep(this.log);
      return this.open();
    });
    return done ?? false;
  }

  #keep(log = this.log, keeper = this.#keeper): void {
    void keeper.keep(log);
    this.#tell();
  }

  #turn(role: Turn["role"], content: string, more: Partial<Turn> = {}): Turn {
    const turn: Turn = { role, content, at: new Date().toISOString(), ...more };
    this.log.turns.push(turn);
    this.#keep();
    return turn;
  }

  /** Does something that takes a while, with whatever goes wrong told. */
  async run<T>(busy: string, what: (place: Place, signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    const { place } = this;
    if (!place || this.busy) return undefined;
    const stop = (this.#stop = new AbortController());
    this.set({ problem: undefined });
    this.busy = busy;
    this.#tell();
    try {
      return await what(place, stop.signal);
    } catch (error) {
      if (!stop.signal.aborted) this.#fail(error);
      return undefined;
    } finally {
      if (this.#stop === stop) this.busy = undefined;
      this.refresh();
    }
  }

  /** Ends the waiting for what is being done. */
  stop(): void {
    this.#stop?.abort();
  }

  #doing(busy: string): void {
    this.busy = busy;
    this.#tell();
  }

  /** Says something: it is answered, and remembered. */
  async send(content: string): Promise<void> {
    const said = this.#turn("user", content, { unstored: true });
    await this.run("Recalling what belongs to it …", async (place, signal) => {
      const messages = [{ role: "user", content }];
      if (canReply(this.settings)) {
        const { context } = await place.memory.context(content, { budgetTokens: 800, signal });
        this.#doing("The model is answering …");
        const spoken = this.log.turns.filter((turn): turn is Turn & { role: "user" | "assistant" } => turn.role === "user" || turn.role === "assistant");
        const answer = await reply(this.settings, spoken.slice(-12), context, signal).catch((error: unknown) => {
          // What was said is remembered all the same.
          if (!signal.aborted) this.problem = sentence(error);
          return undefined;
        });
        signal.throwIfAborted();
        if (answer !== undefined) {
          this.#turn("assistant", answer);
          messages.push({ role: "assistant", content: answer });
        }
      } else {
        const { results } = await place.memory.search(content, { topK: 3, threshold: 0.25, signal });
        const facts = results.filter(({ kind }) => kind === "fact");
        if (results.length > 0) this.#turn("recall", (facts.length > 0 ? facts : results).map(({ memory }) => brief(memory)).join("\n"));
      }
      await this.#add(place, content, messages, { infer: await this.#infers(content), signal, stored: () => delete said.unstored });
    });
  }

  /** Says again what was not stored. */
  async resend(turn: Turn): Promise<void> {
    if (!this.place || this.busy) return;
    this.log.turns = this.log.turns.filter((other) => other !== turn);
    await this.send(turn.content);
  }

  /** Whether facts can be extracted from a message: the sample knows only its own. */
  async #infers(content: string): Promise<boolean> {
    const { place, model } = this.settings;
    if (place === "server" || model !== "sample") return place === "server" || model !== "none";
    return (await import("./sample/sample.js")).model.knows(content);
  }

  async #add(
    place: Place,
    title: string,
    messages: { role: string; content: string }[],
    { stored, ...options }: { infer?: boolean; timestamp?: string; signal?: AbortSignal; stored?: () => void },
  ): Promise<void> {
    this.#doing(options.infer === false ? "Storing the words …" : "Extracting facts and deciding …");
    // What became of it is told where it was said, even if another memory is open by then.
    const [log, keeper, before] = [this.log, this.#keeper, performance.now()];
    const added = await place.memory.add(messages, {
      ...options,
      onProgress: ({ phase }) => {
        if (phase !== "stored") return;
        stored?.();
        this.#keep(log, keeper);
        if (place === this.place) this.#doing("Stored. Extracting facts and deciding …");
      },
    });
    const { eventId, results, relations, status, error, note } = added;
    const told = options.infer === false ? "Kept word for word: no model here extracts facts from it." : note;
    const at = options.timestamp ?? new Date().toISOString();
    const change: Change = { eventId, title, at, results, relations, status, milliseconds: performance.now() - before };
    log.changes.push({ ...change, ...(error && { error }), ...(told !== undefined && { note: told }) });
    this.said = summary(change);
    this.#keep(log, keeper);
    this.#lookLater();
  }

  /** Looks after a while what became of adds whose model failed. */
  #lookLater(): void {
    clearTimeout(this.#later);
    const waiting = this.log.changes.filter(({ status }) => status === "PENDING" || status === "RUNNING");
    const { place } = this;
    if (!place || waiting.length === 0) return;
    this.#later = setTimeout(async () => {
      for (const change of waiting) {
        const event = await place.memory.event(change.eventId).catch(() => undefined);
        if (!event || event.status === change.status || place !== this.place) continue;
        const { results, relations, status } = event;
        Object.assign(change, { results, relations, status });
        delete change.error;
        this.said = summary(change);
        this.revision++;
        this.#keep();
      }
      if (place === this.place) this.#lookLater();
    }, LATER);
  }

  /** Replays what is left of the sample conversation. */
  async replay(): Promise<void> {
    await this.run("Loading the sample …", async (place, signal) => {
      const { sessions } = await import("./sample/sample.js");
      const left = sessions.filter(({ id }) => !this.log.replayed.includes(id));
      for (const session of left) {
        await this.#replaySession(place, session, signal);
        signal.throwIfAborted();
      }
    });
  }

  async #replaySession(place: Place, { id, time, messages }: SampleSession, signal: AbortSignal): Promise<void> {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const [log, keeper, before] = [this.log, this.#keeper, this.log.turns.length];
    this.#turn("divider", id.replaceAll("-", " "), { at: time });
    try {
      for (const { role, content } of messages) {
        this.#doing("Replaying the sample …");
        if (!still) await pause(PACE + Math.min(content.length * 3, 500), signal);
        signal.throwIfAborted();
        this.#turn(role as Turn["role"], content, { at: time });
      }
      // Not to be stopped: what was told is remembered once.
      await this.#add(place, id.replaceAll("-", " "), messages, { timestamp: time });
    } catch (error) {
      // It begins anew when the visitor goes on, even if another memory is open meanwhile.
      log.turns.length = before;
      this.#keep(log, keeper);
      throw error;
    }
    log.replayed.push(id);
    this.#keep(log, keeper);
  }

  /** Erases everything of this owner, the chat as well. */
  async erase(): Promise<boolean> {
    const done = await this.run("Erasing everything …", async (place) => {
      await place.memory.deleteAll();
      this.log = nothing();
      await this.#keeper.forget();
      this.day = undefined;
      this.said = "Everything was erased.";
      return true;
    });
    return done ?? false;
  }
}

/** What was decided, in a sentence. */
function summary({ results }: Change): string {
  const count = (event: string) => results.filter((result) => result.event === event).length;
  const parts = [
    [count("ADD"), "added"],
    [count("UPDATE"), "updated"],
    [count("DELETE"), "ended"],
  ].filter(([number]) => number !== 0);
  return parts.length === 0 ? "Nothing new." : parts.map(([number, what]) => `${number} ${what}`).join(", ") + ".";
}

/** A text on one line, of a length that can be glanced at. */
function brief(text: string): string {
  const line = text.replaceAll("\n", " ");
  return line.length > 140 ? `${line.slice(0, 139)}…` : line;
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
