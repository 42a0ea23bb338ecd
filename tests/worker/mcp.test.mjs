// Agents by MCP, and the published description of the API, in workerd. Real clients are in tests/clients/mcp.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { serve } from "./harness.mjs";

const key = "0123456789abcdef-a";
let server;

before(async () => {
  server = await serve({ vars: { EDGEMEM_API_KEYS: key } });
});
after(() => server?.stop());

async function post(method, params = {}, headers = {}) {
  const answer = await fetch(`${server.url}/mcp`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  return { status: answer.status, headers: answer.headers, json: await answer.json() };
}

/** A call in the stateless revision, bound to a user. */
function call(user, name, args) {
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  return post("tools/call", { name, arguments: args, _meta }, {
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "tools/call",
    "mcp-name": name,
    "x-edgemem-user": user,
  });
}

test("what an agent remembers it finds again, and nobody else does", async () => {
  const added = await call("ada", "add_memory", { text: "Ada plays the cello.", infer: false });
  assert.equal(added.status, 200);
  assert.match(added.headers.get("content-type"), /^application\/json/);
  assert.equal(added.json.result.resultType, "complete");
  const [{ id }] = added.json.result.structuredContent.results;
  const found = await call("ada", "search_memories", { query: "cello" });
  assert.deepEqual(found.json.result.structuredContent.results.map((hit) => hit.id), [id]);
  assert.deepEqual((await call("bob", "search_memories", { query: "cello" })).json.result.structuredContent.results, []);
  for (const [name, args] of [
    ["get_memory", { memory_id: id }],
    ["delete_memory", { memory_id: id }],
    ["delete_all_memories", { user_id: "ada" }],
  ]) {
    const { result } = (await call("bob", name, args)).json;
    assert.equal(result.isError, true, name);
    assert.match(result.content[0].text, /bound_to_another_user/);
  }
  assert.equal((await call("ada", "get_memory", { memory_id: id })).json.result.structuredContent.memory, "Ada plays the cello.");
});

test("an answer that an object writes is in the envelope, also of what is not there", async () => {
  const { json } = await call("nobody", "graph_path", { from: "a", to: "b" });
  assert.equal(json.result.isError, true);
  assert.match(json.result.content[0].text, /entity_not_found/);
});

test("there is nothing to listen to, and no session to end", async () => {
  for (const method of ["GET", "DELETE"]) {
    const answer = await fetch(`${server.url}/mcp`, { method, headers: { authorization: `Bearer ${key}` } });
    assert.equal(answer.status, 405);
    assert.equal(answer.headers.get("allow"), "POST");
    await answer.text();
  }
});

test("strangers are told how to come in, and pages from elsewhere are not heard", async () => {
  const stranger = await post("tools/list", {}, { authorization: "Bearer wrong" });
  assert.equal(stranger.status, 401);
  assert.match(stranger.headers.get("www-authenticate"), /^Bearer/);
  assert.equal((await post("ping", {}, { origin: "https://evil.example" })).status, 403);
  assert.equal((await post("ping", {}, { origin: server.url })).status, 200);
});

test("the API's description and its page are open to all", async () => {
  const answer = await fetch(`${server.url}/openapi.json`);
  assert.equal(answer.status, 200);
  assert.equal((await answer.json()).openapi, "3.1.0");
  const page = await fetch(`${server.url}/docs`);
  assert.equal(page.status, 200);
  assert.match(page.headers.get("content-type"), /^text\/html/);
  assert.match(await page.text(), /The API of edgemem/);
  const table = await fetch(`${server.url}/models/builtin.bin`);
  assert.equal(table.status, 404, "what is meant for the Worker alone is not served");
  await table.text();
});
