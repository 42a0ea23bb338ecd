// The sample conversation through the component, with REPLAYED replies: what it leaves is what every host leaves.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openai } from "../../examples/component/node/openai.mjs";
import { inFile } from "../../examples/component/node/storage.mjs";
import { modelServer } from "../model-server/start.mjs";
import { builtin, component, repeating, root } from "./harness.mjs";

const read = (file) => JSON.parse(readFileSync(join(root, "samples", file), "utf8"));
const expected = read("expected.json");
const path = join(mkdtempSync(join(tmpdir(), "edgemem-")), "spaces");
const owner = { userId: "storyteller" };
const options = { chat: "replayed", embedder: builtin };
let models;
let time = 0;
let space;

const open = async () => {
  const ask = openai({ baseURL: `${models.url}/v1`, apiKey: "replayed", model: "replayed" });
  const functions = { storage: inFile(path), ask, now: () => time, bits: repeating() };
  return (await component(functions)).Space.open(owner, options);
};
const ask = async (tag, val) => (await space.apply({ tag, val })).val;
const sorted = (list) => [...list].map((item) => JSON.stringify(item)).sort();

before(async () => {
  models = await modelServer("samples/cassettes", "tests/cassettes");
  space = await open();
  for (const session of read("conversation.json").sessions) {
    time = Date.parse(session.time);
    const { id } = await ask("add", { messages: session.messages, time: BigInt(time) });
    for (const event of [id, undefined]) await ask("run-jobs", event);
    const event = await ask("event", id);
    assert.equal(event.status, "succeeded", event.error?.message);
  }
});
after(() => models?.stop());

test("what is stored is, byte for byte, what it is on every host", async () => {
  assert.equal(await space.digest(), read("digest.json").digest);
});

async function check() {
  const page = await ask("list", { showPast: true, pageSize: 200 });
  assert.deepEqual(
    sorted(page.memories.map(({ text, current, standing }) => ({ text, current, standing }))),
    sorted(expected.memories.map(({ text, current, standing }) => ({ text, current, standing }))),
  );
  for (const { text, history } of expected.memories) {
    const { id } = page.memories.find((memory) => memory.text === text);
    const lines = await ask("history", id);
    assert.deepEqual(
      lines.map(({ kind, oldText, newText }) => [kind.toUpperCase(), oldText ?? null, newText ?? null]),
      history.map(({ event, old, new: text }) => [event, old, text]),
    );
  }
}

test("the memories and their histories are the expected ones", check);

test("recall answers what is true now", async () => {
  const [home] = await space.recall("Which city does the user live in?", 5);
  assert.match(home.memory.text, /San Francisco/);
  assert.ok(home.score > 0 && home.receipt.channels.length > 0);
  const diet = (await space.recall("Is the user a vegetarian?", 10)).map(({ memory }) => memory.text);
  assert.ok(diet.some((text) => /no longer a vegetarian/.test(text)), diet.join("\n"));
});

test("every question has an answer of its kind", async () => {
  const filter = JSON.stringify({ categories: "*" });
  const [hit] = (await ask("search", { query: "peanuts", filter, topK: 1 }));
  assert.match(hit.memory.text, /peanuts/);
  const related = await ask("search", { query: "Where does Maya live?", relations: true });
  assert.ok(related.hits.length > 0 && related.relations.length > 0);
  const context = await ask("context", { query: "What should I cook?" });
  assert.match(context.text, /peanuts/);
  assert.ok(context.tokens > 0 && context.memories.length > 0);
  assert.ok((await ask("timeline", {})).length > 0);
  const graph = await ask("graph", { past: true });
  assert.equal(graph.relations.length, expected.relations.length);
  const view = await ask("entity", "user");
  assert.ok(view.relations.length > 0 && view.memories.length > 0);
  const { paths } = await ask("path", { from: "user", to: "Biscuit" });
  assert.ok(paths.length > 0);
  assert.deepEqual(await ask("contradictions", true), []);
  assert.equal((await ask("get", hit.memory.id)).text, hit.memory.text);
  const stats = await ask("stats");
  assert.equal(stats.memories, expected.memories.filter(({ current }) => current).length);
  assert.equal(stats.vectors, "resident");
  assert.ok(stats.module > stats.bytes && stats.bytes > 0n);
  assert.equal((await ask("summary", { runId: "none" })).text, "");
});

test("another program on the same file knows it all", async () => {
  const before = await space.digest();
  space = await open();
  assert.equal(await space.digest(), before);
  await check();
});

test("an erased memory is nowhere", async () => {
  const { memories } = await ask("list", {});
  const { id } = memories.find(({ text }) => /peanuts/.test(text));
  const changed = await ask("update", { id, metadata: '{"seen": true}', expiresAt: { tag: "never" } });
  assert.equal(JSON.parse(changed.metadata).seen, true);
  assert.equal(await ask("delete", id), 1);
  await assert.rejects(ask("get", id), ({ payload }) => payload.tag === "not-found" && payload.val.code === "memory_not_found");
  assert.ok((await ask("delete-all", undefined)) > 0);
  assert.deepEqual((await ask("list", {})).memories, []);
});

test("a fact comes in the shape of a schema", async () => {
  const messages = [{ role: "user", content: "I rent a flat of three rooms in Oslo." }];
  const refused = ask("add", { messages, structuredDataSchema: "[]" });
  await assert.rejects(refused, ({ payload }) => payload.tag === "invalid" && payload.val.code === "bad_schema");
  const schema = { properties: { homeCity: { type: "string" }, rooms: { type: "integer" } } };
  const { id } = await ask("add", { messages, structuredDataSchema: JSON.stringify(schema) });
  await ask("run-jobs", id);
  const [memory] = (await ask("list", {})).memories;
  assert.deepEqual(JSON.parse(memory.versions[0].structuredData), { homeCity: "Oslo", rooms: 3 });
});
