// For pages, and for workers of pages. Bundlers take the two files along as assets; the table is fetched only when used.
import init from "../../wasm/edgemem.js";
import { errorOf } from "../errors.js";
import { setPlatform } from "../platform.js";
import { inIndexedDb } from "../storage/indexeddb.js";

setPlatform({
  async load() {
    await init({ module_or_path: new URL("../../wasm/edgemem_bg.wasm", import.meta.url) });
  },
  async table() {
    const url = new URL("../../wasm/builtin.bin", import.meta.url);
    const answer = await fetch(url);
    if (answer.ok) return new Uint8Array(await answer.arrayBuffer());
    const message = `the builtin embedder's table cannot be loaded from ${url} (HTTP ${answer.status})`;
    throw errorOf({ code: "table_unavailable", status: 503, message });
  },
  store: inIndexedDb,
});

export * from "../index.js";
