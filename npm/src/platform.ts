// What differs between browsers, Node and workerd. The entry that is loaded says it.
import { errorOf } from "./errors.js";
import type { Store } from "./storage/store.js";

/** Where a program runs. */
export interface Platform {
  /** Makes the WebAssembly module ready. */
  load(): Promise<void>;
  /** The builtin embedder's table. */
  table(): Promise<Uint8Array>;
  /** Where memories are kept unless told otherwise. */
  store(name: string): Store;
  /** Where they are kept when a folder is given. */
  files?(directory: string, name: string): Store;
}

let platform: Platform | undefined;

/** Says where the program runs. */
export function setPlatform(chosen: Platform): void {
  platform = chosen;
}

/** Where the program runs. */
export function currentPlatform(): Platform {
  if (platform) return platform;
  const message = "call init() of edgemem/slim before a memory is opened";
  throw errorOf({ code: "not_initialised", status: 500, message });
}
