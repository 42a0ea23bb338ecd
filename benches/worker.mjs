// The Worker in workerd, timed from outside over loopback with keep-alive.
//
//   node benches/worker.mjs --texts FILE --counts 1000,10000
//
// FILE holds a sentence a line; each becomes a verbatim memory of one user. `cargo xtask bench --worker` calls this.

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { serve } from "../tests/worker/harness.mjs";

const { values: options } = parseArgs({ options: { texts: { type: "string" }, counts: { type: "string" } } });
const key = "key-of-the-benchmark-1";
const user_id = "bench";
const ROUNDS = 200;
const BATCH = 250;
const texts = readFileSync(options.texts, "utf8").split("\n").filter(Boolean);
const server = await serve({ vars: { EDGEMEM_API_KEYS: key, EDGEMEM_SPACE_MEGABYTES: "110" } });

async function call(method, path, body) {
  const answer = await fetch(server.url + path, {
    method,
    headers: { "content-type": "application/json", authorization: `Token ${key}` },
    body: body && JSON.stringify(body),
  });
  const json = await answer.json();
  if (!answer.ok) throw new Error(`${method} ${path}: ${JSON.stringify(json)}`);
  return json;
}

async function timed(action) {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

async function median(rounds, action) {
  for (let round = 0; round < 10; round++) await action(round);
  const times = [];
  for (let round = 0; round < rounds; round++) times.push(await timed(() => action(round)));
  return times.sort((a, b) => a - b)[rounds >> 1];
}

const add = (lines, more = {}) =>
  call("POST", "/v3/memories/add/", {
    user_id,
    infer: false,
    async_mode: false,
    messages: lines.map((content) => ({ role: "user", content })),
    ...more,
  });
const query = (round) => texts.at(-1 - (round % 500));
const search = (round) => call("POST", "/v3/memories/search/", { query: query(round), filters: { user_id } });

console.log("| memories | get by id, ms | search, ms | search with a filter | add one | first search after eviction | memory of the indexes, MB | of the module | … after 3 evictions |");
console.log("|---|---|---|---|---|---|---|---|---|");
let stored = 0;
for (const count of options.counts.split(",").map(Number)) {
  if (count > texts.length - 1_000) {
    console.log(`${count} memories: there are only ${texts.length} texts`);
    break;
  }
  while (stored < count) {
    const lines = texts.slice(stored, Math.min(stored + BATCH, count));
    await add(lines, { metadata: { tenth: Math.floor(stored / BATCH) % 10 } });
    stored += lines.length;
    if (process.stderr.isTTY) process.stderr.write(`\r${stored} stored `);
  }
  if (process.stderr.isTTY) process.stderr.write("\r                    \r");
  const [{ id }] = (await search(0)).results;
  const get = await median(ROUNDS, () => call("GET", `/v1/memories/${id}/`));
  const found = await median(ROUNDS, search);
  const filtered = await median(ROUNDS, (round) =>
    call("POST", "/v3/memories/search/", {
      query: query(round),
      filters: { AND: [{ user_id }, { metadata: { tenth: 3 } }] },
    }),
  );
  const added = await median(30, (round) => add([`Note ${round} of ${count}: ${query(round)} ${performance.now()}`]));
  const stats = await call("GET", `/v1/stats/?user_id=${user_id}`);
  const evicted = [];
  for (let round = 0; round < 3; round++) {
    await server.evict();
    evicted.push(await timed(() => search(round)));
  }
  const cold = evicted.sort((a, b) => a - b)[1];
  const shown = [get, found, filtered, added, cold].map((ms) => ms.toFixed(2));
  const { module_bytes } = await call("GET", `/v1/stats/?user_id=${user_id}`);
  const megabytes = [stats.memory_bytes, stats.module_bytes, module_bytes].map((bytes) => (bytes / 1e6).toFixed(1));
  console.log(`| ${count} | ${[...shown, ...megabytes].join(" | ")} |`);
}
await server.stop();
