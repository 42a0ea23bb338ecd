// For Node.
import { readFile } from "node:fs/promises";
import init from "../../wasm/edgemem.js";
import { setPlatform } from "../platform.js";
import { inFiles } from "../storage/sqlite.js";

const file = (name: string): URL => new URL(`../../wasm/${name}`, import.meta.url);

setPlatform({
  async load() {
    await init({ module_or_path: await readFile(file("edgemem_bg.wasm")) });
  },
  table: () => readFile(file("builtin.bin")),
  store: (name) => inFiles(".edgemem", name),
  files: inFiles,
});

export * from "../index.js";
