// Several tabs, or workers, on one memory: one of them holds the lock and has the engine; the others send it what they
// are asked. When it goes, however it goes, the browser gives the lock to the next.
import { errorOf, type Problem, problemOf } from "./errors.js";
import { type Ask, isRepeatable, Listeners, type Transport } from "./transport.js";

type Message =
  /** Who writes? */
  | { type: "hello" }
  /** I do, from now on or still. */
  | { type: "writer"; writer: string }
  | { type: "ask"; from: string; id: number; ask: Ask }
  /** Your question came; the answer takes its time. */
  | { type: "taken"; to: string; id: number }
  | { type: "answer"; to: string; id: number; answer: string }
  | { type: "failed"; to: string; id: number; problem: Problem }
  | { type: "changed" };

interface Pending {
  ask: Ask;
  /** The writer that has it. */
  takenBy?: string;
  resolve: (answer: string) => void;
  reject: (error: unknown) => void;
}

/** Whether the tabs of this browser can find each other. */
export function canShare(): boolean {
  return typeof navigator !== "undefined" && "locks" in navigator && typeof BroadcastChannel !== "undefined";
}

export class TabTransport implements Transport {
  readonly byEvents = true;
  readonly #self: string = crypto.randomUUID();
  readonly #channel: BroadcastChannel;
  readonly #listeners = new Listeners();
  readonly #pending = new Map<number, Pending>();
  readonly #leave = new AbortController();
  readonly #open: () => Promise<Transport>;
  /** Settles when this tab has become the writer, or knows one; fails when it should have become one and cannot. */
  readonly #ready: Promise<void>;
  #settle!: { resolve: () => void; reject: (error: unknown) => void };
  #local: Transport | undefined;
  #writer: string | undefined;
  #failure: unknown;
  #last = 0;
  #closed: (() => void) | undefined;
  /** The channel is closed. */
  #silent = false;

  /** `name` is the memory's, `open` makes the engine when this tab becomes the writer. */
  private constructor(name: string, open: () => Promise<Transport>) {
    this.#open = open;
    this.#ready = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    this.#channel = new BroadcastChannel(`edgemem/${name}`);
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => this.#receive(data);
    navigator.locks
      .request(`edgemem/${name}`, { signal: this.#leave.signal }, () => this.#write())
      .catch((error: unknown) => {
        if (!this.#leave.signal.aborted) this.#settle.reject(error);
      });
    this.#post({ type: "hello" });
  }

  static async open(name: string, open: () => Promise<Transport>): Promise<TabTransport> {
    const transport = new TabTransport(name, open);
    try {
      await transport.#ready;
    } catch (error) {
      await transport.close();
      throw error;
    }
    return transport;
  }

  #post(message: Message): void {
    if (!this.#silent) this.#channel.postMessage(message);
  }

  /** Holds the lock: opens the engine, and answers until the memory is closed. */
  async #write(): Promise<void> {
    const closed = new Promise<void>((resolve) => (this.#closed = resolve));
    try {
      const local = await this.#open();
      local.onChange(() => {
        this.#post({ type: "changed" });
        this.#listeners.tell();
      });
      this.#local = local;
    } catch (error) {
      // Another tab may be luckier; what this one is asked fails.
      this.#failure = error;
      this.#settle.reject(error);
      for (const { reject } of this.#pending.values()) reject(error);
      this.#pending.clear();
      return;
    }
    this.#take(this.#self);
    this.#post({ type: "writer", writer: this.#self });
    this.#post({ type: "changed" });
    await closed;
    await this.#local.close();
  }

  #receive(message: Message): void {
    switch (message.type) {
      case "hello":
        if (this.#local) this.#post({ type: "writer", writer: this.#self });
        break;
      case "writer":
        this.#take(message.writer);
        break;
      case "ask":
        // On leaving, what comes is left to the next writer.
        if (this.#local && !this.#leave.signal.aborted) void this.#serve(this.#local, message);
        break;
      case "changed":
        this.#listeners.tell();
        break;
      default: {
        if (message.to !== this.#self) break;
        const pending = this.#pending.get(message.id);
        if (!pending) break;
        if (message.type === "taken") {
          if (this.#writer !== undefined) pending.takenBy = this.#writer;
          break;
        }
        this.#pending.delete(message.id);
        if (message.type === "answer") pending.resolve(message.answer);
        else pending.reject(errorOf(message.problem));
      }
    }
  }

  async #serve(local: Transport, { from, id, ask }: Extract<Message, { type: "ask" }>): Promise<void> {
    this.#post({ type: "taken", to: from, id });
    try {
      this.#post({ type: "answer", to: from, id, answer: await local.ask(ask) });
    } catch (error) {
      this.#post({ type: "failed", to: from, id, problem: problemOf(error) });
    }
  }

  /** There is a writer: what the one before left unanswered goes to it, but for what may be done already. */
  #take(writer: string): void {
    const before = this.#writer;
    this.#writer = writer;
    this.#settle.resolve();
    if (before === writer) return;
    for (const [id, pending] of this.#pending) {
      if (pending.takenBy === undefined || isRepeatable(pending.ask)) {
        delete pending.takenBy;
        this.#dispatch(id, pending);
      } else {
        this.#pending.delete(id);
        const message = "the tab that was writing was closed before it answered: look whether this was done, and ask again";
        pending.reject(errorOf({ code: "writer_lost", status: 503, message }));
      }
    }
  }

  #dispatch(id: number, { ask, resolve, reject }: Pending): void {
    if (!this.#local) {
      this.#post({ type: "ask", from: this.#self, id, ask });
      return;
    }
    this.#pending.delete(id);
    this.#local.ask(ask).then(resolve, reject);
  }

  ask(ask: Ask): Promise<string> {
    if (this.#leave.signal.aborted) {
      return Promise.reject(errorOf({ code: "closed", status: 409, message: "the memory is closed" }));
    }
    if (this.#failure !== undefined && !this.#writer) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const [id, pending]: [number, Pending] = [++this.#last, { ask, resolve, reject }];
      this.#pending.set(id, pending);
      this.#dispatch(id, pending);
    });
  }

  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  async close(): Promise<void> {
    const local = this.#local;
    this.#leave.abort();
    await local?.close();
    this.#closed?.();
    const error = errorOf({ code: "closed", status: 409, message: "the memory is closed" });
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
    this.#silent = true;
    this.#channel.close();
  }
}
