// For Cloudflare Workers, where nothing is kept unless the program says where: edgemem's own Worker keeps it.
import { initSync } from "../../wasm/edgemem.js";
// @ts-expect-error The runtime makes a module of it.
import module from "../../wasm/edgemem_bg.wasm";
import { setPlatform } from "../platform.js";
import { inMemory } from "../storage/memory.js";

setPlatform({
  async load() {
    initSync({ module });
  },
  async table() {
    // @ts-expect-error The runtime makes bytes of it.
    const { default: table } = (await import("../../wasm/builtin.bin")) as { default: ArrayBuffer };
    return new Uint8Array(table);
  },
  store: inMemory,
});

export * from "../index.js";
