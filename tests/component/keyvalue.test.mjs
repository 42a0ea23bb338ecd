// The service's storage passes the core's suite on the key-value store of the examples, in a SQLite file.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
process.env.KEYVALUE_FILE = join(mkdtempSync(join(tmpdir(), "edgemem-")), "pairs.db");
const { atomics, batch, store } = await import("../../examples/component/service/keyvalue.mjs");
// The packages of the example.
const { resolve } = createRequire(join(root, "examples/component/service/serve.mjs"));
const { WASIShim } = await import(resolve("@bytecodealliance/preview2-shim/instantiation"));
const build = join(root, "tests/component/keyvalue/build/node");
const { instantiate } = await import(join(build, "keyvalue.js"));

test("the suite on a key-value store", () => {
  const module = (file) => new WebAssembly.Module(readFileSync(join(build, file)));
  const suite = instantiate(module, {
    ...new WASIShim().getImportObject(),
    "wasi:keyvalue/store": store,
    "wasi:keyvalue/atomics": atomics,
    "wasi:keyvalue/batch": batch,
  });
  assert.equal(suite.conformance("a"), "15 cases passed");
  const { keys } = store.open("default").listKeys();
  assert.ok(keys.length <= 5, keys.join());
});
