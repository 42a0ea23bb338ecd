// What the page is about: an open memory, a chat, and what became of every message. Views read it and redraw on change.
import { type AddResult, MemoryError } from "./edgemem.js";
import { openPlace, type Place } from "./place.js";
import { canReply, reply } from "./reply.js";
import type { Session as SampleSession } from "./sample/sample.js";
import { localStorageOf, read, readSettings, type Settings, write, writeSettings } from "./settings.js";

export interface Turn {
  role: "user" | "assistant" | "recall" | "divider";
  content: string;
  at: string;
}

/** What became of a message or a session. */
export interface Change extends Pick<AddResult, "eventId" | "results" | "relations" | "status" | "error" | "note"> {
  title: string;
  at: string;
  milliseconds: number;
}

interface Log {
  turns: Turn[];
  changes: Change[];
  /** The sessions of the sample that were replayed. */
  replayed: string[];
}

/** The most that is kept of a chat. */
const KEPT = 300;
/** Between two messages of the sample, in milliseconds. */
const PACE = 220;
/** Between two looks at what is tried again, in milliseconds. */
const LATER = 4_000;
const nothing = (): Log => ({ turns: [], changes: [], replayed: [] });

export class Session {
  settings: Settings = readSettings();
  place: Place | undefined;
  log: Log = nothing();
  /** What takes a while, in words. */
  busy: string | undefined;
  /** What went wrong, in a sentence that says what to do. */
  problem: string | undefined;
  /** The last thing that was done, for those who do not see it. */
  said = "";
  /** Grows whenever something in the memory has changed. */
  revision = 0;
  /** The day from whose end views look back; now when absent. */
  day: string | undefined;
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

  /** Opens what the settings name, in place of what is open. */
  async open(settings = this.settings): Promise<boolean> {
    const turn = ++this.#opening;
    this.stop();
    this.#unwatch?.();
    const before = this.place;
    Object.assign(this, { settings, place: undefined, problem: undefined, day: undefined, log: nothing() });
    this.busy = settings.place === "server" ? "Connecting to the server …" : "Opening the memory in this browser …";
    writeSettings(settings);
    this.#tell();
    try {
      await before?.memory.close();
      const place = await openPlace(settings);
      if (turn !== this.#opening) {
        await place.memory.close();
        return false;
      }
      this.place = place;
      this.log = { ...nothing(), ...read<Log>(localStorageOf(), this.#logName()) };
      this.#lookLater();
      this.#unwatch = place.memory.onChange(() => {
        this.revision++;
        this.#tell();
      });
    } catch (error) {
      if (turn === this.#opening) this.problem = sentence(error);
    } finally {
      if (turn === this.#opening) this.busy = undefined;
      this.revision++;
      this.#tell();
    }
    return this.place !== undefined;
  }

  #logName(): string {
    const { place, host, userId } = this.settings;
    return `edgemem-app/chat/${place === "server" ? host : "browser"}/${userId}`;
  }

  #keep(): void {
    const { turns, changes, replayed } = this.log;
    write(localStorageOf(), this.#logName(), { turns: turns.slice(-KEPT), changes: changes.slice(-KEPT), replayed });
    this.#tell();
  }

  #turn(role: Turn["role"], content: string, at = new Date().toISOString()): void {
    this.log.turns.push({ role, content, at });
    this.#keep();
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
      if (!stop.signal.aborted) this.problem = sentence(error);
      return undefined;
    } finally {
      if (this.#stop === stop) this.busy = undefined;
      this.revision++;
      this.#tell();
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
    this.#turn("user", content);
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
        const { results } = await place.memory.search(content, { topK: 3, threshold: 0.25, transcript: this.settings.model === "none" ? "fill" : "never", signal });
        if (results.length > 0) this.#turn("recall", results.map(({ memory }) => brief(memory)).join("\n"));
      }
      await this.#add(place, content, messages, { infer: await this.#infers(content), signal });
    });
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
    options: { infer?: boolean; timestamp?: string; signal?: AbortSignal },
  ): Promise<void> {
    this.#doing(options.infer === false ? "Storing the words …" : "Extracting facts and deciding …");
    const before = performance.now();
    const added = await place.memory.add(messages, {
      ...options,
      onProgress: ({ phase }) => {
        if (phase === "stored") this.#doing("Stored. Extracting facts and deciding …");
      },
    });
    const { eventId, results, relations, status, error, note } = added;
    const told = options.infer === false ? "Kept word for word: no model here extracts facts from it." : note;
    const at = options.timestamp ?? new Date().toISOString();
    const change: Change = { eventId, title, at, results, relations, status, milliseconds: performance.now() - before };
    this.log.changes.push({ ...change, ...(error && { error }), ...(told !== undefined && { note: told }) });
    this.said = summary(change);
    this.#keep();
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
    const before = this.log.turns.length;
    this.#turn("divider", id.replaceAll("-", " "), time);
    for (const { role, content } of messages) {
      this.#doing("Replaying the sample …");
      if (!still) await pause(PACE + Math.min(content.length * 3, 500), signal);
      if (signal.aborted) {
        // It begins anew when the visitor goes on.
        this.log.turns.length = before;
        this.#keep();
        throw signal.reason;
      }
      this.#turn(role as Turn["role"], content, time);
    }
    // Not to be stopped: what was told is remembered once.
    await this.#add(place, id.replaceAll("-", " "), messages, { timestamp: time });
    this.log.replayed.push(id);
    this.#keep();
  }

  /** Erases everything of this owner, the chat as well. */
  async erase(): Promise<boolean> {
    const done = await this.run("Erasing everything …", async (place) => {
      await place.memory.deleteAll();
      this.log = nothing();
      write(localStorageOf(), this.#logName(), undefined);
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

/** A message as a sentence. */
export function ended(message: string): string {
  const first = /^[a-z]+[ :,]/.test(message) && !message.startsWith("http") ? message.charAt(0).toUpperCase() : message.charAt(0);
  return `${first}${message.slice(1)}${/[.!?]$/.test(message) ? "" : "."}`;
}

/** What went wrong and what to do about it. */
export function sentence(error: unknown): string {
  if (!(error instanceof MemoryError)) return error instanceof Error ? error.message : String(error);
  return [ended(error.message), adviceOn(error)].filter(Boolean).join(" ");
}

function adviceOn({ code, status }: MemoryError): string | undefined {
  if (status === 401 || status === 403) return "Enter the server’s key in the settings (cargo xtask dev prints it).";
  switch (code) {
    case "server_unreachable":
      return "Check the address in the settings, and that the server is running.";
    case "wrong_space":
      return "Enter its owner’s name in the settings, and import it there.";
    case "writer_lost":
      return "The tab that kept this memory was closed while it worked: look whether it was done, and repeat it if not.";
    default:
      return undefined;
  }
}
