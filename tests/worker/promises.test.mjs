// What an owner may rely on, over HTTP, with REPLAYED replies: no doubles, and nobody else's hands.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { root } from "./harness.mjs";
import { client, modelServer, otherKey, serve } from "./replayed.mjs";

let models;
let server;
let api;

before(async () => {
  models = await modelServer("tests/cassettes");
  server = await serve({ vars: models.vars });
  api = client(server);
});
after(async () => {
  await server?.stop();
  models?.stop();
});

test("two adds of the same fact at the same moment leave one memory", async () => {
  const wordings = ["I love hiking in the Alps.", "Hiking in the Alps is what I love most."];
  await Promise.all(wordings.map((wording) => api.add("twins", wording)));
  assert.equal((await api.memories("twins")).length, 1);
});

test("five facts in three wordings each leave five memories", async () => {
  const file = join(root, "tests/cassettes/rewordings-messages.json");
  const { adds, memories } = JSON.parse(readFileSync(file, "utf8"));
  assert.equal(adds.length, 15);
  for (const { messages } of adds) {
    const added = await api.add("rewordings", messages);
    assert.equal(added.status, "SUCCEEDED", JSON.stringify(added));
  }
  const listed = (await api.memories("rewordings")).map(({ memory }) => memory);
  assert.deepEqual(listed.sort(), memories.map((memory) => memory.text ?? memory).sort());
});

test("an add asks the model at most twice", async () => {
  await models.reset();
  await api.add("calls", "I love hiking in the Alps.");
  const before = (await models.counts()).calls;
  await api.add("calls", "Hiking in the Alps is what I love most.");
  const { calls } = await models.counts();
  const total = (counts) => Object.values(counts).reduce((sum, count) => sum + count, 0);
  assert.ok(total(calls) - total(before) <= 2, JSON.stringify({ before, calls }));
  await api.search("calls", "hiking");
  assert.deepEqual((await models.counts()).calls, calls, "recall asks no model");
});

test("another owner's scope and another project's key reach nothing", async () => {
  const added = await api.add("owner-a", "I love hiking in the Alps.");
  const { id } = added.results[0];
  assert.equal((await api.search("owner-b", "hiking in the Alps")).length, 0);
  assert.equal((await api.memories("owner-b")).length, 0);
  const erased = await api.call("DELETE", "/v1/memories/?user_id=owner-b");
  assert.equal(erased.status, 200);

  const stranger = client(server, otherKey);
  for (const [method, path, body] of [
    ["GET", `/v1/memories/${id}/`],
    ["GET", `/v1/memories/${id}/history/`],
    ["PUT", `/v1/memories/${id}/`, { text: "mine now" }],
    ["DELETE", `/v1/memories/${id}/`],
    ["GET", `/v1/event/${added.event_id}/`],
  ]) {
    assert.equal((await stranger.call(method, path, body)).status, 404, `${method} ${path}`);
  }
  assert.equal((await stranger.search("owner-a", "hiking in the Alps")).length, 0);
  assert.equal((await stranger.call("DELETE", "/v1/memories/?user_id=owner-a")).status, 200);
  // A project's own key may ask several owners at once, and gets what it asks for; another's gets nothing.
  const filters = { OR: [{ user_id: "owner-b" }, { user_id: "owner-a" }] };
  const both = (by) => by.call("POST", "/v3/memories/search/", { query: "hiking", filters });
  assert.deepEqual((await both(api)).json.results.map((hit) => hit.id), [id]);
  assert.deepEqual((await both(stranger)).json.results, []);
  assert.equal((await api.call("GET", `/v1/memories/${id}/`)).json.id, id);
});

test("what is erased is gone from the database", async () => {
  await api.add("eraser", "I love hiking in the Alps.");
  const gone = await api.call("DELETE", "/v1/memories/?user_id=eraser");
  assert.equal(gone.status, 200);
  await server.evict();
  assert.equal((await api.memories("eraser")).length, 0);
  assert.equal((await api.search("eraser", "hiking")).length, 0);
  const rows = await server.query("SELECT key FROM memories WHERE user_id = 'eraser'");
  assert.deepEqual(rows, []);
});
