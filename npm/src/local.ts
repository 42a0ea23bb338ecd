// An engine in this program.
import { Engine } from "../wasm/edgemem.js";
import { errorOf, type MemoryError, problemOf, type Problem } from "./errors.js";
import { configOf, type Models, send, usesTable } from "./models/network.js";
import type { Platform } from "./platform.js";
import { dump, restore } from "./backup.js";
import type { Database, Store } from "./storage/store.js";
import { type Ask, changes, Listeners, type Transport } from "./transport.js";

/** What an engine is made of. */
export interface LocalOptions {
  platform: Platform;
  store: Store;
  models: Models;
  vectorIndex?: "auto" | "flat" | "hnsw" | undefined;
  megabytes?: number | undefined;
  warn: (message: string) => void;
  progress: (phase: "loading" | "thinking" | "ready") => void;
}

/** The longest wait of a timer. */
const LONGEST = 2 ** 31 - 1;

export class LocalTransport implements Transport {
  readonly byEvents = true;
  readonly #options: LocalOptions;
  readonly #table: Uint8Array | undefined;
  readonly #listeners = new Listeners();
  readonly #databases = new Map<string, RetiringDatabase>();
  /** What is being done, so that closing can wait for it. */
  readonly #busy = new Set<Promise<unknown>>();
  #engine: Engine;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running = false;
  #closed = false;

  private constructor(options: LocalOptions, table: Uint8Array | undefined) {
    this.#options = options;
    this.#table = table;
    this.#engine = this.#start();
  }

  static async open(options: LocalOptions): Promise<LocalTransport> {
    options.progress("loading");
    const { platform, models } = options;
    const [table] = await Promise.all([usesTable(models.embedder) ? platform.table() : undefined, platform.load()]);
    const transport = new LocalTransport(options, table);
    options.progress("ready");
    return transport;
  }

  #start(): Engine {
    const { models, store, vectorIndex, megabytes, warn, progress } = this.#options;
    const host = {
      storage: async (space: string): Promise<Database> => {
        const database = new RetiringDatabase(await store.open(space));
        this.#databases.set(space, database);
        return database;
      },
      send: (...[which, method, url, headers, body, timeout]: [string, string, string, string[], Uint8Array, number]) => {
        if (which === "llm") progress("thinking");
        return send(models, which, method, url, headers, body, timeout);
      },
      sleep: (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds)),
      now: () => Date.now(),
      random: () => crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n,
      warn,
    };
    const config = JSON.stringify({ ...configOf(models), vectorIndex, megabytes });
    try {
      return new Engine(host, config, this.#table);
    } catch (thrown) {
      throw fromEngine(thrown);
    }
  }

  ask(ask: Ask): Promise<string> {
    return this.#doing(async () => {
      const answer = await this.#answer(ask);
      if (changes(ask)) this.#listeners.tell();
      return answer;
    });
  }

  async #answer({ method, target, body = "" }: Ask): Promise<string> {
    const [path = "", query = ""] = target.split("?");
    if (path === "/backup/") {
      const space = this.#engine.space("GET", `/v1/stats/?${query}`, "");
      if (method === "GET") return dump(await this.#database(space), space);
      const inUse = this.#databases.get(space);
      await restore(await this.#database(space), space, body, new URLSearchParams(query).has("replace"));
      // What the engine has of the space is no longer so.
      this.#engine.forget(space);
      inUse?.retire();
      return "{}";
    }
    return await this.#engine.ask(method, target, body);
  }

  async #database(space: string): Promise<Database> {
    return this.#databases.get(space) ?? (await this.#options.store.open(space));
  }

  /** Does something, and then sees to the jobs that it left. */
  async #doing<T>(what: () => Promise<T>): Promise<T> {
    if (this.#closed) throw errorOf({ code: "closed", status: 409, message: "the memory is closed" });
    const engine = this.#engine;
    const doing = what();
    this.#busy.add(doing);
    try {
      return await doing;
    } catch (thrown) {
      if (thrown instanceof WebAssembly.RuntimeError) this.#restart(engine);
      throw fromEngine(thrown);
    } finally {
      this.#busy.delete(doing);
      this.#schedule();
    }
  }

  /** After a fault of ours: what is left in memory is not to be trusted, what is stored is. */
  #restart(engine: Engine): void {
    if (engine !== this.#engine) return;
    for (const database of this.#databases.values()) database.retire();
    this.#databases.clear();
    this.#engine = this.#start();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#closed || this.#running) return;
    const due = this.#engine.due();
    if (due === undefined) return;
    const wait = Math.min(due - Date.now(), LONGEST);
    // Not by a timer where it need not be: those of a hidden tab are slow.
    if (wait <= 0) queueMicrotask(() => void this.#work());
    else this.#timer = setTimeout(() => void this.#work(), wait);
  }

  async #work(): Promise<void> {
    if (this.#running || this.#closed) return;
    this.#running = true;
    try {
      await this.#doing(() => this.#engine.runJobs());
    } catch (error) {
      // The storage failed: whoever asks next is told; a job that waits is not tried in a loop.
      this.#options.warn(problemOf(error).message);
      this.#timer = setTimeout(() => this.#schedule(), 10_000);
      return;
    } finally {
      this.#running = false;
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
    for (const database of this.#databases.values()) database.close();
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
  return errorOf(problemOf(thrown), thrown);
}
