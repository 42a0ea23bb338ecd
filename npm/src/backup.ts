// A memory as a file: everything that is stored of it but what is made of the rest.
import { errorOf } from "./errors.js";
import { unpacked } from "./storage/packed.js";
import { type Database, TABLES, type Write } from "./storage/store.js";

/** The file: records of JSON as such, with their version; those of bytes in base64. */
interface Backup {
  format: "edgemem";
  version: 1;
  /** The hash of the owner whose memory it is. */
  space: string;
  tables: Record<string, [key: string, version: number, record: unknown][]>;
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();
/** The tables whose records are bytes. */
const BYTES = new Set(["vectors"]);

/** The file of a database. */
export async function dump(database: Database, space: string): Promise<string> {
  const tables: Backup["tables"] = {};
  for (const table of TABLES) {
    if (table === "index") continue;
    const rows = await database.scan(table, undefined, true, Infinity);
    const pairs = Array.from({ length: rows.length / 2 }, (_, place) => [rows[2 * place] as string, rows[2 * place + 1] as Uint8Array] as const);
    const records = table === "memories" ? pairs.flatMap(([key, row]) => unpacked(key, row)) : pairs;
    tables[table] = records.map(([key, record]) => {
      const body = record.subarray(1);
      return [key, record[0] ?? 0, BYTES.has(table) ? toBase64(body) : JSON.parse(decoder.decode(body))];
    });
  }
  const backup: Backup = { format: "edgemem", version: 1, space, tables };
  return JSON.stringify(backup);
}

/** Puts what a file holds into a database, in one commit. */
export async function restore(database: Database, space: string, file: string, replace: boolean): Promise<void> {
  const backup = read(file);
  if (backup.space !== space) {
    const message = "this is the memory of another owner: give the ids that it was remembered for";
    throw errorOf({ code: "wrong_space", status: 400, message });
  }
  const writes: Write[] = [];
  if (replace) writes.push(["clear"]);
  else if ((await database.scan("space", undefined, true, 1)).length > 0) {
    const message = "something is remembered here already: give replace: true to forget it";
    throw errorOf({ code: "not_empty", status: 409, message });
  }
  for (const table of TABLES) {
    for (const [key, version, record] of backup.tables[table] ?? []) {
      const body = BYTES.has(table) ? fromBase64(record as string) : encoder.encode(JSON.stringify(record));
      const whole = new Uint8Array(1 + body.length);
      whole[0] = version;
      whole.set(body, 1);
      writes.push(["put", table, key, whole]);
    }
  }
  await database.commit(writes);
}

function read(file: string): Backup {
  let backup: Partial<Backup> = {};
  try {
    backup = JSON.parse(file) as Partial<Backup>;
  } catch {
    // Told below.
  }
  const { format, version, tables } = backup;
  const rows = Object.values(tables ?? {}).flat();
  const sound = rows.every((row) => Array.isArray(row) && typeof row[0] === "string" && typeof row[1] === "number" && row.length === 3);
  if (format !== "edgemem" || typeof tables !== "object" || !sound) {
    throw errorOf({ code: "bad_backup", status: 400, message: "this is no export of a memory" });
  }
  if (version !== 1) {
    throw errorOf({ code: "bad_backup", status: 400, message: "this was exported by a newer edgemem" });
  }
  return backup as Backup;
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
