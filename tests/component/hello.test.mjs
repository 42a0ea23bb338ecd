// The first steps of docs/component.md, as they are printed there, and as the example that they name.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { inFile } from "../../examples/component/node/storage.mjs";
import { builtin, component, root } from "./harness.mjs";

/** What a program in Node prints. */
function run(cwd, words, input) {
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd, input, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout;
}

test("the first code of the guide stores a memory and recalls it, in under ten lines", () => {
  const [, code] = /```js\n(.*?)```/s.exec(readFileSync(join(root, "docs/component.md"), "utf8"));
  assert.ok(code.split("\n").filter((line) => line && !line.startsWith("import")).length < 10);
  const folder = mkdtempSync(join(tmpdir(), "edgemem-"));
  for (const name of ["crates", "examples", "models"]) symlinkSync(join(root, name), join(folder, name));
  assert.match(run(folder, ["--input-type=module"], code), /I am allergic to peanuts\./);
});

test("what the example stored is there for the next program, and once however often it runs", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "edgemem-")), "memories");
  const example = [join(root, "examples/component/node/hello.mjs"), file];
  const printed = run(root, example);
  assert.match(printed, /^0\.\d\d I am allergic to peanuts\.\n$/);
  assert.equal(run(root, example), printed);
  const memory = await component({ storage: inFile(file) });
  const space = await memory.Space.open({ userId: "alice" }, { embedder: builtin });
  const hits = await space.recall("What am I allergic to?", 3);
  assert.deepEqual(hits.map(({ memory }) => memory.text), ["I am allergic to peanuts."]);
});
