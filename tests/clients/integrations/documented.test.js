// Runs the JavaScript programs of docs/integrations.md and compares what they print with what the page says.
import { strictEqual } from "node:assert";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const page = readFileSync(new URL("../../../docs/integrations.md", import.meta.url), "utf8");
const EXAMPLE = /^## ([^\n]+)\n(?:(?!^## )[\s\S])*?^```js\n([\s\S]*?)^```\n+```text\n([\s\S]*?)^```/gm;
const examples = [...page.matchAll(EXAMPLE)];

/** What a program prints. Its packages are those of this folder. */
const printed = (program) =>
  new Promise((resolve, reject) => {
    const options = { cwd: import.meta.dirname, timeout: 120_000 };
    execFile(process.execPath, ["--input-type=module", "--eval", program], options, (error, out, errors) =>
      error ? reject(new Error(`${error.message}\n${errors}`)) : resolve(out),
    );
  });

test("there are two, for the AI SDK and for Mastra", () => strictEqual(examples.length, 2));

for (const [, title, program, expected] of examples) {
  test(title, async () => strictEqual((await printed(program)).trim(), expected.trim()));
}
