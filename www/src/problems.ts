// What went wrong, in words that say what to do about it.
import { MemoryError } from "./edgemem.js";
import type { Settings } from "./settings.js";

/** What a visitor has to give before a memory opens. */
export interface Door {
  kind: "key" | "passphrase";
  /** Why what was given opens nothing. */
  told?: string | undefined;
}

/** What a server says of keys, for those who typed one. */
const REFUSED: Record<string, string> = {
  missing_api_key: "",
  invalid_api_key: "The server does not know this key: it was mistyped, was revoked, or belongs to another server.",
  api_key_expired: "This key has expired. Ask whoever gave it to you for another one.",
  token_expired: "This token has expired. Ask whoever gave it to you for another one.",
  too_many_unknown_keys: "The server has seen too many wrong keys. Try again in a minute.",
};

/** The door that stands before a memory, if that is what is wrong. */
export function doorOf(error: unknown, { place, serverKey }: Settings): Door | undefined {
  if (!(error instanceof MemoryError)) return undefined;
  const { code, status } = error;
  if (place === "server") {
    if (status !== 401 && code !== "too_many_unknown_keys") return undefined;
    return { kind: "key", told: serverKey === "" ? undefined : (REFUSED[code] ?? sentence(error)) };
  }
  if (code === "storage_encrypted") return { kind: "passphrase" };
  if (code === "storage_wrong_key") return { kind: "passphrase", told: "This is not its passphrase. Nothing was changed: try again." };
  return undefined;
}

/** A message as a sentence. */
export function ended(message: string): string {
  const first = /^[a-z]+[ :,]/.test(message) && !message.startsWith("http") ? message.charAt(0).toUpperCase() : message.charAt(0);
  return `${first}${message.slice(1)}${/[.!?]$/.test(message) ? "" : "."}`;
}

/** What went wrong and what to do about it. */
export function sentence(error: unknown): string {
  if (!(error instanceof MemoryError)) return error instanceof Error ? error.message : String(error);
  if (error.code === "server_unreachable" && !navigator.onLine) return "There is no network. What is shown is asked for again when it is back.";
  return [ended(error.message), ADVICE[error.code]].filter(Boolean).join(" ");
}

const ADVICE: Record<string, string> = {
  role_required: "Enter a key that may do it in the settings.",
  bound_to_another_user: "Enter that user’s name in the settings, or a key.",
  server_unreachable: "Check the address in the settings, that the server is running, and the network.",
  not_edgemem: "Check the address in the settings.",
  wrong_space: "Enter its owner’s name in the settings, and import it there.",
  writer_lost: "The tab that kept this memory was closed while it worked: look whether it was done, and repeat it if not.",
};
