// What the visitor chose, kept in this browser. Keys stay in the tab unless they are to be remembered.

export type ModelKind = "sample" | "endpoint" | "ollama" | "chrome" | "none";

export interface Settings {
  /** Where memories are kept: in this browser, or on a server that speaks edgemem's API. */
  place: "browser" | "server";
  /** Whose memory it is. */
  userId: string;
  host: string;
  serverKey: string;
  model: ModelKind;
  baseURL: string;
  modelName: string;
  modelKey: string;
  /** Whether the keys outlive the tab, and with a server's what was said in the chat. */
  rememberKeys: boolean;
}

/** The user of the sample conversation. */
export const SAMPLE_USER = "maya";
const SETTINGS = "edgemem-app/settings";
const KEYS = "edgemem-app/keys";

export const standard: Settings = {
  place: "browser",
  userId: SAMPLE_USER,
  host: location.origin,
  serverKey: "",
  model: "sample",
  baseURL: "https://api.openai.com/v1",
  modelName: "",
  modelKey: "",
  rememberKeys: false,
};

/** Where Ollama listens unless told otherwise. */
export const OLLAMA = "http://localhost:11434/v1";

/** The user whose memory a token opens; a key opens everybody's. */
export function userOf(key: string): string | undefined {
  const [, claims, code] = key.trim().split(".");
  if (claims === undefined || code === undefined) return undefined;
  try {
    const bytes = Uint8Array.from(atob(claims.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
    const { sub } = JSON.parse(new TextDecoder().decode(bytes)) as { sub?: unknown };
    return typeof sub === "string" ? sub : undefined;
  } catch {
    // The server says what is wrong with it.
    return undefined;
  }
}

export function readSettings(): Settings {
  return { ...standard, ...read(localStorageOf(), SETTINGS), ...read(localStorageOf(), KEYS), ...read(sessionStorageOf(), KEYS) };
}

export function writeSettings(settings: Settings): void {
  const { serverKey, modelKey, ...rest } = settings;
  const keys = { serverKey, modelKey };
  write(localStorageOf(), SETTINGS, rest);
  write(localStorageOf(), KEYS, settings.rememberKeys ? keys : undefined);
  write(sessionStorageOf(), KEYS, settings.rememberKeys ? undefined : keys);
}

/** Something that is kept in this browser; `undefined` when there is none, or nothing may be kept. */
export function read<T extends object>(storage: Storage | undefined, name: string): T | undefined {
  try {
    return JSON.parse(storage?.getItem(name) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}

/** Keeps something in this browser, if it may be kept; `undefined` removes it. */
export function write(storage: Storage | undefined, name: string, value: object | undefined): void {
  try {
    if (value === undefined) storage?.removeItem(name);
    else storage?.setItem(name, JSON.stringify(value));
  } catch {
    // Full, or refused: the page works without.
  }
}

export const localStorageOf = (): Storage | undefined => storageOf(() => localStorage);
export const sessionStorageOf = (): Storage | undefined => storageOf(() => sessionStorage);

function storageOf(get: () => Storage): Storage | undefined {
  try {
    return get();
  } catch {
    return undefined;
  }
}
