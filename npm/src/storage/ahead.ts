// What an engine asks for when it opens a space, read before it asks.
import { type Database, META, type Store } from "./store.js";

/** What is read ahead, in this order: whatever is small, as it would have to wait for the rest. */
const TABLES = [META, "space", "entities", "relations", "contradictions", "jobs", "summaries", "outbox", "index", "memories"];

/** Rows of each that are read ahead: the indexes of some twenty thousand memories, as pages. */
const ROWS = 512;

/** Keys and records in turn. */
type Rows = (string | Uint8Array)[];

/** What was read of a table. */
interface Ahead {
  rows: Rows;
  /** How many of them were asked for. */
  taken: number;
  /** Whether there are no more. */
  whole: boolean;
}

/** A database that is read as soon as it is open, until it is written to. */
class AheadDatabase implements Database {
  readonly #inner: Database;
  readonly #ahead = new Map<string, Promise<Ahead | undefined>>();

  constructor(inner: Database) {
    this.#inner = inner;
    for (const table of TABLES) {
      // An engine asks for all memories at once.
      const limit = table === "memories" ? Infinity : ROWS;
      const read = inner.scan(table, undefined, true, limit);
      const ahead = read.then((rows) => ({ rows, taken: 0, whole: rows.length < 2 * limit }));
      // Who asks for it hears of a failure.
      this.#ahead.set(table, ahead.catch(() => undefined));
    }
  }

  async get(table: string, key: string): Promise<Uint8Array | undefined> {
    const ahead = await this.#ahead.get(table);
    if (!ahead?.whole) return this.#inner.get(table, key);
    const place = ahead.rows.indexOf(key);
    return place < 0 ? undefined : (ahead.rows[place + 1] as Uint8Array);
  }

  async scan(table: string, from: string | undefined, inclusive: boolean, limit: number): Promise<Rows> {
    const ahead = await this.#ahead.get(table);
    // In order, from where it was left.
    const follows = ahead && from === ahead.rows[ahead.taken - 2] && !(inclusive && from !== undefined);
    const rows = follows ? ahead.rows.slice(ahead.taken, ahead.taken + 2 * limit) : [];
    if (!follows || (rows.length < 2 * limit && !ahead.whole)) return this.#inner.scan(table, from, inclusive, limit);
    ahead.taken += rows.length;
    // All is said of it when the next question finds nothing.
    if (rows.length === 0 || limit === Infinity) this.#ahead.delete(table);
    return rows;
  }

  async commit(writes: Parameters<Database["commit"]>[0]): Promise<void> {
    this.#ahead.clear();
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
