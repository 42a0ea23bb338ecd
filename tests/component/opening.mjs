// What a host pays that makes an instance of the service for every request: `node tests/component/opening.mjs 1000 10000`, after
// `cargo xtask test component`. For so many memories it prints a search and an add by new instances, in a SQLite file.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const folder = mkdtempSync(join(tmpdir(), "edgemem-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
process.env.KEYVALUE_FILE = join(folder, "memories.db");
process.env.EDGEMEM_API_KEYS = "a-key-for-the-tests";

const example = join(root, "examples/component/service/serve.mjs");
const { resolve } = createRequire(example);
const { HTTPServer } = await import(resolve("@bytecodealliance/preview2-shim/http"));
const { WASIShim } = await import(resolve("@bytecodealliance/preview2-shim/instantiation"));
const { atomics, batch, store } = await import(join(dirname(example), "keyvalue.mjs"));
const build = join(root, "crates/service/build/node");
const { instantiate } = await import(join(build, "service.js"));

const modules = new Map();
const module = (file) => {
  if (!modules.has(file)) modules.set(file, new WebAssembly.Module(readFileSync(join(build, file))));
  return modules.get(file);
};
let read = 0;
const counted = {
  ...batch,
  getMany: (...words) => {
    const found = batch.getMany(...words);
    for (const pair of found) read += pair?.[1].length ?? 0;
    return found;
  },
};
const instance = () =>
  instantiate(module, {
    ...new WASIShim().getImportObject(),
    "wasi:keyvalue/store": store,
    "wasi:keyvalue/atomics": atomics,
    "wasi:keyvalue/batch": counted,
  }).incomingHandler;

let kept = instance();
let last;
const server = new HTTPServer({
  handle(request, answer) {
    read = 0;
    const [begun, cpu] = [performance.now(), process.cpuUsage()];
    (kept ?? instance()).handle(request, answer);
    const { user, system } = process.cpuUsage(cpu);
    last = { milliseconds: performance.now() - begun, processor: (user + system) / 1000, megabytes: read / 1e6 };
  },
});
server.listen(0, "127.0.0.1");
const url = `http://127.0.0.1:${server.address().port}`;
const post = async (path, body) => {
  const headers = { authorization: "Token a-key-for-the-tests", "content-type": "application/json" };
  const answer = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(await answer.text());
  await answer.text();
  // What it does after its answer is paid as well.
  await new Promise((done) => setTimeout(done, 50));
};

const things = ["bees", "a red bicycle", "old maps", "a sailing boat", "three cats", "a bakery", "orchids"];
const said = (number) =>
  `Neighbour number ${number} keeps ${things[number % 7]} since ${1950 + (number % 70)} and talks about it every ${(number % 31) + 1} days.`;

for (const size of [0, ...process.argv.slice(2).map(Number)]) {
  const user_id = `${size} memories`;
  kept = instance();
  for (let from = 0; from < size; from += 100) {
    const messages = Array.from({ length: 100 }, (_, index) => ({ role: "user", content: said(from + index) }));
    await post("/v3/memories/add/", { user_id, infer: false, messages });
  }
  kept = undefined;
  const search = () => post("/v3/memories/search/", { query: "Who keeps bees?", filters: { user_id } });
  const add = () => post("/v3/memories/add/", { user_id, infer: false, messages: [{ role: "user", content: "One more." }] });
  for (const [what, work] of [["search", search], ["add", add]]) {
    const seen = [];
    for (let round = 0; round < 9; round++) {
      await work();
      seen.push(last);
    }
    const middle = (field) => seen.map((one) => one[field]).sort((a, b) => a - b)[4].toFixed(1);
    console.log(`${user_id}: ${what} ${middle("milliseconds")} ms (${middle("processor")} of the processor), ${middle("megabytes")} MB read`);
  }
}
process.exit(0);
