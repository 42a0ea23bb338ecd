// The service under a WASI HTTP host, Node by jco, with the store and the server of the examples. Replies are REPLAYED.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { modelServer } from "../model-server/start.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const KEY = "a-key-for-the-tests";
const SPARE = "another-key-for-the-tests";
const HIKING = "I love hiking in the Alps.";
const FACT = "User loves hiking in the Alps";

const folder = mkdtempSync(join(tmpdir(), "edgemem-"));
const started = new Set();
let models;
let service;

/** Starts the example's server on a file. */
async function serve(file = "memories.db", variables = {}) {
  const child = spawn(process.execPath, [join(root, "examples/component/service/serve.mjs")], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      PORT: "0",
      KEYVALUE_FILE: join(folder, file),
      EDGEMEM_API_KEYS: `${KEY},spare:${SPARE}`,
      EDGEMEM_LLM_BASE_URL: `${models.url}/v1`,
      EDGEMEM_LLM_MODEL: "replayed",
      EDGEMEM_FETCH_ORIGINS: models.url,
      ...variables,
    },
  });
  started.add(child);
  const url = await new Promise((done, fail) => {
    child.once("error", fail);
    child.once("exit", (code) => fail(new Error(`the server ended with ${code}`)));
    createInterface(child.stdout).on("line", (line) => {
      const found = /listening on (\S+)/.exec(line);
      if (found) done(found[1]);
    });
  });
  const call = async (method, path, body, key = KEY) => {
    const headers = { authorization: `Token ${key}`, "content-type": "application/json" };
    const answer = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) });
    return { status: answer.status, body: await answer.json() };
  };
  const add = (user_id, content, more = { infer: false }) =>
    call("POST", "/v3/memories/add/", { user_id, messages: [{ role: "user", content }], ...more });
  const texts = async (user_id) => {
    const filters = { user_id };
    const { status, body } = await call("POST", "/v3/memories/", { filters, page_size: 1000 });
    assert.equal(status, 200, JSON.stringify(body));
    return body.results.map(({ memory }) => memory);
  };
  // Not even the store's file is closed.
  const kill = () => new Promise((done) => child.once("exit", done).kill("SIGKILL"));
  return { url, call, add, texts, kill };
}

before(async () => {
  models = await modelServer("tests/cassettes");
  service = await serve();
});
after(() => {
  models?.stop();
  for (const child of started) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

test("mem0's TypeScript clients, unmodified, through every method", async () => {
  const child = spawn(process.execPath, ["--test", "--test-reporter=spec"], {
    cwd: join(root, "tests/clients/typescript"),
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      NODE_TEST_CONTEXT: undefined,
      EDGEMEM_URL: service.url,
      EDGEMEM_API_KEY: KEY,
      EDGEMEM_SPARE_API_KEY: SPARE,
      EDGEMEM_FILES_URL: `${models.url}/files`,
    },
  });
  let said = "";
  child.stdout.on("data", (text) => (said += text));
  const code = await new Promise((done) => child.once("close", done));
  assert.equal(code, 0, said);
  assert.match(said, /ℹ pass [1-9]/);
});

test("MCP, in both of its revisions", async () => {
  const ask = async (method, params, headers = {}) => {
    const answer = await fetch(`${service.url}/mcp`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${KEY}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...headers,
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    });
    const { result, error } = await answer.json();
    assert.ok(result, JSON.stringify(error));
    return result;
  };
  const protocolVersion = "2025-11-25";
  const clientInfo = { name: "tests", version: "1" };
  const greeting = await ask("initialize", { protocolVersion, capabilities: {}, clientInfo });
  assert.equal(greeting.protocolVersion, protocolVersion);
  assert.equal(greeting.serverInfo.name, "edgemem");
  const bound = { "mcp-protocol-version": protocolVersion, "x-edgemem-user": "agent" };
  const { tools } = await ask("tools/list", {}, bound);
  assert.ok(tools.some(({ name }) => name === "add_memory"));
  const use = (name, args) => ask("tools/call", { name, arguments: args }, bound);
  const added = await use("add_memory", { text: "I keep bees.", infer: false });
  assert.ok(!added.isError, JSON.stringify(added));
  const found = await use("search_memories", { query: "bees" });
  assert.match(JSON.stringify(found.structuredContent), /I keep bees/);

  const version = "2026-07-28";
  const modern = await ask(
    "server/discover",
    {
      _meta: {
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientCapabilities": {},
      },
    },
    { "mcp-protocol-version": version, "mcp-method": "server/discover" },
  );
  assert.ok(modern.supportedVersions.includes(version));
});

