// For pages, and for workers of pages. Bundlers take the two files along as assets; the table is fetched only when used.
import init from "../../wasm/edgemem.js";
import { errorOf } from "../errors.js";
import { setPlatform } from "../platform.js";
import { inIndexedDb } from "../storage/indexeddb.js";

setPlatform({
  async load() {
    const url = new URL("../../wasm/edgemem_bg.wasm", import.meta.url);
    await init({ module_or_path: await fetched("engine", url) });
  },
  async table() {
    const answer = await fetched("table", new URL("../../wasm/builtin.bin", import.meta.url));
    // Quicker by way of a blob: its bytes are put in place once, when all are there, and not as they come.
    return new Uint8Array(await (await answer.blob()).arrayBuffer());
  },
  store: inIndexedDb,
});

/** A file beside the package. For one that is not there some servers answer with a page. */
async function fetched(what: "engine" | "table", url: URL): Promise<Response> {
  const answer = await fetch(url);
  const isPage = answer.headers.get("content-type")?.startsWith("text/html");
  if (answer.ok && !isPage) return answer;
  const found = isPage ? "there is a page instead" : `HTTP ${answer.status}`;
  const advice = 'in development with Vite before 8, set optimizeDeps: { exclude: ["edgemem"] }; to place the file yourself, use edgemem/slim';
  throw errorOf({ code: `${what}_unavailable`, status: 503, message: `edgemem's ${what} cannot be loaded from ${url} (${found}): ${advice}` });
}

export * from "../index.js";
