// Tables in this program's memory: nothing is kept when it ends.
import { type Database, META, type Store, type Write } from "./store.js";

/** Orders texts by the bytes of their UTF-8: where UTF-16 differs, it has surrogates. */
export function byBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let place = 0; place < length; place++) {
    const [left, right] = [a.charCodeAt(place), b.charCodeAt(place)];
    if (left !== right) {
      const fixed = (code: number): number => (code >= 0xe000 ? code - 0x800 : code >= 0xd800 ? code + 0x2000 : code);
      return fixed(left) - fixed(right);
    }
  }
  return a.length - b.length;
}

class MemoryDatabase implements Database {
  readonly #tables = new Map<string, Map<string, Uint8Array>>();
  /** The keys of a table in order, until it changes. */
  readonly #ordered = new Map<string, string[]>();

  async get(table: string, key: string): Promise<Uint8Array | undefined> {
    return this.#tables.get(table)?.get(key);
  }

  async scan(table: string, from: string | undefined, inclusive: boolean, limit: number): Promise<(string | Uint8Array)[]> {
    const rows = this.#tables.get(table);
    if (!rows) return [];
    const keys = this.#ordered.get(table) ?? [...rows.keys()].sort(byBytes);
    this.#ordered.set(table, keys);
    let first = 0;
    if (from !== undefined) {
      let end = keys.length;
      while (first < end) {
        const middle = (first + end) >> 1;
        const order = byBytes(keys[middle] ?? "", from);
        if (order < 0 || (order === 0 && !inclusive)) first = middle + 1;
        else end = middle;
      }
    }
    return keys.slice(first, first + limit).flatMap((key) => [key, rows.get(key) as Uint8Array]);
  }

  async commit(writes: Write[]): Promise<void> {
    for (const [operation, table, key, record] of writes) {
      if (operation === "clear") {
        const cleared = table === undefined ? [...this.#tables.keys()].filter((name) => name !== META) : [table];
        for (const name of cleared) {
          this.#tables.delete(name);
          this.#ordered.delete(name);
        }
        continue;
      }
      const rows = this.#tables.get(table) ?? new Map<string, Uint8Array>();
      this.#tables.set(table, rows);
      if (operation === "delete") {
        if (rows.delete(key)) this.#ordered.delete(table);
      } else {
        if (!rows.has(key)) this.#ordered.delete(table);
        rows.set(key, record);
      }
    }
  }

  close(): void {}
}

/** Databases in this program's memory. */
export function inMemory(): Store {
  const databases = new Map<string, Database>();
  return {
    shared: false,
    async open(space) {
      const database = databases.get(space) ?? new MemoryDatabase();
      databases.set(space, database);
      return database;
    },
  };
}
