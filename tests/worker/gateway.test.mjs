// The gateway and the objects behind it, over HTTP, without any model but the builtin embedder.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { serve } from "./harness.mjs";

const key = "0123456789abcdef-a";
const other = "0123456789abcdef-b";
let server;

before(async () => {
  server = await serve({ vars: { EDGEMEM_API_KEYS: `${key},b:${other}` } });
});
after(() => server?.stop());

async function call(method, path, body, headers = { authorization: `Token ${key}` }) {
  const answer = await fetch(server.url + path, {
    method,
    headers: { "content-type": "application/json", ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    json = text;
  }
  return { status: answer.status, headers: answer.headers, json };
}

const add = (user_id, content, options = {}, headers) =>
  call(
    "POST",
    "/v3/memories/add/",
    { messages: [{ role: "user", content }], user_id, async_mode: false, ...options },
    headers,
  );
const list = async (user_id, headers) =>
  (await call("POST", "/v3/memories/", { filters: { user_id } }, headers)).json;

test("health tells the version and the models, without a key", async () => {
  const { status, json } = await call("GET", "/health", undefined, {});
  assert.equal(status, 200);
  assert.equal(json.status, "ok");
  assert.equal(json.models.embedder, "builtin");
});

test("a request without a key, or with a wrong one, is refused", async () => {
  for (const headers of [{}, { authorization: "Token wrong" }, { "x-api-key": "wrong" }]) {
    const { status, json } = await call("GET", "/v1/ping/", undefined, headers);
    assert.equal(status, 401);
    assert.match(json.detail, /^Invalid API key/);
  }
});

test("a key is taken as a token, as a bearer and in a header of its own", async () => {
  for (const headers of [
    { authorization: `Token ${key}` },
    { authorization: `Bearer ${key}` },
    { "x-api-key": key },
  ]) {
    const { status, json } = await call("GET", "/v1/ping/", undefined, headers);
    assert.equal(status, 200);
    assert.equal(json.status, "ok");
  }
});

test("a web page may ask, and read the answer", async () => {
  const preflight = await call("OPTIONS", "/v3/memories/search/", undefined, {
    origin: "https://app.example",
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type,mem0-user-id",
  });
  assert.equal(preflight.status, 204);
  assert.match(preflight.headers.get("access-control-allow-headers"), /Mem0-User-ID/i);
  assert.equal(preflight.headers.get("access-control-allow-origin"), "*");
  const { headers } = await call("GET", "/v1/ping/");
  assert.equal(headers.get("access-control-allow-origin"), "*");
});

test("a body over the limit is refused with 413", async () => {
  const { status, json } = await call("POST", "/v3/memories/add/", {
    messages: "x".repeat(11_000_000),
    user_id: "large",
  });
  assert.equal(status, 413);
  assert.equal(json.code, "body_too_large");
});

test("a body that is no JSON gets a sentence that helps", async () => {
  const answer = await fetch(`${server.url}/v3/memories/search/`, {
    method: "POST",
    headers: { authorization: `Token ${key}` },
    body: "{",
  });
  assert.equal(answer.status, 400);
  assert.ok((await answer.json()).code);
});

test("a memory can be added, found, read, changed and deleted", async () => {
  const added = await add("alice", "I drink oolong tea every morning");
  assert.equal(added.status, 200, JSON.stringify(added.json));
  const found = await call("POST", "/v3/memories/search/", {
    query: "oolong tea",
    filters: { user_id: "alice" },
  });
  assert.equal(found.json.results.length, 1, JSON.stringify(found.json));
  const { id, memory } = found.json.results[0];
  assert.match(memory, /oolong/);

  const changed = await call("PUT", `/v1/memories/${id}/`, { text: "I drink sencha" });
  assert.equal(changed.json.memory, "I drink sencha");
  assert.equal((await call("GET", `/v1/memories/${id}/`)).json.memory, "I drink sencha");
  const history = await call("GET", `/v1/memories/${id}/history/`);
  assert.deepEqual(
    history.json.map(({ event }) => event),
    ["ADD", "UPDATE"],
  );

  assert.equal((await call("DELETE", `/v1/memories/${id}/`)).status, 200);
  assert.equal((await call("GET", `/v1/memories/${id}/`)).status, 404);
  assert.equal((await list("alice")).count, 0);
});

test("an accepted add is done by the alarm", async () => {
  const { json } = await add("bob", "I collect stamps", { async_mode: true });
  assert.ok(json.event_id, JSON.stringify(json));
  for (let tries = 0; ; tries++) {
    const event = (await call("GET", `/v1/event/${json.event_id}/`)).json;
    if (event.status === "SUCCEEDED") break;
    assert.ok(tries < 50, JSON.stringify(event));
    await new Promise((done) => setTimeout(done, 100));
  }
  assert.equal((await list("bob")).count, 1);
});

test("another owner and another project see nothing", async () => {
  await add("carol", "My locker code is 4711");
  const [{ id }] = (await list("carol")).results;
  assert.equal((await list("dave")).count, 0);
  const foreign = { authorization: `Token ${other}` };
  assert.equal((await list("carol", foreign)).count, 0);
  for (const [method, body] of [["GET"], ["PUT", { text: "changed" }], ["DELETE"]]) {
    assert.equal((await call(method, `/v1/memories/${id}/`, body, foreign)).status, 404);
  }
  assert.match((await call("GET", `/v1/memories/${id}/`)).json.memory, /4711/);
});

test("asking for what never was leaves nothing in a database", async () => {
  const before = server.query("SELECT key FROM space").length;
  const unknown = "00000000-0000-8000-8000-000000000000";
  assert.equal((await call("GET", `/v1/memories/${unknown}/`)).status, 404);
  assert.equal((await call("DELETE", `/v1/memories/${unknown}/`)).status, 404);
  await list("nobody");
  assert.equal(server.query("SELECT key FROM space").length, before);
});

test("an owner can read the tables", async () => {
  await add("erin", "I play the cello");
  const rows = server.query("SELECT text, user_id FROM memories WHERE user_id = 'erin'");
  assert.deepEqual(rows, [{ text: "I play the cello", user_id: "erin" }]);
});

test("memories are recalled after the object was evicted", async () => {
  await add("gina", "I keep two parrots");
  await server.evict();
  const { json } = await call("POST", "/v3/memories/search/", {
    query: "parrots",
    filters: { user_id: "gina" },
  });
  assert.match(json.results[0].memory, /parrots/);
});

test("memories survive a kill and are recalled after it", async () => {
  await add("frank", "I was born in Lisbon");
  await server.kill();
  server = await serve({ state: server.state, vars: { EDGEMEM_API_KEYS: `${key},b:${other}` } });
  const { json } = await call("POST", "/v3/memories/search/", {
    query: "Lisbon",
    filters: { user_id: "frank" },
  });
  assert.match(json.results[0].memory, /Lisbon/);
});

test("without any key the server refuses and says how to set one", async () => {
  const bare = await serve({ vars: { EDGEMEM_API_KEYS: "" } });
  const answer = await fetch(`${bare.url}/v1/ping/`, { headers: { authorization: "Token x" } });
  assert.equal(answer.status, 503);
  assert.match((await answer.json()).error, /EDGEMEM_API_KEYS/);
  await bare.stop();
});

test("a wrong configuration is an error that names the variable", async () => {
  const wrong = await serve({
    vars: { EDGEMEM_API_KEYS: key, EDGEMEM_LLM_BASE_URL: "not a url", EDGEMEM_LLM_MODEL: "m" },
  });
  const answer = await fetch(`${wrong.url}/v3/memories/`, {
    method: "POST",
    headers: { authorization: `Token ${key}` },
    body: JSON.stringify({ filters: { user_id: "u" } }),
  });
  assert.equal(answer.status, 500);
  assert.match((await answer.json()).error, /EDGEMEM_LLM_BASE_URL/);
  await wrong.stop();
});
