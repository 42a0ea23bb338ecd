// Encryption at rest: every record by AES-GCM, whatever the database.
//
// Keys that are only digits of identifiers stay as they are, so that ranges can be read, and so do edgemem's own words.
// Those that may hold words of people (the names of entities, the ids of conversations) become an HMAC, and the word is
// encrypted with the record: they are few, and read all at once. The key of the encryption is never stored; of a
// passphrase, only the salt is.
import { errorOf } from "../errors.js";
import { byBytes } from "./memory.js";
import { type Database, META, type Store, TABLES, type Write } from "./store.js";

/** How to encrypt what is stored: by a passphrase that somebody types, or a key that the program keeps elsewhere. */
export type Encryption = { passphrase: string } | { key: CryptoKey | Uint8Array };

/** Rounds of PBKDF2 with SHA-256, as OWASP advises. */
const ROUNDS = 600_000;
const HEADER = "encryption";
/** Its encryption tells whether a key is the right one. */
const PROOF = "edgemem";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

interface Keys {
  cipher: CryptoKey;
  names: CryptoKey;
}

interface Header {
  version: 1;
  salt: string;
  proof: string;
}

const isPlain = (key: string): boolean => /^[0-9a-f/-]*$/.test(key);
/** The tables whose keys are words of edgemem. */
const OWN = new Set(["space", "index"]);
/** Stands before a key that is an HMAC. It comes after all plain ones. */
const HIDDEN = "~";

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const toBase64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));
const fromBase64 = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(text), (byte) => byte.charCodeAt(0));

/** The two keys that are made of what the caller gives. */
async function keysOf(encryption: Encryption, salt: Uint8Array<ArrayBuffer>): Promise<Keys> {
  const { subtle } = crypto;
  let bits: ArrayBuffer;
  if ("passphrase" in encryption) {
    const typed = await subtle.importKey("raw", encoder.encode(encryption.passphrase), "PBKDF2", false, ["deriveBits"]);
    bits = await subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations: ROUNDS }, typed, 256);
  } else if (encryption.key instanceof Uint8Array) {
    bits = encryption.key.slice().buffer;
  } else {
    const { key } = encryption;
    if (key.algorithm.name === "HKDF") return expand(key, salt);
    if (!key.extractable) {
      const message = "give a CryptoKey that is extractable, or one for HKDF: two keys are derived from it";
      throw errorOf({ code: "bad_key", status: 400, message });
    }
    bits = await subtle.exportKey("raw", key);
  }
  if (bits.byteLength < 16) {
    throw errorOf({ code: "bad_key", status: 400, message: "a key must have 16 bytes or more" });
  }
  return expand(await subtle.importKey("raw", bits, "HKDF", false, ["deriveKey"]), salt);
}

async function expand(from: CryptoKey, salt: Uint8Array<ArrayBuffer>): Promise<Keys> {
  const way = (info: string) => ({ name: "HKDF", hash: "SHA-256", salt, info: encoder.encode(info) });
  const [cipher, names] = await Promise.all([
    crypto.subtle.deriveKey(way("edgemem records"), from, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]),
    crypto.subtle.deriveKey(way("edgemem names"), from, { name: "HMAC", hash: "SHA-256", length: 256 }, false, ["sign"]),
  ]);
  return { cipher, names };
}

/**
 * A few digits that differ between keys, by which the tabs that have the same one find each other: too few to help
 * anybody guess it.
 */
export async function fingerprint(encryption: Encryption): Promise<string> {
  const salt = new Uint8Array(16);
  const given = "passphrase" in encryption ? { key: new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(encryption.passphrase))) } : encryption;
  const { names } = await keysOf(given, salt);
  const signed = await crypto.subtle.sign("HMAC", names, encoder.encode("fingerprint"));
  return hex(new Uint8Array(signed, 0, 2));
}

/** Encrypts a record. The table and the key under which it stands are authenticated: a record cannot be moved. */
async function seal(keys: Keys, place: string, key: string, record: Uint8Array): Promise<Uint8Array> {
  const name = encoder.encode(key);
  const plain = new Uint8Array(2 + name.length + record.length);
  new DataView(plain.buffer).setUint16(0, name.length);
  plain.set(name, 2);
  plain.set(record, 2 + name.length);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const way = { name: "AES-GCM", iv, additionalData: encoder.encode(place) };
  const sealed = new Uint8Array(await crypto.subtle.encrypt(way, keys.cipher, plain));
  const whole = new Uint8Array(iv.length + sealed.length);
  whole.set(iv);
  whole.set(sealed, iv.length);
  return whole;
}

async function unseal(keys: Keys, place: string, whole: Uint8Array): Promise<[key: string, record: Uint8Array]> {
  const bytes = whole.slice();
  const way = { name: "AES-GCM", iv: bytes.subarray(0, 12), additionalData: encoder.encode(place) };
  let opened: ArrayBuffer;
  try {
    opened = await crypto.subtle.decrypt(way, keys.cipher, bytes.subarray(12));
  } catch (cause) {
    const message = "a stored record was damaged, or encrypted by another key";
    throw errorOf({ code: "storage_damaged", status: 500, message }, cause);
  }
  const length = new DataView(opened).getUint16(0);
  return [decoder.decode(new Uint8Array(opened, 2, length)), new Uint8Array(opened, 2 + length)];
}

class EncryptedDatabase implements Database {
  readonly #inner: Database;
  readonly #keys: Keys;
  /** Stored together with the first record. */
  #header: Uint8Array | undefined;

