// Rows that hold several memories, as the engine stores them (src/store/packed.rs tells of the format).
import { errorOf } from "../errors.js";

/** The version that is read here. */
const VERSION = 1;

/** Stands before the keys of such rows. */
const SHARED = "/";

const decoder = new TextDecoder();

/** The memories of a row, each under its own key. */
export function unpacked(key: string, row: Uint8Array): [key: string, record: Uint8Array][] {
  if (!key.startsWith(SHARED)) return [[key, row]];
  if (row[0] !== VERSION) {
    throw errorOf({ code: "storage_newer", status: 409, message: "these memories were stored by a newer edgemem" });
  }
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
  const held: [string, Uint8Array][] = [];
  for (let at = 1; at < row.length; ) {
    const start = at + 8;
    const middle = start + view.getUint32(at, true);
    const end = middle + view.getUint32(at + 4, true);
    held.push([decoder.decode(row.subarray(start, middle)), row.subarray(middle, end)]);
    at = end;
  }
  return held;
}
