// wasi:keyvalue in a SQLite file, for many instances of a component at one time, in many threads and processes.
import { DatabaseSync } from "node:sqlite";

const database = new DatabaseSync(process.env.KEYVALUE_FILE ?? "memories.db");
database.exec(`
  PRAGMA busy_timeout = 10000;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS pairs (bucket TEXT, key TEXT, value, PRIMARY KEY (bucket, key)) WITHOUT ROWID`);

const get = database.prepare("SELECT value FROM pairs WHERE bucket = ? AND key = ?");
const put = database.prepare("INSERT OR REPLACE INTO pairs VALUES (?, ?, ?)");
const remove = database.prepare("DELETE FROM pairs WHERE bucket = ? AND key = ?");
const list = database.prepare("SELECT key FROM pairs WHERE bucket = ? ORDER BY key LIMIT 1000 OFFSET ?");
// One statement is atomic, whoever else writes.
const add = database.prepare(`
  INSERT INTO pairs VALUES (?, ?, ?)
  ON CONFLICT DO UPDATE SET value = value + excluded.value RETURNING value`);
add.setReadBigInts(true);

/** Many statements as one: quicker, and all or none. */
function together(work) {
  database.exec("BEGIN IMMEDIATE");
  try {
    work();
    database.exec("COMMIT");
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}

/** What SQLite throws is the interface's error. */
const told = (work) => (...words) => {
  try {
    return work(...words);
  } catch (error) {
    throw Object.assign(new Error(error.message), { payload: { tag: "other", val: error.message } });
  }
};

class Bucket {
  constructor(name) {
    this.name = name;
  }
  get = told((key) => get.get(this.name, key)?.value);
  set = told((key, value) => void put.run(this.name, key, value));
  delete = told((key) => void remove.run(this.name, key));
  exists = told((key) => get.get(this.name, key) !== undefined);
  listKeys = told((cursor = 0n) => {
    const keys = list.all(this.name, cursor).map(({ key }) => key);
    return { keys, cursor: keys.length === 1000 ? cursor + 1000n : undefined };
  });
}

export const store = { Bucket, open: (name) => new Bucket(name) };

export const atomics = {
  increment: told((bucket, key, delta) => add.get(bucket.name, key, delta).value),
};

export const batch = {
  getMany: told((bucket, keys) => keys.map((key) => {
    const row = get.get(bucket.name, key);
    return row && [key, row.value];
  })),
  setMany: told((bucket, pairs) => together(() => pairs.forEach(([key, value]) => bucket.set(key, value)))),
  deleteMany: told((bucket, keys) => together(() => keys.forEach((key) => bucket.delete(key)))),
};
