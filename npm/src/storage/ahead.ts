// What an engine asks for when it opens a space, read before it asks.
import type { Database, Store } from "./store.js";

/** Rows of the indexes that are read ahead: those of some twenty thousand memories, as pages. */
const ROWS = 512;

type Rows = (string | Uint8Array)[];

/** A database whose indexes and memories are read as soon as it is open. */
class AheadDatabase implements Database {
  readonly #inner: Database;
  /** The first rows of the indexes that were not asked for yet; `undefined` when they could not be read. */
  #indexes: Promise<Rows | undefined> | undefined;
  /** The key before them. */
  #after: string | undefined;
  #memories: Promise<Rows | undefined> | undefined;

  constructor(inner: Database) {
    this.#inner = inner;
    // An engine asks for these first. It hears of a failure when it asks for them again.
    this.#indexes = inner.scan("index", undefined, true, ROWS).catch(() => undefined);
    this.#memories = inner.scan("memories", undefined, true, Infinity).catch(() => undefined);
  }

  get: Database["get"] = (table, key) => this.#inner.get(table, key);

  async scan(table: string, from: string | undefined, inclusive: boolean, limit: number): Promise<Rows> {
    if (table === "index") return this.#index(from, inclusive, limit);
    const all = table === "memories" && from === undefined && limit === Infinity;
    const ahead = all ? await this.#memories : undefined;
    if (all) this.#memories = undefined;
    return ahead ?? this.#inner.scan(table, from, inclusive, limit);
  }

  async #index(from: string | undefined, inclusive: boolean, limit: number): Promise<Rows> {
    const ahead = this.#after === from && !(inclusive && from !== undefined) ? await this.#indexes : undefined;
    this.#indexes = undefined;
    const rows = ahead?.slice(0, 2 * limit);
    if (!ahead || !rows?.length) return this.#inner.scan("index", from, inclusive, limit);
    this.#after = rows[rows.length - 2] as string;
    this.#indexes = Promise.resolve(ahead.slice(rows.length));
    return rows;
  }

  async commit(writes: Parameters<Database["commit"]>[0]): Promise<void> {
    this.#indexes = this.#memories = undefined;
    await this.#inner.commit(writes);
  }

  close(): void {
    this.#inner.close();
  }
}

interface Begun {
  space: string;
  database: Database;
}

/** Databases that are quicker to open; when there is but one, it is opened and read before anybody asks for it. */
export class AheadStore implements Store {
  readonly shared: boolean;
  readonly #inner: Store;
  #begun: Promise<Begun | undefined> | undefined;

  constructor(inner: Store) {
    this.shared = inner.shared;
    this.#inner = inner;
  }

  /** To be called when nobody else writes any more. */
  begin(): void {
    // Who asks for the database hears of a failure.
    this.#begun = this.#only().catch(() => undefined);
  }

  async #only(): Promise<Begun | undefined> {
    const [space, another] = (await this.#inner.spaces?.()) ?? [];
    if (space === undefined || another !== undefined) return undefined;
    return { space, database: new AheadDatabase(await this.#inner.open(space)) };
  }

  async open(space: string): Promise<Database> {
    const begun = this.#begun;
    this.#begun = undefined;
    const first = await begun;
    if (first?.space === space) return first.database;
    first?.database.close();
    return new AheadDatabase(await this.#inner.open(space));
  }

  /** Lets go of what nobody asked for. */
  async end(): Promise<void> {
    (await this.#begun)?.database.close();
  }
}
