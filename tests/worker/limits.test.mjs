// How often clients may ask, in workerd.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { serve } from "./harness.mjs";

const key = "0123456789abcdef-a";
const other = "0123456789abcdef-b";
const servers = [];
after(() => Promise.all(servers.map((server) => server.stop())));

async function served(options) {
  const server = await serve(options);
  servers.push(server);
  return async (path, body, by = key) => {
    const answer = await fetch(server.url + path, {
      method: "POST",
      headers: { authorization: `Token ${by}`, "content-type": "application/json", "mcp-protocol-version": "2025-11-25" },
      body: JSON.stringify(body),
    });
    const header = (name) => answer.headers.get(name);
    return { status: answer.status, json: await answer.json(), header };
  };
}

/** Waits for the next minute when this one has fewer seconds left. */
async function early(seconds) {
  const left = 60_000 - (Date.now() % 60_000);
  if (left < seconds * 1_000) await new Promise((done) => setTimeout(done, left + 100));
}

test("a user's memory is asked so often a minute, and the client is told", async () => {
  const call = await served({
    vars: { EDGEMEM_API_KEYS: `${key},b:${other}`, EDGEMEM_USER_REQUESTS_PER_MINUTE: "3" },
  });
  const search = (user_id, by) => call("/v3/memories/search/", { query: "tea", filters: { user_id } }, by);
  await early(20);
  // An add that is waited for is one request.
  const added = await call("/v3/memories/add/", { messages: "I like tea", user_id: "ann", infer: false, async_mode: false });
  assert.deepEqual([added.status, added.header("x-ratelimit-limit"), added.header("x-ratelimit-remaining")], [200, "3", "2"]);
  assert.equal(added.header("retry-after"), null);
  for (const remaining of ["1", "0"]) {
    const found = await search("ann");
    assert.deepEqual([found.status, found.header("x-ratelimit-remaining")], [200, remaining]);
  }
  const refused = await search("ann");
  assert.deepEqual([refused.status, refused.json.code], [429, "rate_limited"]);
  assert.equal(refused.json.detail, refused.json.error);
  const wait = Number(refused.header("retry-after"));
  assert.ok(wait > 0 && wait <= 60, `${wait}`);
  const reset = Number(refused.header("x-ratelimit-reset")) - Date.now() / 1_000;
  assert.ok(Math.abs(reset - wait) < 3, `${reset} ${wait}`);
  assert.match(refused.header("access-control-expose-headers"), /X-RateLimit-Reset/);
  const params = { name: "search_memories", arguments: { query: "tea", user_id: "ann" } };
  const told = await call("/mcp", { jsonrpc: "2.0", id: 1, method: "tools/call", params });
  assert.match(told.json.result.content[0].text, /\(rate_limited\)/);
  // Another user, and the same name in another project, are others.
  assert.equal((await search("bob")).status, 200);
  assert.equal((await search("ann", other)).status, 200);
});

test("without a limit nothing is said of one; a wrong one is named", async () => {
  const call = await served({ vars: { EDGEMEM_API_KEYS: key } });
  const found = await call("/v3/memories/search/", { query: "tea", filters: { user_id: "ann" } });
  assert.deepEqual([found.status, found.header("x-ratelimit-limit")], [200, null]);
  const wrong = await served({ vars: { EDGEMEM_API_KEYS: key, EDGEMEM_USER_REQUESTS_PER_MINUTE: "lots" } });
  const refused = await wrong("/v3/memories/search/", { query: "tea", filters: { user_id: "ann" } });
  assert.equal(refused.status, 500);
  assert.match(refused.json.error, /EDGEMEM_USER_REQUESTS_PER_MINUTE/);
  const health = await (await fetch(`${servers.at(-1).url}/health`)).json();
  assert.equal(health.status, "degraded");
  assert.match(health.problems[0], /EDGEMEM_USER_REQUESTS_PER_MINUTE/);
});

test("a key asks so often, where the host counts, whomever it asks about", async () => {
  const call = await served({
    vars: { EDGEMEM_API_KEYS: `${key},b:${other}` },
    ratelimits: { KEY_LIMITER: { namespace_id: "1001", simple: { limit: 3, period: 60 } } },
  });
  await early(20);
  const statuses = [];
  for (const user_id of ["a", "b", "c", "d", "*"]) {
    const { status, json, header } = await call("/v3/memories/search/", { query: "tea", filters: { user_id } });
    statuses.push(status);
    if (status === 429) assert.deepEqual([json.code, header("retry-after")], ["rate_limited", "60"]);
  }
  assert.deepEqual(statuses, [200, 200, 200, 429, 429]);
  assert.equal((await call("/v3/memories/search/", { query: "tea", filters: { user_id: "a" } }, other)).status, 200);
});
