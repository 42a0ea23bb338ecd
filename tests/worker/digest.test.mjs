// The sample conversation through the Worker on a clock and random bits that repeat, with REPLAYED replies: what it
// leaves in SQLite is, to the byte, what it leaves on every other host.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { root } from "./harness.mjs";
import { key, modelServer, serve } from "./replayed.mjs";

const read = (file) => JSON.parse(readFileSync(join(root, "samples", file), "utf8"));
const user_id = "storyteller";
let models;
let server;

before(async () => {
  models = await modelServer("samples/cassettes");
  server = await serve({ vars: models.vars, main: join(root, "tests/worker/repeatable.mjs") });
});
after(async () => {
  await server?.stop();
  models?.stop();
});

async function call(path, time, body) {
  const headers = { "content-type": "application/json", authorization: `Token ${key}`, "x-test-time": String(time) };
  const answer = await fetch(server.url + path, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) });
  const json = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(json));
  return json;
}

test("what the Worker stores of the sample is what every host stores", async () => {
  let time = 0;
  const stats = (more = "") => call(`/v1/stats/?user_id=${user_id}${more}`, time);
  for (const session of read("conversation.json").sessions) {
    time = Date.parse(session.time);
    const body = { user_id, messages: session.messages, timestamp: time / 1000, async_mode: false };
    const { status } = await call("/v3/memories/add/", time, body);
    assert.equal(status, "SUCCEEDED");
    // The alarm runs what the add left to do, such as a summary, before the clock goes on.
    while ((await stats()).pending_jobs > 0) await new Promise((done) => setTimeout(done, 20));
  }
  assert.equal((await stats("&digest=true")).digest, read("digest.json").digest);
});
