// Tables in the browser's IndexedDB: one database for each owner, one transaction for each commit.
import { storageError, errorOf } from "../errors.js";
import { type Database, META, type Store, TABLES, type Write } from "./store.js";

/** The version of the databases. What a newer one adds is made on opening; a database of a newer edgemem is refused. */
const VERSION = 2;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Keys are bytes, as texts would be ordered by UTF-16. */
const bytes = (key: string): Uint8Array<ArrayBuffer> => encoder.encode(key);

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Opens a database; `undefined` when there is none and none is to be made. */
function connect(name: string, create: boolean): Promise<IDBDatabase | undefined> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, VERSION);
    request.onupgradeneeded = (event) => {
      if (event.oldVersion === 0 && !create) {
        // What is aborted before it was made leaves nothing behind.
        request.transaction?.abort();
        return;
      }
      const { result: database } = request;
      for (const table of [...TABLES, META]) {
        if (!database.objectStoreNames.contains(table)) database.createObjectStore(table);
      }
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => {
      if (request.error?.name === "AbortError" && !create) resolve(undefined);
      else reject(request.error);
    };
  });
}

class IndexedDatabase implements Database {
  readonly #name: string;
  #database: IDBDatabase | undefined;
  #closed = "";

  constructor(name: string, database: IDBDatabase | undefined) {
    this.#name = name;
    this.#take(database);
  }

  #take(database: IDBDatabase | undefined): void {
    this.#database = database;
    if (!database) return;
    database.onversionchange = () => {
      this.#closed = "another tab has loaded a newer version of this app or deletes the database: load this page again";
      database.close();
    };
    database.onclose = () => {
      this.#closed = "the browser closed the database (its data may have been cleared): load this page again";
    };
  }

  #open(): IDBDatabase | undefined {
    if (this.#closed) throw errorOf({ code: "storage_closed", status: 503, message: this.#closed });
    return this.#database;
  }

  async get(table: string, key: string): Promise<Uint8Array | undefined> {
    const database = this.#open();
    if (!database) return undefined;
    try {
      const record: ArrayBuffer | undefined = await done(database.transaction(table).objectStore(table).get(bytes(key)));
      return record && new Uint8Array(record);
    } catch (error) {
      throw storageError(error, `reading ${table}`);
    }
  }

  async scan(table: string, from: string | undefined, inclusive: boolean, limit: number): Promise<(string | Uint8Array)[]> {
    const database = this.#open();
    // To IndexedDB, a limit of 0 is none.
    if (!database || limit === 0) return [];
    try {
      const store = database.transaction(table).objectStore(table);
      const range = from === undefined ? null : IDBKeyRange.lowerBound(bytes(from), !inclusive);
      const most = Number.isFinite(limit) ? limit : undefined;
      const [keys, records] = await Promise.all([done(store.getAllKeys(range, most)), done(store.getAll(range, most))]);
      return keys.flatMap((key, place) => [decoder.decode(key as ArrayBuffer), new Uint8Array(records[place] as ArrayBuffer)]);
    } catch (error) {
      throw storageError(error, `reading ${table}`);
    }
  }

  async commit(writes: Write[]): Promise<void> {
    if (writes.length === 0) return;
    try {
      if (!this.#open()) this.#take(await connect(this.#name, true));
      const database = this.#database as IDBDatabase;
      const all = writes.some(([operation, table]) => operation === "clear" && table === undefined);
      const tables = all ? [...TABLES] : [];
      const named = writes.flatMap(([, table]) => (table === undefined ? [] : [table]));
      const transaction = database.transaction([...new Set([...tables, ...named])], "readwrite", { durability: "strict" });
      const end = new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error ?? new DOMException("the transaction was aborted", "AbortError"));
      });
      try {
        for (const write of writes) this.#write(transaction, write);
        // What waits for nothing more is on its way to the disk at once.
        transaction.commit();
      } catch (error) {
        transaction.abort();
        await end.catch(() => {});
        throw error;
      }
      await end;
    } catch (error) {
      throw storageError(error, "storing");
    }
  }

  #write(transaction: IDBTransaction, [operation, table, key, record]: Write): void {
    switch (operation) {
      case "put":
        transaction.objectStore(table).put(record.slice().buffer, bytes(key));
        break;
      case "delete":
        transaction.objectStore(table).delete(bytes(key));
        break;
      case "clear":
        for (const cleared of table === undefined ? TABLES : [table]) transaction.objectStore(cleared).clear();
    }
  }

  close(): void {
    this.#closed = "the memory is closed";
    this.#database?.close();
  }
}

/** The databases of a memory in IndexedDB: `edgemem/{name}/{space}`. */
export function inIndexedDb(name: string): Store {
  const prefix = `edgemem/${name}/`;
  return {
    shared: true,
    async spaces() {
      const databases = await indexedDB.databases();
      const names = databases.flatMap((database) => database.name ?? []);
      const spaces = names.filter((full) => full.startsWith(prefix)).map((full) => full.slice(prefix.length));
      // A name with a slash in it is that of another memory.
      return spaces.filter((space) => !space.includes("/"));
    },
    async open(space) {
      if (typeof indexedDB === "undefined") {
        const message = "there is no IndexedDB here: open the memory with persistence: \"none\"";
        throw errorOf({ code: "storage_unavailable", status: 503, message });
      }
      const full = prefix + space;
      try {
        return new IndexedDatabase(full, await connect(full, false));
      } catch (error) {
        throw storageError(error, "opening the database");
      }
    },
  };
}
