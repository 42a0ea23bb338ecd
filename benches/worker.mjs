// The Worker in workerd, timed from outside over loopback with keep-alive, from the first byte that is sent to the last
// that comes back. The kinds of requests take turns, so that what else the machine does meets all of them.
//
//   node benches/worker.mjs --texts FILE --counts 1000,10000 [--vectors FILE.f32 --dimension D]
//
// FILE holds a sentence a line; each becomes a verbatim memory of one user. With `--vectors`, the vector of each line, the
// memories have these instead of the builtin embedder's: a server here hands them out, as an embedding model would.
// `cargo xtask bench --worker` calls this.

import { readFileSync } from "node:fs";
import { Agent, createServer, request } from "node:http";
import { parseArgs } from "node:util";
import { serve } from "../tests/worker/harness.mjs";

const { values: options } = parseArgs({
  options: {
    texts: { type: "string" },
    counts: { type: "string" },
    vectors: { type: "string" },
    dimension: { type: "string", default: "0" },
  },
});
const key = "key-of-the-benchmark-1";
const user_id = "bench";
const ROUNDS = 200;
const WARM = 20;
const TURN = 10;
const BATCH = 250;
const texts = readFileSync(options.texts, "utf8").split("\n").filter(Boolean);
const embedder = options.vectors && (await embeddings(readFileSync(options.vectors), Number(options.dimension)));
const server = await serve({ direct: true, vars: { EDGEMEM_API_KEYS: key, EDGEMEM_SPACE_MEGABYTES: "110", ...embedder?.vars } });

/** Serves `[texts × dimension]` vectors (f32) of the texts; a text that is none of them gets any of these. */
async function embeddings(vectors, dimension) {
  const places = new Map(texts.map((text, place) => [text, place]));
  const vector = (text) => {
    const place = places.get(text) ?? text.length % texts.length;
    return vectors.subarray(place * dimension * 4, (place + 1) * dimension * 4);
  };
  const listening = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { input, encoding_format } = JSON.parse(body);
    const data = [input].flat().map((text, index) => {
      const bytes = vector(text);
      const floats = () => [...new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))];
      return { object: "embedding", index, embedding: encoding_format === "base64" ? bytes.toString("base64") : floats() };
    });
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ object: "list", model: "given", data }));
  });
  await new Promise((ready) => listening.listen(0, "127.0.0.1", ready));
  const vars = {
    EDGEMEM_EMBEDDER_PROVIDER: "openai",
    EDGEMEM_EMBEDDER_BASE_URL: `http://127.0.0.1:${listening.address().port}/v1`,
    EDGEMEM_EMBEDDER_API_KEY: "key-of-nobody",
    EDGEMEM_EMBEDDER_MODEL: "given",
  };
  return { vars, stop: () => listening.close() };
}

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

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** How long a request takes, in milliseconds. What a client makes of the answer is its own affair. */
function timed([method, path, body]) {
  const text = body && JSON.stringify(body);
  const headers = { "content-type": "application/json", authorization: `Token ${key}` };
  if (text) headers["content-length"] = Buffer.byteLength(text);
  const start = performance.now();
  return new Promise((done, fail) => {
    const sent = request(server.url + path, { agent, method, headers }, (answer) => {
      answer.resume().on("end", () => {
        const took = performance.now() - start;
        if (answer.statusCode < 300) done(took);
        else fail(new Error(`${method} ${path}: ${answer.statusCode}`));
      });
    });
    sent.on("error", fail).end(text);
  });
}

const middle = (times) => times.sort((a, b) => a - b)[times.length >> 1];

/** The medians of requests that take turns, some of each at a time. */
async function medians(rounds, asked) {
  const times = asked.map(() => []);
  for (let round = 0; round < WARM; round++) for (const ask of asked) await timed(ask(rounds + round));
  for (let round = 0; round < rounds; round += TURN) {
    for (const [at, ask] of asked.entries()) {
      for (let more = 0; more < TURN; more++) times[at].push(await timed(ask(round + more)));
    }
  }
  return times.map(middle);
}

const add = (lines, more = {}) => [
  "POST",
  "/v3/memories/add/",
  {
    user_id,
    infer: false,
    async_mode: false,
    messages: lines.map((content) => ({ role: "user", content })),
    ...more,
  },
];
const query = (round) => texts.at(-1 - (round % 500));
const search = (round) => ["POST", "/v3/memories/search/", { query: query(round), filters: { user_id } }];
const filtered = (round) => [
  "POST",
  "/v3/memories/search/",
  { query: query(round + 250), filters: { AND: [{ user_id }, { metadata: { tenth: 3 } }] } },
];

console.log("| memories | ping, ms | get by id | search, ms | search with a filter | add one | first search after eviction | memory of the indexes, MB | of the module | … after 3 evictions |");
console.log("|---|---|---|---|---|---|---|---|---|---|");
let stored = 0;
for (const count of options.counts.split(",").map(Number)) {
  if (count > texts.length - 1_000) {
    console.log(`${count} memories: there are only ${texts.length} texts`);
    break;
  }
  while (stored < count) {
    const lines = texts.slice(stored, Math.min(stored + BATCH, count));
    await call(...add(lines, { metadata: { tenth: Math.floor(stored / BATCH) % 10 } }));
    stored += lines.length;
    if (process.stderr.isTTY) process.stderr.write(`\r${stored} stored `);
  }
  if (process.stderr.isTTY) process.stderr.write("\r                    \r");
  const [{ id }] = (await call(...search(0))).results;
  const times = await medians(ROUNDS, [
    // The gateway alone: no Durable Object is asked.
    () => ["GET", "/v1/ping/"],
    () => ["GET", `/v1/memories/${id}/`],
    search,
    filtered,
  ]);
  const note = (round) => add([`Note ${round} of ${count}: ${query(round)} ${performance.now()}`]);
  const [added] = await medians(30, [note]);
  const stats = await call("GET", `/v1/stats/?user_id=${user_id}`);
  const evicted = [];
  for (let round = 0; round < 3; round++) {
    await server.evict();
    evicted.push(await timed(search(round)));
  }
  const shown = [...times, added, middle(evicted)].map((ms) => ms.toFixed(2));
  const { module_bytes } = await call("GET", `/v1/stats/?user_id=${user_id}`);
  const megabytes = [stats.memory_bytes, stats.module_bytes, module_bytes].map((bytes) => (bytes / 1e6).toFixed(1));
  console.log(`| ${count} | ${[...shown, ...megabytes].join(" | ")} |`);
}
agent.destroy();
await server.stop();
embedder?.stop();
