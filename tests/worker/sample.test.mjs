// The sample conversation through the Worker, with REPLAYED replies: what it must leave behind, and that it is
// still there after a restart.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { root } from "./harness.mjs";
import { client, modelServer, serve } from "./replayed.mjs";

const read = (file) => JSON.parse(readFileSync(join(root, "samples", file), "utf8"));
const { sessions } = read("conversation.json");
const expected = read("expected.json");
const user = expected.user_id;
const decisions = [];
let models;
let server;
let api;

before(async () => {
  models = await modelServer("samples/cassettes");
  server = await serve({ vars: models.vars });
  api = client(server);
  for (const { id, time, messages } of sessions) {
    const timestamp = Date.parse(time) / 1000;
    const added = await api.add(user, messages, { timestamp });
    assert.equal(added.status, "SUCCEEDED", JSON.stringify(added));
    for (const { event, memory, old_memory } of added.results) {
      decisions.push({ session: id, event, memory, old: old_memory ?? null });
    }
  }
});
after(async () => {
  await server?.stop();
  models?.stop();
});

const sorted = (list) => [...list].map((item) => JSON.stringify(item)).sort();

test("every decision is the expected one", () => {
  const shown = ({ session, event, memory, old }) => {
    if (event === "NONE") return { session, event, old: memory };
    if (event === "DELETE") return { session, event, old: memory };
    return { session, event, old, new: memory };
  };
  const wanted = expected.decisions.map(({ session, event, old, new: text }) =>
    event === "NONE" || event === "DELETE" ? { session, event, old } : { session, event, old, new: text },
  );
  assert.deepEqual(sorted(decisions.map(shown)), sorted(wanted));
});

async function check() {
  const current = expected.memories.filter((memory) => memory.current);
  const listed = await api.memories(user);
  assert.deepEqual(
    listed.map(({ memory }) => memory).sort(),
    current.map(({ text }) => text).sort(),
  );

  const all = await api.memories(user, { show_past: true });
  assert.equal(all.length, expected.memories.length);
  for (const { text, standing, attributed_to, history } of expected.memories) {
    const found = all.find(({ memory }) => memory === text);
    assert.ok(found, text);
    assert.equal(found.standing, standing, text);
    assert.equal(found.attributed_to, attributed_to, text);
    const lines = (await api.call("GET", `/v1/memories/${found.id}/history/`)).json;
    assert.deepEqual(
      lines.map(({ event, old_memory, new_memory }) => ({ event, old: old_memory, new: new_memory })),
      history.map(({ event, old, new: text }) => ({ event, old, new: text })),
    );
  }

  const graph = await api.call("GET", `/v1/graph/?user_id=${user}&past=true`);
  const relations = graph.json.relations.map(({ source, relationship, target, valid_from, valid_to }) => {
    const said = { subject: source, predicate: relationship, object: target, current: valid_to === null };
    const wanted = expected.relations.find(
      ({ subject, predicate, object }) => subject === source && predicate === relationship && object === target,
    );
    // Where the sample says since when, or until when, something held, it has to be so.
    const bounds = { valid_from, valid_to };
    for (const bound of ["valid_from", "valid_to"]) if (wanted?.[bound]) said[bound] = bounds[bound];
    return said;
  });
  assert.deepEqual(sorted(relations), sorted(expected.relations));
}

test("the memories, their histories and the relations are the expected ones", check);

test("recall answers what is true now", async () => {
  const [home] = await api.search(user, "Which city does the user live in?");
  assert.match(home.memory, /San Francisco/);
  const diet = (await api.search(user, "Is the user a vegetarian?")).map(({ memory }) => memory);
  assert.ok(diet.some((memory) => /no longer a vegetarian/.test(memory)), diet.join("\n"));
  assert.ok(!diet.includes("User is a vegetarian"));
});

test("an owner can read the tables", async () => {
  const rows = await server.query("SELECT text FROM memories WHERE kind = 'fact' AND current = '1'");
  assert.equal(rows.length, expected.memories.filter(({ current }) => current).length);
});

test("all of it survives a kill and a restart", async () => {
  await server.kill();
  server = await serve({ vars: models.vars, state: server.state });
  api = client(server);
  await check();
});
