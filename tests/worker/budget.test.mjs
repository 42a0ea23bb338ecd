// What the LLM costs a user on one day, in workerd. Its replies are REPLAYED.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { client, modelServer, serve } from "./replayed.mjs";

let models;
let server;
let api;

before(async () => {
  models = await modelServer("tests/cassettes");
  server = await serve({ vars: { ...models.vars, EDGEMEM_DAILY_CALLS: "1" } });
  api = client(server);
});
after(async () => {
  await server?.stop();
  models?.stop();
});

const llm = async (user) => (await api.call("GET", `/v1/stats/?user_id=${user}`)).json.llm;

test("over the day's budget what is said is kept, found, and extracted the next day", async () => {
  const first = await api.add("ann", "I love hiking in the Alps.");
  assert.equal(first.status, "SUCCEEDED", JSON.stringify(first));
  const second = await api.add("ann", "The boat is called Seagull.");
  assert.equal(second.status, "PENDING", JSON.stringify(second));
  assert.equal(second.error.code, "daily_budget_spent");
  assert.match(second.message, /tomorrow/);
  assert.ok(new Date(second.retry_at).getUTCDate() !== new Date().getUTCDate());
  const event = (await api.call("GET", `/v1/event/${second.event_id}/`)).json;
  assert.equal(event.error_code, "daily_budget_spent");
  const [kept] = await api.search("ann", "Seagull");
  assert.equal(kept.memory, "The boat is called Seagull.");
  const spent = await llm("ann");
  assert.deepEqual([spent.today.calls, spent.daily_calls, spent.daily_tokens], [1, 1, null]);
  assert.ok(spent.today.input_tokens > 0 && spent.today.estimated === 1);
  // It is stored, and each user has a budget of their own.
  await server.evict();
  assert.deepEqual((await llm("ann")).today, spent.today);
  assert.equal((await api.add("bob", "I love hiking in the Alps.")).status, "SUCCEEDED");
});
