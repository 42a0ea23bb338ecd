// Tables in SQLite files, for Node: one file for each owner, in one folder.
import { mkdirSync, existsSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { errorOf, MemoryError } from "../errors.js";
import { type Database, META, type Store, type Write } from "./store.js";

/** The version of the files. */
const VERSION = 1;

/** What SQLite reports. */
function failed(error: unknown, file: string): MemoryError {
  if (error instanceof MemoryError) return error;
  const { errcode, message } = error as { errcode?: number; message: string };
  // The low byte is the primary code: SQLITE_BUSY, SQLITE_FULL.
  const code = (errcode ?? 0) & 0xff;
  if (code === 5) {
    const locked = `${file} is open in another program: one at a time may use a memory`;
    return errorOf({ code: "storage_in_use", status: 409, message: locked }, error);
  }
  if (code === 13) return errorOf({ code: "storage_full", status: 507, message: `the disk is full: ${message}` }, error);
  return errorOf({ code: "storage_failed", status: 500, message: `${file}: ${message}` }, error);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Keys are bytes, as a text ends at its first NUL; a slash stands before them, as bytes that are none are a null. */
const stored = (key: string): Uint8Array => encoder.encode(`/${key}`);
const named = (bytes: Uint8Array): string => decoder.decode(bytes.subarray(1));

class SqliteDatabase implements Database {
  readonly #file: string;
  readonly #make: () => DatabaseSync;
  #database: DatabaseSync | undefined;
  readonly #statements = new Map<string, StatementSync>();

  constructor(file: string, make: () => DatabaseSync) {
    this.#file = file;
    this.#make = make;
    if (existsSync(file)) this.#open();
  }

  #open(): DatabaseSync {
    if (this.#database) return this.#database;
    const database = this.#make();
    try {
      // The lock is the process's: one that is killed gives it back. What was committed is on the disk.
      database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
      const { user_version: version } = database.prepare("PRAGMA user_version").get() as { user_version: number };
      if (version > VERSION) {
        const message = `${this.#file} was made by a newer edgemem`;
        throw errorOf({ code: "storage_newer", status: 409, message });
      }
      database.exec(
        `CREATE TABLE IF NOT EXISTS records ("table" TEXT, key BLOB, record BLOB NOT NULL, PRIMARY KEY ("table", key)) WITHOUT ROWID;
         PRAGMA user_version = ${VERSION}`,
      );
    } catch (error) {
      database.close();
      throw failed(error, this.#file);
    }
    return (this.#database = database);
  }

  #prepared(statement: string): StatementSync {
    const prepared = this.#statements.get(statement) ?? this.#open().prepare(statement);
    this.#statements.set(statement, prepared);
    return prepared;
  }

  #trying<T>(what: () => T): T {
    try {
      return what();
    } catch (error) {
      throw failed(error, this.#file);
    }
  }

  async get(table: string, key: string): Promise<Uint8Array | undefined> {
    if (!this.#database) return undefined;
    const row = this.#trying(() => this.#prepared('SELECT record FROM records WHERE "table" = ? AND key = ?').get(table, stored(key)));
    return row?.["record"] as Uint8Array | undefined;
  }

  async scan(table: string, from: string | undefined, inclusive: boolean, limit: number): Promise<(string | Uint8Array)[]> {
    if (!this.#database) return [];
    const most = Number.isFinite(limit) ? limit : -1;
    const order = `SELECT key, record FROM records WHERE "table" = ? AND key ${inclusive ? ">=" : ">"} ? ORDER BY key LIMIT ?`;
    const rows = this.#trying(() => this.#prepared(order).all(table, stored(from ?? ""), most));
    return rows.flatMap((row) => [named(row["key"] as Uint8Array), row["record"] as Uint8Array]);
  }

  async commit(writes: Write[]): Promise<void> {
    this.#trying(() => {
      const database = this.#open();
      database.exec("BEGIN IMMEDIATE");
      try {
        for (const write of writes) this.#write(write);
        database.exec("COMMIT");
      } catch (error) {
        // SQLite itself has rolled back when the disk is full.
        if (database.isTransaction) database.exec("ROLLBACK");
        throw error;
      }
    });
  }

  #write([operation, table, key, record]: Write): void {
    switch (operation) {
      case "put":
        this.#prepared("INSERT OR REPLACE INTO records VALUES (?, ?, ?)").run(table, stored(key), record);
        break;
      case "delete":
        this.#prepared('DELETE FROM records WHERE "table" = ? AND key = ?').run(table, stored(key));
        break;
      case "clear":
        if (table === undefined) this.#prepared('DELETE FROM records WHERE "table" <> ?').run(META);
        else this.#prepared('DELETE FROM records WHERE "table" = ?').run(table);
    }
  }

  close(): void {
    this.#statements.clear();
    this.#database?.close();
    this.#database = undefined;
  }
}

/** The databases of a memory in a folder: `{directory}/{name}/{space}.sqlite`. */
export function inFiles(directory: string, name: string): Store {
  return {
    shared: false,
    async open(space) {
      const folder = join(directory, encodeURIComponent(name));
      const file = join(folder, `${space}.sqlite`);
      // Loaded here, as bundlers and older programs have no such module.
      const { DatabaseSync } = await import("node:sqlite");
      return new SqliteDatabase(file, () => {
        mkdirSync(folder, { recursive: true });
        return new DatabaseSync(file);
      });
    },
  };
}
