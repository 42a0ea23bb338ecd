// An engine in this program.
import { Engine } from "../wasm/edgemem.js";
import { errorOf, MemoryError, problemOf, type Problem } from "./errors.js";
import type { Host } from "./host.js";
import { configOf, type Models, send, usesTable } from "./models/network.js";
import type { Platform } from "./platform.js";
import { dump, restore } from "./backup.js";
import type { AheadStore } from "./storage/ahead.js";
import type { Database, Store } from "./storage/store.js";
import { type Ask, changes, Listeners, type Transport } from "./transport.js";

/** What an engine is made of. */
export interface LocalOptions {
  platform: Platform;
  store: Store;
  /** What it reads from, and begins to before it is asked. */
  ahead: AheadStore;
  /** Encrypts what is stored of a space by another passphrase, or by none. */
  reencrypt: (space: string, passphrase: string | undefined) => Promise<void>;
  models: Models;
  vectorIndex?: "auto" | "flat" | "hnsw" | undefined;
  megabytes?: number | undefined;
  warn: (message: string) => void;
  progress: (phase: "loading" | "thinking" | "ready") => void;
}

interface Ending {
  resolve: (answer: string) => void;
  reject: (error: MemoryError) => void;
}

/** The tasks of all engines, which share one module, are numbered together. */
let tasks = 0;

/** How long jobs wait after the storage failed, in milliseconds. */
const AFTER_FAILURE = 10_000;

/** How long nothing happens, in milliseconds, before what makes the next start quick is stored. */
const AT_REST = 1_000;

/** The longest wait of a timer. */
const LONGEST = 2 ** 31 - 1;

export class LocalTransport implements Transport {
  readonly byEvents = true;
  readonly #options: LocalOptions;
  readonly #table: Uint8Array | undefined;
  readonly #listeners = new Listeners();
  readonly #databases = new Map<string, RetiringDatabase>();
  /** What is being answered, so that closing can wait for it. */
  readonly #busy = new Set<Promise<unknown>>();
  /** Ends the questions to models: a job that is cut off is done anew. */
  readonly #stop = new AbortController();
  /** Who waits for a task of the engine. */
  readonly #tasks = new Map<number, Ending>();
  #engine: Engine;
  /** A space is being encrypted anew: none is opened meanwhile. */
  #rewriting: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running = false;
  #closed = false;
  /** Whether something changed since the engine settled. */
  #unsettled = false;

  private constructor(options: LocalOptions, table: Uint8Array | undefined) {
    this.#options = options;
    this.#table = table;
    this.#engine = this.#start();
  }

  static async open(options: LocalOptions): Promise<LocalTransport> {
    options.progress("loading");
    const { platform, models, ahead } = options;
    ahead.begin();
    try {
      const [table] = await Promise.all([usesTable(models.embedder) ? platform.table() : undefined, platform.load()]);
      const transport = new LocalTransport(options, table);
      options.progress("ready");
      return transport;
    } catch (error) {
      await ahead.end();
      throw error;
    }
  }

  #start(): Engine {
    const { models, store, vectorIndex, megabytes, warn, progress } = this.#options;
    const host: Host = {
      storage: async (space) => {
        await this.#rewriting?.catch(() => {});
        const database = new RetiringDatabase(await store.open(space));
        this.#databases.set(space, database);
        return database;
      },
      send: (which, ...request) => {
        if (which === "llm") progress("thinking");
        return send(this.#stop.signal, models, which, ...request);
      },
      sleep: (milliseconds) =>
        new Promise((resolve) => {
          const timer = setTimeout(resolve, milliseconds);
          this.#stop.signal.addEventListener("abort", () => {
            clearTimeout(timer);
            resolve();
          });
        }),
      now: () => Date.now(),
      random: () => crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n,
      warn,
      wake: (task) => queueMicrotask(() => this.#step(task, () => engine.step(task))),
      done: (task, answer) => this.#end(task)?.resolve(answer),
      failed: (task, error) => this.#end(task)?.reject(fromEngine(error)),
    };
    const config = JSON.stringify({ ...configOf(models), vectorIndex, megabytes });
    let engine: Engine;
    try {
      engine = new Engine(host, config, this.#table);
    } catch (thrown) {
      throw fromEngine(thrown);
    }
    return engine;
  }

