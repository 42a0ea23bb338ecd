// A storage in one file: every commit is a line, read back when the program starts.
import { closeSync, existsSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";

const byBytes = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** The tables of a space: records by their keys, and the keys in order once somebody scans them. */
class Tables {
  #tables = new Map();

  of(name) {
    if (!this.#tables.has(name)) this.#tables.set(name, { records: new Map(), keys: undefined });
    return this.#tables.get(name);
  }

  apply({ tag, val }) {
    if (tag === "clear") return this.#tables.clear();
    if (tag === "clear-table") return this.#tables.delete(val);
    const table = this.of(val.table);
    if (tag === "delete" ? table.records.delete(val.key) : !table.records.has(val.key)) table.keys = undefined;
    if (tag === "put") table.records.set(val.key, val.record);
  }

  /** The keys from a place on. */
  keys(name, { tag, val }) {
    const table = this.of(name);
    const keys = (table.keys ??= [...table.records.keys()].sort(byBytes));
    if (tag === "first") return keys;
    const is = (key) => byBytes(key, val) > (tag === "at" ? -1 : 0);
    let [low, high] = [0, keys.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (is(keys[middle])) high = middle;
      else low = middle + 1;
    }
    return keys.slice(low);
  }
}

/** Spaces kept in a file; without one, as long as the program runs. */
export function inFile(path) {
  const spaces = new Map();
  const tables = (space) => spaces.get(space) ?? spaces.set(space, new Tables()).get(space);
  const apply = (space, writes) => writes.forEach((write) => tables(space).apply(write));
  const text = path && existsSync(path) ? readFileSync(path, "utf8") : "";
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  const read = (name, value) => (name === "record" ? Buffer.from(value, "base64") : value);
  for (const line of whole.split("\n").filter(Boolean)) apply(...JSON.parse(line, read));
  const file = path && openSync(path, "a");
  // What a crash left of a line was never acknowledged.
  if (file) ftruncateSync(file, Buffer.byteLength(whole));
  const bare = ({ tag, val }) =>
    tag === "put" ? { tag, val: { ...val, record: Buffer.from(val.record).toString("base64") } } : { tag, val };
  return {
    get: (space, table, key) => tables(space).of(table).records.get(key),
    scan: (space, table, start, limit) => {
      const keys = tables(space).keys(table, start).slice(0, limit);
      return keys.map((key) => ({ key, record: tables(space).of(table).records.get(key) }));
    },
    commit: (space, writes) => {
      if (file) writeSync(file, `${JSON.stringify([space, writes.map(bare)])}\n`), fsyncSync(file);
      apply(space, writes);
    },
    close: () => file && closeSync(file),
  };
}
