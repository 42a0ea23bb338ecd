// What was said in the chat and what became of it, kept in this browser for as long and as safely as the memory is.
import type { AddResult } from "./edgemem.js";
import { localStorageOf, read, sessionStorageOf, type Settings, write } from "./settings.js";

export interface Turn {
  role: "user" | "assistant" | "recall" | "divider";
  content: string;
  at: string;
  /** It is not stored yet. */
  unstored?: boolean;
}

/** What became of a message or a session. */
export interface Change extends Pick<AddResult, "eventId" | "results" | "relations" | "status" | "error" | "note"> {
  title: string;
  at: string;
  milliseconds: number;
}

export interface Log {
  turns: Turn[];
  changes: Change[];
  /** The sessions of the sample that were replayed. */
  replayed: string[];
}

export const nothing = (): Log => ({ turns: [], changes: [], replayed: [] });

/** The most that is kept of a chat. */
const KEPT = 300;
/** Rounds of PBKDF2 with SHA-256, as OWASP advises. */
const ROUNDS = 600_000;

/** A log that only a passphrase opens; in base64. */
interface Sealed {
  salt: string;
  iv: string;
  sealed: string;
}

/** The key that a passphrase and a salt make. */
interface SaltedKey {
  salt: Uint8Array<ArrayBuffer>;
  key: Promise<CryptoKey>;
}

const encoder = new TextEncoder();
const toBase64 = (bytes: Uint8Array): string => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
const fromBase64 = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/** Where the log of one memory is kept. */
export class Keeper {
  readonly #name: string;
  readonly #storage: Storage | undefined;
  /** Where it was kept if the visitor has thought better of it. */
  readonly #before: Storage | undefined;
  readonly #passphrase: string | undefined;
  #key: SaltedKey | undefined;
  /** What is written is written in order. */
  #written: Promise<void> = Promise.resolve();

  constructor({ place, host, userId, rememberKeys }: Settings, passphrase?: string) {
    this.#name = `edgemem-app/chat/${place === "server" ? host : "browser"}/${userId}`;
    // Who does not want a key to outlive the tab does not want what it opens to.
    const lasting = place === "browser" || rememberKeys;
    this.#storage = lasting ? localStorageOf() : sessionStorageOf();
    this.#before = lasting ? sessionStorageOf() : localStorageOf();
    this.#passphrase = passphrase;
  }

  #keyOf(salt: Uint8Array<ArrayBuffer>): SaltedKey {
    const derive = async (): Promise<CryptoKey> => {
      const typed = await crypto.subtle.importKey("raw", encoder.encode(this.#passphrase), "PBKDF2", false, ["deriveKey"]);
      const way = { name: "PBKDF2", hash: "SHA-256", salt, iterations: ROUNDS };
      return crypto.subtle.deriveKey(way, typed, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
    };
    return { salt, key: derive() };
  }

  async load(): Promise<Log> {
    const moved = read<Log>(this.#before, this.#name);
    const kept: Partial<Log & Sealed> = moved ?? read(this.#storage, this.#name) ?? {};
    const { salt, iv, sealed } = kept;
    if (salt === undefined || iv === undefined || sealed === undefined) {
      const log = { ...nothing(), ...kept };
      // Where and as it is to be from now on.
      if (moved || (this.#passphrase !== undefined && log.turns.length > 0)) await this.keep(log);
      return log;
    }
    try {
      this.#key = this.#keyOf(fromBase64(salt));
      const opened = await crypto.subtle.decrypt({ name: "AES-GCM", iv: fromBase64(iv) }, await this.#key.key, fromBase64(sealed));
      return JSON.parse(new TextDecoder().decode(opened)) as Log;
    } catch {
      // Sealed by another passphrase: what is remembered is what counts.
      return nothing();
    }
  }

  /** Keeps it, if anything may be kept. */
  keep({ turns, changes, replayed }: Log): Promise<void> {
    const kept = { turns: turns.slice(-KEPT), changes: changes.slice(-KEPT), replayed };
    write(this.#before, this.#name, undefined);
    if (this.#passphrase === undefined) write(this.#storage, this.#name, kept);
    else {
      const text = encoder.encode(JSON.stringify(kept));
      this.#written = this.#written.then(async () => write(this.#storage, this.#name, await this.#seal(text))).catch(() => {});
    }
    return this.#written;
  }

  async #seal(text: Uint8Array<ArrayBuffer>): Promise<Sealed> {
    const { salt, key } = (this.#key ??= this.#keyOf(crypto.getRandomValues(new Uint8Array(16))));
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await key, text));
    return { salt: toBase64(salt), iv: toBase64(iv), sealed: toBase64(sealed) };
  }

  forget(): Promise<void> {
    this.#written = this.#written.then(() => {
      for (const storage of [this.#storage, this.#before]) write(storage, this.#name, undefined);
    });
    return this.#written;
  }
}