  /** Has the engine do something, which it begins at once. */
  #run(begin: (engine: Engine, task: number) => void): Promise<string> {
    return new Promise((resolve, reject) => {
      const task = ++tasks;
      this.#tasks.set(task, { resolve, reject });
      this.#step(task, () => begin(this.#engine, task));
    });
  }

  /** One step of a task, unless it is over. */
  #step(task: number, step: () => void): void {
    if (!this.#tasks.has(task)) return;
    try {
      step();
    } catch (trap) {
      this.#restart(trap);
    }
  }

  #end(task: number): Ending | undefined {
    const ending = this.#tasks.get(task);
    this.#tasks.delete(task);
    return ending;
  }

  /** After a fault of ours: what is in memory is not to be trusted, what is stored is. */
  #restart(trap: unknown): void {
    const cause = { code: "internal_error", status: 500, message: `edgemem failed (${String(trap)}); what is stored is loaded anew` };
    for (const { reject } of this.#tasks.values()) reject(errorOf(cause, trap));
    this.#tasks.clear();
    for (const database of this.#databases.values()) database.retire();
    this.#databases.clear();
    this.#engine = this.#start();
  }

  async ask(ask: Ask): Promise<string> {
    const answering = this.#doing(() => this.#answer(ask));
    this.#busy.add(answering);
    try {
      const answer = await answering;
      if (changes(ask)) this.#changed();
      return answer;
    } finally {
      this.#busy.delete(answering);
    }
  }

  #changed(): void {
    this.#unsettled = true;
    this.#schedule();
    this.#listeners.tell();
  }

  async #answer({ method, target, body = "" }: Ask): Promise<string> {
    const [path, query = ""] = target.split("?");
    if (path !== "/backup/" && path !== "/encryption/") return this.#run((engine, task) => engine.ask(task, method, target, body));
    const about = `/v1/stats/?${query}`;
    // Asked, the engine opens the database of the owner.
    await this.#run((engine, task) => engine.ask(task, "GET", about, ""));
    const space = this.#engine.space("GET", about, "");
    const database = this.#databases.get(space) as RetiringDatabase;
    if (path === "/encryption/") {
      // What is still being written is refused, and what comes waits.
      this.#leave(space, database);
      this.#rewriting = this.#options.reencrypt(space, (JSON.parse(body) as { passphrase?: string }).passphrase);
      await this.#rewriting;
      return "{}";
    }
    if (method === "GET") return dump(database, space);
    await restore(database, space, body, new URLSearchParams(query).has("replace"));
    this.#leave(space, database);
    return "{}";
  }

  /** What the engine has in memory of a space is no longer so. */
  #leave(space: string, database: RetiringDatabase): void {
    this.#engine.forget(space);
    database.retire();
  }

  /** Does something, and then sees to the jobs that it left. */
  async #doing<T>(what: () => Promise<T>): Promise<T> {
    if (this.#closed) throw errorOf({ code: "closed", status: 409, message: "the memory is closed" });
    try {
      return await what();
    } finally {
      this.#schedule();
    }
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#closed || this.#running) return;
    const due = this.#engine.due();
    if (this.#unsettled && !(due !== undefined && due - Date.now() < AT_REST)) {
      this.#wake(AT_REST, () => void this.#settle().then(() => this.#schedule()));
      return;
    }
    if (due === undefined) return;
    const wait = Math.min(due - Date.now(), LONGEST);
    // Not by a timer where it need not be: those of a hidden tab are slow.
    if (wait <= 0) queueMicrotask(() => void this.#work());
    else this.#wake(wait, () => void this.#work());
  }

  /** Sets the one timer. A program of Node that has nothing else to do ends: jobs are stored. */
  #wake(wait: number, then: () => void): void {
    const timer: unknown = (this.#timer = setTimeout(then, wait));
    if (typeof timer === "object") (timer as { unref(): void }).unref();
  }

  async #settle(): Promise<void> {
    this.#unsettled = false;
    // What fails costs the next start time, and nobody waits for it.
    await this.#run((engine, task) => engine.settle(task)).catch(() => {});
  }

  async #work(): Promise<void> {
    if (this.#running || this.#closed) return;
    this.#running = true;
    try {
      await this.#doing(() => this.#run((engine, task) => engine.runJobs(task)));
    } catch (error) {
      if (this.#closed) return;
      // The storage failed: whoever asks next is told; a job that waits is not tried in a loop.
      this.#options.warn(problemOf(error).message);
      this.#wake(AFTER_FAILURE, () => this.#schedule());
      return;
    } finally {
      this.#running = false;
      this.#unsettled = true;
      this.#listeners.tell();
    }
    this.#schedule();
  }

  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await Promise.allSettled(this.#busy);
    if (this.#unsettled) await this.#settle();
    this.#stop.abort(errorOf({ code: "closed", status: 409, message: "the memory is closed" }));
    for (const database of this.#databases.values()) database.close();
    await this.#options.ahead.end();
  }
}

/** A database that takes no more writes once another has taken over. */
class RetiringDatabase implements Database {
  readonly #inner: Database;
  #retired = false;

  constructor(inner: Database) {
    this.#inner = inner;
  }

  get: Database["get"] = (table, key) => this.#inner.get(table, key);
  scan: Database["scan"] = (table, from, inclusive, limit) => this.#inner.scan(table, from, inclusive, limit);

  async commit(writes: Parameters<Database["commit"]>[0]): Promise<void> {
    if (this.#retired) {
      throw errorOf({ code: "storage_closed", status: 503, message: "the memory was loaded anew: ask again" });
    }
    await this.#inner.commit(writes);
  }

  retire(): void {
    this.#retired = true;
    this.#inner.close();
  }

  close(): void {
    this.#inner.close();
  }
}

/** What the engine threw, as an error: a string is JSON of a problem, anything else came through it from here. */
function fromEngine(thrown: unknown): MemoryError {
  if (typeof thrown === "string") {
    try {
      return errorOf(JSON.parse(thrown) as Problem);
    } catch {
      return errorOf({ code: "internal_error", status: 500, message: thrown });
    }
  }
  return thrown instanceof MemoryError ? thrown : errorOf(problemOf(thrown), thrown);
}