test("what is remembered at one time by several instances is all remembered", async () => {
  const said = Array.from({ length: 24 }, (_, number) => `Note number ${number}.`);
  const answers = await Promise.all(said.map((content) => service.add("busy", content)));
  const kept = said.filter((_, number) => answers[number].status === 200);
  for (const { status, body } of answers) {
    assert.ok(status === 200 || body.code === "storage_busy", JSON.stringify(body));
  }
  assert.deepEqual((await service.texts("busy")).sort(), kept.sort());
  assert.ok(kept.length >= said.length / 2, `${kept.length} of ${said.length}`);
});

test("what was acknowledged is there after a kill", async () => {
  for (let round = 0; round < 3; round++) {
    const server = await serve("killed.db");
    const known = await server.texts("killed");
    const kept = [];
    let over = false;
    const adding = [0, 1].map(async (who) => {
      for (let number = 0; !over; number++) {
        const content = `Note ${number} of ${who} in round ${round}.`;
        const { status } = await server.add("killed", content).catch(() => ({}));
        if (status === 200) kept.push(content);
      }
    });
    await sleep(700);
    // A busy machine has acknowledged nothing by then.
    for (let waited = 0; kept.length === 0 && waited < 30_000; waited += 100) await sleep(100);
    await server.kill();
    over = true;
    await Promise.all(adding);
    assert.ok(kept.length > 0);
    const again = await serve("killed.db");
    const found = new Set(await again.texts("killed"));
    for (const content of [...known, ...kept]) assert.ok(found.has(content), content);
    await again.kill();
  }
});

test("an add is done after its answer, and after a failure when another request comes", async () => {
  await models.fail({ task: "extract", kind: "500", times: 50 });
  const { status, body } = await service.add("hiker", HIKING, {});
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.status, "PENDING");
  const event = async () => (await service.call("GET", `/v1/event/${body.event_id}/`)).body;
  while (!(await event()).error) await sleep(200);
  await models.reset();
  // The next try is due two seconds after the first. Whoever asks, what is due is done.
  for (let tries = 0; tries < 20; tries++) {
    await sleep(200);
    await service.texts("somebody else");
  }
  assert.deepEqual(await service.texts("hiker"), [FACT]);
});

test("what is wrong with the configuration is said, and nothing is served by halves", async () => {
  const server = await serve("wrong.db", { EDGEMEM_SPACE_MEGABYTES: "lots" });
  const health = await server.call("GET", "/health");
  assert.match(health.body.problems.join(), /EDGEMEM_SPACE_MEGABYTES/);
  const { status, body } = await server.add("a", "b");
  assert.equal(status, 500);
  assert.equal(body.code, "bad_configuration");
  const stranger = await server.call("POST", "/v3/memories/", { filters: { user_id: "a" } }, "nobody's");
  assert.equal(stranger.status, 401);
  await server.kill();
});

test("keys with roles, made by one instance, are known to all", async () => {
  const made = await service.call("POST", "/v1/keys/", { name: "Reader", role: "read" });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const { key } = made.body;
  const list = () => service.call("POST", "/v3/memories/", { filters: { user_id: "reader" } }, key);
  for (const { status } of await Promise.all([list(), list(), list(), list()])) assert.equal(status, 200);
  const messages = [{ role: "user", content: "I may not say this." }];
  const refused = await service.call("POST", "/v3/memories/add/", { user_id: "reader", messages }, key);
  assert.deepEqual([refused.status, refused.body.code], [403, "role_required"]);
  const wrong = await service.call("POST", "/v3/memories/", { filters: { user_id: "reader" } }, `${key}x`);
  assert.equal(wrong.status, 401);
});
