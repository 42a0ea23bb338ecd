// Models that fail, and power cuts: messages stay, events tell the truth, a later try succeeds. The replies that do
// come are REPLAYED.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { client, modelServer, serve } from "./replayed.mjs";

const said = "I love hiking in the Alps.";
const fact = /hiking in the Alps/;
let models;
let server;
let api;

before(async () => {
  models = await modelServer("tests/cassettes");
  server = await serve({ vars: models.vars });
  api = client(server);
});
afterEach(() => models.reset());
after(async () => {
  await server?.stop();
  models?.stop();
});

async function onlyTheFact(user) {
  const memories = await api.memories(user);
  assert.equal(memories.length, 1, JSON.stringify(memories));
  assert.match(memories[0].memory, fact);
  assert.equal(memories[0].kind, "fact");
}

// What the provider's own tries overcome within one add.
for (const kind of ["429", "500", "503", "cut", "garbage", "slow", "fenced", "400", "empty", "prose"]) {
  test(`a model that is once ${kind} delays an add, and no more`, async () => {
    await models.fail({ task: "extract", kind, times: 1 });
    const added = await api.add(`once-${kind}`, said);
    assert.equal(added.status, "SUCCEEDED", JSON.stringify(added));
    await onlyTheFact(`once-${kind}`);
  });
}

// What lasts longer than the provider tries.
for (const [kind, code] of [
  ["429", "model_rate_limited"],
  ["500", "model_unavailable"],
  ["cut", "model_unreachable"],
  ["401", "model_rejected"],
  ["refusal", "model_refused"],
  ["prose", "model_unreadable"],
  ["empty", "model_unreadable"],
]) {
  test(`an add whose model stays ${kind} keeps the message, says why, and is done later`, async () => {
    const user = `long-${kind}`;
    await models.fail({ task: "extract", kind, times: 50 });
    const added = await api.add(user, said);
    assert.equal(added.status, "PENDING", JSON.stringify(added));
    assert.equal(added.error.code, code, JSON.stringify(added));
    assert.ok(added.retry_at);
    const [kept] = await api.search(user, "hiking");
    assert.equal(kept.memory, said);
    await models.reset();
    const event = await api.event(added.event_id, "SUCCEEDED");
    assert.equal(event.error, null);
    await onlyTheFact(user);
  });
}

test("a truncated reply gives what can be read, and the message is kept", async () => {
  await models.fail({ task: "extract", kind: "truncated", times: 1 });
  const added = await api.add("truncated", said);
  assert.equal(added.status, "SUCCEEDED", JSON.stringify(added));
  assert.ok((await api.search("truncated", "hiking in the Alps")).length > 0);
});

test("labels that do not exist are not obeyed", async () => {
  await api.add("invented", said);
  await models.fail({ task: "update", kind: "invented", times: 5 });
  await api.add("invented", "Hiking in the Alps is what I love most.");
  const memories = await api.memories("invented");
  assert.ok(memories.some(({ memory }) => fact.test(memory)));
});

test("an add survives a power cut between its acceptance and the model's reply, and is done once", async () => {
  await models.fail({ task: "extract", kind: "hang", times: 1 });
  const { event_id, status } = await api.add("cut", said, { async_mode: true });
  assert.equal(status, "PENDING");
  for (let tries = 0; (await models.counts()).hanging === 0; tries++) {
    assert.ok(tries < 100, "the model was never asked");
    await new Promise((done) => setTimeout(done, 50));
  }
  assert.equal((await api.call("GET", `/v1/event/${event_id}/`)).json.status, "RUNNING");
  await server.kill();
  await models.reset();
  server = await serve({ vars: models.vars, state: server.state });
  api = client(server);
  const event = await api.event(event_id, "SUCCEEDED");
  assert.equal(event.results.length, 1, JSON.stringify(event));
  await onlyTheFact("cut");
  const lines = (await api.call("GET", `/v1/memories/${event.results[0].id}/history/`)).json;
  assert.deepEqual(lines.map(({ event }) => event), ["ADD"]);
});

test("the directory hears of what an alarm does in an object that nobody has asked since a power cut", async () => {
  await models.fail({ task: "extract", kind: "hang", times: 1 });
  await api.add("unasked", said, { async_mode: true });
  for (let tries = 0; (await models.counts()).hanging === 0; tries++) {
    assert.ok(tries < 100, "the model was never asked");
    await new Promise((done) => setTimeout(done, 50));
  }
  await server.kill();
  await models.reset();
  server = await serve({ vars: models.vars, state: server.state });
  api = client(server);
  for (let tries = 0; ; tries++) {
    const { results } = (await api.call("GET", "/v1/entities/?page_size=1000")).json;
    const found = results.find(({ name }) => name === "unasked");
    if (found?.total_memories === 1) break;
    assert.ok(tries < 200, JSON.stringify(results));
    await new Promise((done) => setTimeout(done, 100));
  }
});
