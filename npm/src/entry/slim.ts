// For programs that bring the two files themselves: call `init` before a memory is opened.
import load from "../../wasm/edgemem.js";
import { errorOf } from "../errors.js";
import { setPlatform } from "../platform.js";
import { inIndexedDb } from "../storage/indexeddb.js";
import { inMemory } from "../storage/memory.js";

type Source = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

/** Where the two files are. */
export interface Files {
  /** `edgemem/edgemem_bg.wasm`: its URL, a response, its bytes or the compiled module. */
  wasm: Source | Promise<Source>;
  /** `edgemem/builtin.bin`: its bytes, or how to get them. Only the builtin embedder needs it. */
  table?: Uint8Array | (() => Promise<Uint8Array>);
}

/** Makes the module ready. */
export async function init({ wasm, table }: Files): Promise<void> {
  await load({ module_or_path: wasm });
  setPlatform({
    load: async () => {},
    async table() {
      if (typeof table === "function") return table();
      if (table) return table;
      const message = "give the builtin embedder's table to init(), or another embedder";
      throw errorOf({ code: "table_unavailable", status: 400, message });
    },
    store: (name) => (typeof indexedDB === "undefined" ? inMemory() : inIndexedDb(name)),
  });
}

export * from "../index.js";