  constructor(inner: Database, keys: Keys, header: Uint8Array | undefined) {
    this.#inner = inner;
    this.#keys = keys;
    this.#header = header;
  }

  /** The key under which a record is stored. */
  async #hidden(table: string, key: string): Promise<string> {
    if (OWN.has(table) || isPlain(key)) return key;
    const signed = await crypto.subtle.sign("HMAC", this.#keys.names, encoder.encode(`${table}/${key}`));
    return HIDDEN + hex(new Uint8Array(signed, 0, 16));
  }

  async get(table: string, key: string): Promise<Uint8Array | undefined> {
    const hidden = await this.#hidden(table, key);
    const whole = await this.#inner.get(table, hidden);
    return whole && (await unseal(this.#keys, `${table}/${hidden}`, whole))[1];
  }

  async scan(table: string, from: string | undefined, inclusive: boolean, limit: number): Promise<(string | Uint8Array)[]> {
    const own = OWN.has(table);
    const hidden = own ? [] : await this.#opened(table, HIDDEN, true, Infinity);
    const plain = await this.#opened(table, from, inclusive, limit);
    if (hidden.length === 0) return plain.flat();
    const after = (key: string): boolean => from === undefined || byBytes(key, from) >= (inclusive ? 0 : 1);
    return [...plain.filter(([key]) => isPlain(key)), ...hidden.filter(([key]) => after(key))]
      .sort(([a], [b]) => byBytes(a, b))
      .slice(0, limit)
      .flat();
  }

  /** The same as it is stored, decrypted. */
  async #opened(table: string, from: string | undefined, inclusive: boolean, limit: number): Promise<[string, Uint8Array][]> {
    const rows = await this.#inner.scan(table, from, inclusive, limit);
    return Promise.all(
      Array.from({ length: rows.length / 2 }, (_, place) =>
        unseal(this.#keys, `${table}/${rows[2 * place] as string}`, rows[2 * place + 1] as Uint8Array),
      ),
    );
  }

  async commit(writes: Write[]): Promise<void> {
    // All is encrypted before the transaction begins, which waits for nothing but itself.
    const hidden = await Promise.all(
      writes.map(async (write): Promise<Write> => {
        if (write[0] === "clear") return write;
        const [operation, table, key] = write;
        const name = await this.#hidden(table, key);
        if (operation === "delete") return ["delete", table, name];
        return ["put", table, name, await seal(this.#keys, `${table}/${name}`, key, write[3])];
      }),
    );
    if (this.#header) hidden.push(["put", META, HEADER, this.#header]);
    await this.#inner.commit(hidden);
    this.#header = undefined;
  }

  close(): void {
    this.#inner.close();
  }
}

/** A database that is encrypted from its next commit on, by keys of its own. */
async function begin(inner: Database, encryption: Encryption): Promise<Database> {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const keys = await keysOf(encryption, salt);
  const proof = await seal(keys, HEADER, PROOF, new Uint8Array());
  const header: Header = { version: 1, salt: toBase64(salt), proof: toBase64(proof) };
  return new EncryptedDatabase(inner, keys, encoder.encode(JSON.stringify(header)));
}

/** Opens a database that is encrypted, or is to be; without a key, one that is not. */
async function unlock(inner: Database, encryption: Encryption | undefined): Promise<Database> {
  const stored = await inner.get(META, HEADER);
  if (!encryption) {
    if (!stored) return inner;
    const message = "this memory is encrypted: open it with its passphrase or key";
    throw errorOf({ code: "storage_encrypted", status: 403, message });
  }
  if (!stored) {
    if ((await inner.scan("space", undefined, true, 1)).length === 0) return begin(inner, encryption);
    const message = "this memory is stored unencrypted: open it without a key, and encrypt() it";
    throw errorOf({ code: "storage_not_encrypted", status: 409, message });
  }
  const header: Header = JSON.parse(decoder.decode(stored));
  if (header.version !== 1) {
    throw errorOf({ code: "storage_newer", status: 409, message: "this memory was encrypted by a newer edgemem" });
  }
  const keys = await keysOf(encryption, fromBase64(header.salt));
  try {
    await unseal(keys, HEADER, fromBase64(header.proof));
  } catch {
    throw errorOf({ code: "storage_wrong_key", status: 403, message: "this is not the key that the memory was encrypted with" });
  }
  return new EncryptedDatabase(inner, keys, undefined);
}

/** The same databases, encrypted; without a key, only those that are not. */
export function encrypted(store: Store, encryption: Encryption | undefined): Store {
  return {
    shared: store.shared,
    async open(space) {
      const inner = await store.open(space);
      try {
        return await unlock(inner, encryption);
      } catch (error) {
        inner.close();
        throw error;
      }
    },
  };
}

/** Stores all of a space by another key, or by none, in one commit: until it is done, what was there stays as it was. */
export async function reencrypt(store: Store, space: string, from: Encryption | undefined, to: Encryption | undefined): Promise<void> {
  const inner = await store.open(space);
  try {
    const before = await unlock(inner, from);
    const writes: Write[] = [["clear"]];
    for (const table of TABLES) {
      const rows = await before.scan(table, undefined, true, Infinity);
      for (let at = 0; at < rows.length; at += 2) writes.push(["put", table, rows[at] as string, rows[at + 1] as Uint8Array]);
    }
    if (to) await (await begin(inner, to)).commit(writes);
    else await inner.commit([...writes, ["delete", META, HEADER]]);
  } finally {
    inner.close();
  }
}
