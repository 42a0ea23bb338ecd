// The unmodified mem0 TypeScript client against a running edgemem Worker.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

// The client takes nothing but the lower-case word.
process.env.MEM0_TELEMETRY = "false";
const { MemoryClient } = await import("mem0ai");

const host = required("EDGEMEM_URL");
const apiKey = required("EDGEMEM_API_KEY");
// Where the files of tests/attachments are served, from which the Worker may fetch.
const files = required("EDGEMEM_FILES_URL");

// The model server replays one fact for this message.
const HIKING = "I love hiking in the Alps.";
const FACT = "User loves hiking in the Alps";

function required(name) {
  const value = process.env[name];
  assert.ok(value, `${name} is not set`);
  return value;
}

describe("mem0's TypeScript client", () => {
  const client = new MemoryClient({ apiKey, host });
  const users = [];
  let user;

  beforeEach(() => {
    user = `typescript-${randomUUID()}`;
    users.push(user);
  });

  after(async () => {
    for (const userId of users) await client.deleteAll({ userId });
  });

  async function addVerbatim(text, options = {}) {
    const messages = [{ role: "user", content: text }];
    const reply = await client.add(messages, { userId: user, infer: false, ...options });
    assert.equal(reply.status, "SUCCEEDED", JSON.stringify(reply));
    return reply.results[0].id;
  }

  const all = (options = {}) => client.getAll({ filters: { user_id: user }, ...options });

  it("pings", async () => {
    const pong = await client.ping();
    assert.equal(pong?.status ?? "ok", "ok");
    const stranger = new MemoryClient({ apiKey: "not-the-key-of-this-server", host });
    await assert.rejects(stranger.getAll({ filters: { user_id: user } }), /Invalid API key/);
  });

  it("adds messages with files", async () => {
    const part = (type, name) => ({ type, [type]: { url: `${files}/${name}` } });
    const messages = [
      { role: "user", content: part("image_url", "sofa.png") },
      { role: "user", content: part("pdf_url", "lease.pdf") },
      { role: "user", content: [{ type: "text", text: "And:" }, part("mdx_url", "notes.txt")] },
    ];
    const reply = await client.add(messages, { userId: user, asyncMode: false });
    assert.equal(reply.status, "SUCCEEDED", JSON.stringify(reply));
    assert.equal(reply.note, undefined);
    const found = (await all()).results.map(({ memory }) => memory).sort();
    assert.deepEqual(found, [
      "The code of User's garden gate is 4711",
      "User has a red sofa",
      "User pays a rent of 900 EUR a month",
    ]);
  });

  it("adds with inference in the background", async () => {
    const reply = await client.add([{ role: "user", content: HIKING }], { userId: user });
    assert.equal(reply.status, "PENDING", JSON.stringify(reply));
    assert.match(reply.eventId, /^[0-9a-f-]{36}$/);
    let found = [];
    for (let tries = 0; tries < 150 && found.length === 0; tries++) {
      await sleep(200);
      found = (await all()).results;
    }
    assert.deepEqual(found.map((memory) => memory.memory), [FACT]);
  });

  it("adds with inference and waits", async () => {
    const messages = [{ role: "user", content: HIKING }];
    const metadata = { fooBar: 1, foo_bar: 2 };
    const reply = await client.add(messages, { userId: user, metadata, asyncMode: false });
    assert.equal(reply.status, "SUCCEEDED", JSON.stringify(reply));
    assert.equal(reply.results.length, 1);
    const [added] = reply.results;
    assert.deepEqual([added.event, added.data.memory], ["ADD", FACT]);
    const memory = await client.get(added.id);
    assert.equal(memory.memory, FACT);
    assert.equal(memory.userId, user);
    assert.deepEqual(memory.metadata, metadata);
    assert.deepEqual(memory.categories, ["hobbies"]);
  });

  it("adds a plain text", async () => {
    await client.add("I keep bees.", { userId: user, infer: false });
    assert.deepEqual((await all()).results.map((memory) => memory.memory), ["I keep bees."]);
  });

  it("searches", async () => {
    const bees = await addVerbatim("I keep bees in the garden.");
    await addVerbatim("My car needs new tyres.");
    for (const filters of [{ AND: [{ user_id: user }] }, { userId: user }]) {
      const { results } = await client.search("Who keeps bees?", { filters, topK: 3 });
      assert.equal(results[0].id, bees);
      assert.ok(results[0].score > 0 && results[0].score <= 1);
    }
    const other = await client.search("bees", { filters: { user_id: `${user}-other` } });
    assert.deepEqual(other.results, []);
  });

  it("lists a page at a time", async () => {
    for (const number of [1, 2, 3]) await addVerbatim(`Note number ${number}.`);
    const first = await all({ page: 1, pageSize: 2 });
    assert.deepEqual([first.count, first.results.length], [3, 2]);
    const last = await all({ page: 2, pageSize: 2 });
    assert.deepEqual([last.results.length, last.next], [1, null]);
  });

  it("updates, tells the history, deletes", async () => {
    const id = await addVerbatim("I live in New York.");
    const updated = await client.update(id, {
      text: "I live in San Francisco.",
      expirationDate: "2099-12-31",
    });
    assert.equal(updated.memory, "I live in San Francisco.");
    assert.equal(updated.expirationDate, "2099-12-31");
    const cleared = await client.update(id, { expirationDate: null });
    assert.equal(cleared.expirationDate, null);

    const history = await client.history(id);
    assert.deepEqual(history.slice(0, 2).map((line) => line.event), ["ADD", "UPDATE"]);
    assert.equal(history[1].oldMemory, "I live in New York.");
    assert.equal(history[1].newMemory, "I live in San Francisco.");

    assert.ok((await client.delete(id)).message);
    await assert.rejects(client.get(id), { name: "MemoryNotFoundError" });
    assert.equal((await all()).count, 0);
  });

  it("deletes all of one run, then all", async () => {
    await addVerbatim("One thing.", { runId: "first" });
    await addVerbatim("Another thing.", { runId: "second" });
    assert.ok((await client.deleteAll({ userId: user, runId: "first" })).message);
    assert.deepEqual((await all()).results.map((memory) => memory.runId), ["second"]);
    await client.deleteAll({ userId: user });
    assert.equal((await all()).count, 0);
  });

  it("gets the errors it knows", async () => {
    await assert.rejects(client.get("404"), { name: "ValidationError" });
    await assert.rejects(client.get("11111111-2222-3333-4444-555555555555"), {
      name: "MemoryNotFoundError",
    });
    await assert.rejects(client.getAll(), { name: "ValidationError" });
    await assert.rejects(client.deleteAll(), { name: "ValidationError" });
  });
});
