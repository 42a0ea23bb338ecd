// Keys with roles and tokens of users, over HTTP in workerd.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { serve } from "./harness.mjs";

const operator = "0123456789abcdef-a";
const other = "0123456789abcdef-b";
const vars = { EDGEMEM_API_KEYS: `${operator},b_2:${other}` };
let server;

before(async () => {
  server = await serve({ vars });
});
after(() => server?.stop());

async function call(key, method, path, body, at = server) {
  const answer = await fetch(at.url + path, {
    method,
    headers: { authorization: `Token ${key}`, "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return { status: answer.status, json: await answer.json(), headers: answer.headers };
}

async function ok(...args) {
  const { status, json } = await call(...args);
  assert.ok(status >= 200 && status < 300, `${status} ${JSON.stringify(json)}`);
  return json;
}

async function refused(code, ...args) {
  const { status, json } = await call(...args);
  assert.equal(json.code, code, `${status} ${JSON.stringify(json)}`);
  return status;
}

const add = (key, content, ids, at) =>
  call(key, "POST", "/v3/memories/add/", { messages: content, infer: false, async_mode: false, ...ids }, at);
const search = (key, query, filters) => call(key, "POST", "/v3/memories/search/", { query, filters });

test("a key may what its role may, until it is revoked", async () => {
  const keys = {};
  for (const role of ["read", "write", "admin"]) {
    keys[role] = await ok(operator, "POST", "/v1/keys/", { name: `A ${role} key`, role });
    assert.match(keys[role].key, /^em_default_[0-9a-f]{64}$/);
  }
  assert.equal((await add(keys.write.key, "I keep bees", { user_id: "ann" })).status, 200);
  const found = (await search(keys.read.key, "bees", { user_id: "ann" })).json;
  assert.equal(found.results[0].memory, "I keep bees");
  const adding = { messages: "hi", user_id: "ann" };
  assert.equal(await refused("role_required", keys.read.key, "POST", "/v3/memories/add/", adding), 403);
  assert.equal(await refused("role_required", keys.write.key, "GET", "/v1/keys/"), 403);
  assert.equal(await refused("role_required", keys.write.key, "DELETE", "/v1/memories/?user_id=*"), 403);

  // What an admin's key made, another server's isolate does not know yet: it asks the directory.
  const listed = (await ok(keys.admin.key, "GET", "/v1/keys/")).results;
  assert.deepEqual(listed.map(({ role }) => role).sort(), ["admin", "read", "write"]);
  assert.ok(listed.every((key) => key.last_used_at && !("key" in key) && !("sha256" in key)));
  await server.kill();
  server = await serve({ vars, state: server.state });
  assert.equal((await search(keys.read.key, "bees", { user_id: "ann" })).status, 200);

  await ok(keys.admin.key, "DELETE", `/v1/keys/${keys.read.id}/`);
  await server.kill();
  server = await serve({ vars, state: server.state });
  assert.equal(await refused("invalid_api_key", keys.read.key, "GET", "/v1/ping/"), 401);
  assert.equal(await refused("key_not_found", operator, "DELETE", `/v1/keys/${keys.read.id}/`), 404);
  const stored = JSON.stringify(server.query("SELECT key FROM directory"));
  assert.ok(stored.includes(keys.write.id) && !stored.includes(keys.write.key));
});

test("a key opens its project alone", async () => {
  const { key } = await ok(other, "POST", "/v1/keys/", { name: "Of b", role: "admin" });
  assert.match(key, /^em_b_2_/);
  assert.equal((await ok(key, "GET", "/v1/ping/")).project_id, "b_2");
  const random = key.split("_").at(-1);
  for (const forged of [`em_default_${random}`, `em_nowhere_${random}`, "em_default_"]) {
    assert.equal(await refused("invalid_api_key", forged, "GET", "/v1/ping/"), 401);
  }
});

test("a key that ends is refused then", async () => {
  const { key, expires_at } = await ok(operator, "POST", "/v1/keys/", { name: "Short", role: "read", expires_in: 10 });
  assert.ok(Math.abs(Date.parse(expires_at) - Date.now() - 10_000) < 5_000);
  await ok(key, "GET", "/v1/ping/");
  await new Promise((done) => setTimeout(done, 10_500));
  assert.equal(await refused("api_key_expired", key, "GET", "/v1/ping/"), 401);
});

test("a browser with a user's token reaches that user's memory and nothing else", async () => {
  await add(operator, "I sail", { user_id: "bob" });
  const bob = (await ok(operator, "POST", "/v3/memories/", { filters: { user_id: "bob" } })).results[0];
  const { token } = await ok(operator, "POST", "/v1/tokens/", { user_id: "zoe", role: "write" });
  const page = { origin: "https://app.example", authorization: `Bearer ${token}`, "content-type": "application/json" };
  const ask = async (method, path, body) => {
    const answer = await fetch(server.url + path, { method, headers: page, body: body && JSON.stringify(body) });
    assert.equal(answer.headers.get("access-control-allow-origin"), "*");
    return { status: answer.status, json: await answer.json() };
  };
  const added = await ask("POST", "/v3/memories/add/", { messages: "I dance", infer: false, async_mode: false });
  assert.equal(added.status, 200, JSON.stringify(added.json));
  const found = await ask("POST", "/v3/memories/search/", { query: "Do I dance?" });
  assert.deepEqual(found.json.results.map(({ memory }) => memory), ["I dance"]);
  assert.equal((await ask("GET", "/v1/stats/")).json.total_memories, 1);
  for (const [method, path, body] of [
    ["POST", "/v3/memories/search/", { query: "sail", filters: { user_id: "bob" } }],
    ["GET", `/v1/memories/${bob.id}/`],
    ["DELETE", `/v1/memories/${bob.id}/`],
    ["DELETE", "/v1/memories/?user_id=bob"],
    ["GET", "/v1/entities/"],
  ]) {
    const { status, json } = await ask(method, path, body);
    assert.deepEqual([status, json.code], [403, "bound_to_another_user"], path);
  }
  const [head, claims] = token.split(".");
  const unsigned = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${claims}.`;
  for (const forged of [unsigned, `${head}.${claims}.`, token.slice(0, -2)]) {
    assert.equal(await refused("invalid_token", forged, "GET", "/v1/ping/"), 401);
  }
  // Its secret is the project's, which outlives this isolate.
  await server.kill();
  server = await serve({ vars, state: server.state });
  assert.equal((await search(token, "dance")).json.results[0].memory, "I dance");
});

test("the operator's own server signs tokens with the secret", async () => {
  const secret = "0123456789abcdef0123456789abcdef";
  const signing = await serve({ vars: { ...vars, EDGEMEM_TOKEN_SECRET: secret } });
  const sign = (claims, by = secret) => {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
    return `${signed}.${createHmac("sha256", by).update(signed).digest("base64url")}`;
  };
  const exp = Math.floor(Date.now() / 1000) + 60;
  const token = sign({ sub: "ann", exp, role: "write" });
  assert.equal((await add(token, "I keep bees", {}, signing)).status, 200);
  const made = await ok(operator, "POST", "/v1/tokens/", { user_id: "ann" }, signing);
  assert.equal((await call(made.token, "GET", "/v1/graph/", undefined, signing)).status, 200);
  for (const [claims, code, by] of [
    [{ sub: "ann", exp: exp - 120 }, "token_expired"],
    [{ sub: "ann", exp: exp + 90_000 }, "token_lasts_too_long"],
    [{ sub: "ann", exp, project: "nowhere" }, "invalid_token"],
    [{ sub: "ann", exp }, "invalid_token", `${secret}x`],
  ]) {
    assert.equal(await refused(code, sign(claims, by), "GET", "/v1/ping/", undefined, signing), 401);
  }
  await signing.stop();
});
