// The storage of the examples passes the core's suite, in memory and in a file.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { host } from "../../examples/component/node/host.mjs";
import { inFile } from "../../examples/component/node/storage.mjs";
import { root } from "./harness.mjs";

const { instantiate } = await import(join(root, "tests/component/storage/build/node/storage.js"));
const file = () => join(mkdtempSync(join(tmpdir(), "edgemem-")), "spaces");

for (const [where, path] of [["memory", undefined], ["a file", file()]]) {
  test(`the suite on storage in ${where}`, async () => {
    const storage = inFile(path);
    storage.commit("another", [{ tag: "put", val: { table: "jobs", key: "a", record: Buffer.from("1") } }]);
    const suite = await instantiate(undefined, host({ storage }));
    assert.equal(await suite.conformance("0000000000000001"), "15 cases passed");
    assert.equal(String(storage.get("another", "jobs", "a")), "1");
  });
}

test("a line that a crash cut off is as if it had never been written", () => {
  const path = file();
  const put = (key) => [{ tag: "put", val: { table: "jobs", key, record: Buffer.from(key) } }];
  inFile(path).commit("s", put("a"));
  const { size } = statSync(path);
  inFile(path).commit("s", put("b"));
  writeFileSync(path, readFileSync(path).subarray(0, size + 20));
  const again = inFile(path);
  assert.equal(again.get("s", "jobs", "b"), undefined);
  again.commit("s", put("c"));
  const rows = inFile(path).scan("s", "jobs", { tag: "first" }, 10);
  assert.deepEqual(rows.map(({ key }) => key), ["a", "c"]);
});
