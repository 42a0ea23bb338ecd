// The rest of the hosted contract over HTTP: what more than one owner, or the project's directory, answers.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { serve } from "./harness.mjs";

const key = "0123456789abcdef-a";
const other = "0123456789abcdef-b";
const vars = { EDGEMEM_API_KEYS: `proj_1:${key},proj_2:${other}`, EDGEMEM_PRIVATE_WEBHOOKS: "true" };
let server;

before(async () => {
  server = await serve({ vars });
});
after(() => server?.stop());

async function call(method, path, body, headers = {}) {
  const answer = await fetch(server.url + path, {
    method,
    headers: { authorization: `Token ${key}`, "content-type": "application/json", ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
    redirect: "manual",
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, json: JSON.parse(text) };
}

async function ok(method, path, body, headers) {
  const { status, json } = await call(method, path, body, headers);
  assert.ok(status >= 200 && status < 300, `${method} ${path}: ${status} ${JSON.stringify(json)}`);
  return json;
}

async function add(content, ids, options = {}) {
  const messages = [{ role: "user", content }];
  const added = await ok("POST", "/v3/memories/add/", { messages, infer: false, ...ids, ...options });
  return added.results[0].id;
}

/** Asks until the answer is good: the directory is told after the fact. */
async function eventually(ask, isGood) {
  for (let tries = 0; ; tries++) {
    const answer = await ask();
    if (isGood(answer)) return answer;
    assert.ok(tries < 100, JSON.stringify(answer));
    await new Promise((done) => setTimeout(done, 100));
  }
}

const entities = (page = "") => ok("GET", `/v1/entities/${page}`);
const entity = (name) =>
  eventually(
    async () => (await entities("?page_size=1000")).results.find((it) => it.name === name),
    Boolean,
  );

test("users, agents, apps and runs are listed with their counts", async () => {
  await add("I keep bees", { user_id: "list/one", agent_id: "list-agent", run_id: "list-run" });
  await add("I keep hens", { user_id: "list/one", agent_id: "list-agent" });
  await add("I keep cats", { user_id: "list-two", agent_id: "list-agent" });
  await eventually(() => entity("list-agent"), (it) => it.total_memories === 3);
  const user = await entity("list/one");
  assert.equal(user.total_memories, 2);
  assert.equal(user.type, "user");
  assert.match(user.id, /^\d+$/);
  assert.equal((await entity("list-run")).type, "run");
  const [same] = await ok("GET", "/v2/entities/user/list%2Fone/");
  assert.equal(same.name, "list/one");
  const page = await entities("?page=1&page_size=1");
  assert.equal(page.results.length, 1);
  assert.match(page.next, /page=2&page_size=1/);
  assert.ok(page.total_users >= 2);
  const stats = await ok("GET", "/v1/stats/");
  assert.ok(stats.total_memories >= 3 && stats.total_users_with_memories >= 2);

  // Of an agent that others' memories were added under, all of them go.
  await ok("DELETE", "/v2/entities/agent/list-agent/");
  const left = await ok("POST", "/v3/memories/", { filters: { user_id: "list/one" } });
  assert.equal(left.count, 0);
  await eventually(entities, ({ results }) => results.every((it) => it.name !== "list-agent"));
});

test("an entity is deleted by its name, or by its number", async () => {
  await add("One", { user_id: "gone/1" });
  await add("Two", { user_id: "gone-2" });
  await ok("DELETE", "/v2/entities/user/gone%2F1/");
  assert.equal((await ok("POST", "/v3/memories/", { filters: { user_id: "gone/1" } })).count, 0);
  const { id } = await entity("gone-2");
  await ok("DELETE", `/v1/entities/user/${id}/`);
  assert.equal((await ok("POST", "/v3/memories/", { filters: { user_id: "gone-2" } })).count, 0);
  assert.equal((await call("DELETE", "/v1/entities/user/x/")).status, 400);
  assert.equal((await call("DELETE", "/v2/entities/planet/x/")).status, 400);
});

test("a star asks every owner, page by page, and stays in its project", async () => {
  const texts = [];
  for (let n = 0; n < 7; n++) {
    texts.push(`Star ${n}: likes oolong`);
    await add(texts[n], { user_id: `star-${n % 3}`, app_id: "star" });
  }
  const filters = { AND: [{ user_id: "*" }, { app_id: "star" }] };
  const all = () => ok("POST", "/v3/memories/?page_size=200", { filters });
  await eventually(all, ({ count }) => count === 7);
  const seen = [];
  let next = `${server.url}/v3/memories/?page=1&page_size=2`;
  while (next) {
    const page = await ok("POST", next.slice(server.url.length), { filters });
    seen.push(...page.results.map(({ memory }) => memory));
    next = page.next;
  }
  assert.deepEqual(seen.toSorted(), texts.toSorted());
  const found = await ok("POST", "/v3/memories/search/", { query: "oolong", filters, top_k: 5 });
  assert.equal(found.results.length, 5);
  const two = { OR: [{ user_id: "star-0" }, { user_id: "star-1" }] };
  assert.equal((await ok("POST", "/v3/memories/", { filters: two })).count, 5);
  const foreign = { authorization: `Token ${other}` };
  assert.equal((await ok("POST", "/v3/memories/", { filters }, foreign)).count, 0);
  await ok("DELETE", "/v1/memories/?user_id=*&app_id=star");
  assert.equal((await all()).count, 0);
});

test("a batch changes and deletes memories of several owners", async () => {
  const one = await add("One", { user_id: "batch-1" });
  const two = await add("Two", { user_id: "batch-2" });
  const changed = await ok("PUT", "/v1/batch/", {
    memories: [
      { memory_id: one, text: "Eins", metadata: { k: 1 } },
      { memory_id: two, text: "Zwei" },
    ],
  });
  assert.equal(changed.message, "Successfully updated 2 memories");
  const memory = await ok("GET", `/v1/memories/${one}/`);
  assert.equal(memory.memory, "Eins");
  assert.deepEqual(memory.metadata, { k: 1 });
  const unknown = "11111111-2222-3333-4444-555555555555";
  const memories = [one, two, unknown].map((memory_id) => ({ memory_id }));
  const deleted = await ok("DELETE", "/v1/batch/", { memories });
  assert.equal(deleted.message, "Successfully deleted 2 memories");
  assert.equal(deleted.failed[0].memory_id, unknown);
  assert.equal((await call("DELETE", "/v1/batch/", { memories })).status, 404);
  const many = Array.from({ length: 1001 }, () => ({ memory_id: one }));
  const refused = await call("DELETE", "/v1/batch/", { memories: many });
  assert.equal(refused.status, 400);
  assert.match(refused.json.error, /Maximum of 1000 memories/);
});

test("feedback changes the order, and what is wrong is retired", async () => {
  const user_id = "feedback";
  const good = await add("The garage code is 1234", { user_id });
  const bad = await add("The garage code is 1234, says Tom", { user_id });
  const order = async () =>
    (
      await ok("POST", "/v3/memories/search/", { query: "garage code", filters: { user_id } })
    ).results.map(({ id }) => id);
  const [first, second] = await order();
  assert.equal(new Set([first, second]).size, 2);
  const judged = await ok("POST", "/v1/feedback/", {
    memory_id: first,
    feedback: "negative",
    feedback_reason: "not it",
  });
  assert.deepEqual([judged.feedback, judged.feedback_reason], ["NEGATIVE", "not it"]);
  await ok("POST", "/v1/feedback/", { memory_id: second, feedback: "POSITIVE" });
  assert.deepEqual(await order(), [second, first]);
  await ok("POST", "/v1/feedback/", { memory_id: second, feedback: "VERY_NEGATIVE" });
  assert.deepEqual(await order(), [first]);
  const history = await ok("GET", `/v1/memories/${second}/history/`);
  assert.equal(history.at(-1).event, "DELETE");
  assert.equal((await ok("GET", `/v1/memories/${second}/`)).lifecycle_state, "retired");
  const cleared = await ok("POST", "/v1/feedback/", { memory_id: first, feedback: null });
  assert.equal(cleared.feedback, null);
  assert.equal((await call("POST", "/v1/feedback/", { memory_id: "x" })).status, 400);
  assert.ok([good, bad].includes(first));
});

test("an export fills a schema, and is gone with what it was made of", async () => {
  const user_id = "export";
  const id = await add("I live in Lisbon", { user_id }, { metadata: { city: "Lisbon", age: 41 } });
  const schema = {
    type: "object",
    properties: { city: { type: "string" }, age: { type: "integer" }, pets: { type: "array" } },
  };
  const filters = { AND: [{ user_id }] };
  const asked = await call("POST", "/v1/exports/", { schema, filters });
  assert.equal(asked.status, 201);
  const got = await ok("POST", "/v1/exports/get/", { memory_export_id: asked.json.id });
  assert.deepEqual(got, { city: "Lisbon", age: 41, pets: [] });
  assert.deepEqual(await ok("POST", "/v1/exports/get/", { filters }), got);
  await ok("DELETE", `/v1/memories/${id}/`);
  const gone = await call("POST", "/v1/exports/get/", { memory_export_id: asked.json.id });
  assert.equal(gone.status, 404);
  assert.equal(gone.json.error, "No memory export request found");
  assert.equal((await call("POST", "/v1/exports/", { filters })).status, 400);
});

test("a project is read and set; another one is not there", async () => {
  const base = "/api/v1/orgs/organizations/edgemem/projects";
  await ok("PATCH", `${base}/proj_1/`, {
    custom_instructions: "Only food.",
    custom_categories: [{ my_cat: "d" }],
    decay: true,
    org_id: "x",
    project_id: "y",
  });
  const project = await ok("GET", `${base}/proj_1/`);
  assert.equal(project.custom_instructions, "Only food.");
  assert.deepEqual(project.custom_categories, [{ my_cat: "d" }]);
  assert.equal(project.project_id, "proj_1");
  assert.equal(project.user_role, "OWNER");
  const part = await ok("GET", `${base}/proj_1/?fields=decay&fields=custom_instructions`);
  assert.deepEqual(part, { custom_instructions: "Only food.", decay: true });
  assert.equal((await call("GET", `${base}/proj_2/`)).status, 404);
  assert.equal((await call("POST", `${base}/`, { name: "n" })).status, 403);
  const members = `${base}/proj_1/members/`;
  await ok("POST", members, { email: "a@b.c", role: "READER" });
  await ok("PUT", members, { email: "a@b.c", role: "OWNER" });
  const listed = (await ok("GET", members)).members;
  assert.deepEqual(
    listed.map(({ role }) => role),
    ["OWNER", "OWNER"],
  );
  await ok("DELETE", `${members}?email=a%40b.c`);
  assert.equal((await ok("GET", members)).members.length, 1);
  await ok("PATCH", `${base}/proj_1/`, { custom_instructions: null, custom_categories: [] });
});

test("webhooks are told of changes, signed, and again when they do not answer", async (test) => {
  const got = [];
  let refusals = 1;
  const receiver = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => (body += part));
    request.on("end", () => {
      const refused = refusals-- > 0;
      if (!refused) got.push({ body, signature: request.headers["x-edgemem-signature"] });
      response.writeHead(refused ? 500 : 200).end();
    });
  });
  await new Promise((done) => receiver.listen(0, "127.0.0.1", done));
  test.after(() => receiver.close());
  const url = `http://127.0.0.1:${receiver.address().port}/hook`;
  const hooks = "/api/v1/webhooks/projects/proj_1/";
  const made = await call("POST", hooks, {
    name: "n",
    url,
    event_types: ["memory_add", "memory_update", "memory_delete"],
  });
  assert.equal(made.status, 201, JSON.stringify(made.json));
  const { webhook_id, secret, is_active } = made.json;
  assert.equal(is_active, true);
  const id = await add("I have a dog", { user_id: "hooked" });
  await eventually(async () => got.length, (length) => length === 1);
  await ok("PUT", `/v1/memories/${id}/`, { text: "I have two dogs" });
  await eventually(async () => got.length, (length) => length === 2);
  await ok("DELETE", `/v1/memories/${id}/`);
  await eventually(async () => got.length, (length) => length === 3);
  const told = got.map(({ body }) => JSON.parse(body).event_details);
  assert.deepEqual(
    told.map(({ event, id, data }) => [event, id, data.memory]),
    [
      ["ADD", id, "I have a dog"],
      ["UPDATE", id, "I have two dogs"],
      ["DELETE", id, ""],
    ],
  );
  for (const { body, signature } of got) {
    const [, seconds, code] = signature.match(/^t=(\d+),v1=([0-9a-f]{64})$/);
    const expected = createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex");
    assert.equal(code, expected);
  }
  await ok("PUT", `/api/v1/webhooks/${webhook_id}/`, { name: "z" });
  const [listed] = await ok("GET", hooks);
  assert.equal(listed.name, "z");
  assert.equal(listed.secret, undefined);
  await ok("DELETE", `/api/v1/webhooks/${webhook_id}/`);
  assert.equal((await call("DELETE", `/api/v1/webhooks/${webhook_id}/`)).status, 404);
  assert.equal((await call("POST", hooks, { name: "n", url: "u", event_types: [] })).status, 400);
});

test("a webhook that never answers does not hold up an add", async () => {
  const silent = createServer(() => {});
  await new Promise((done) => silent.listen(0, "127.0.0.1", done));
  const { webhook_id } = await ok("POST", "/api/v1/webhooks/projects/proj_1/", {
    name: "silent",
    url: `http://127.0.0.1:${silent.address().port}/`,
    event_types: ["memory_add"],
  });
  const begun = Date.now();
  for (let n = 0; n < 5; n++) await add(`Note ${n}`, { user_id: "unhurried" });
  assert.ok(Date.now() - begun < 5_000);
  await ok("DELETE", `/api/v1/webhooks/${webhook_id}/`);
  silent.close();
  silent.closeAllConnections();
});

test("the latest adds are listed as events", async () => {
  const messages = [{ role: "user", content: "I sail" }];
  const { event_id } = await ok("POST", "/v3/memories/add/", { messages, user_id: "events" });
  const found = await eventually(
    async () => (await ok("GET", "/v1/events/?page_size=200")).results.find(({ id }) => id === event_id),
    (event) => event?.status === "SUCCEEDED",
  );
  assert.equal(found.event_type, "ADD");
  assert.equal((await ok("GET", `/v1/event/${event_id}/`)).status, "SUCCEEDED");
});

test("a linked deletion says how many went with it", async () => {
  const id = await add("I row", { user_id: "linked" });
  const deleted = await ok("DELETE", `/v1/memories/${id}/?delete_linked=true`);
  assert.deepEqual(deleted, { message: "Memory deleted successfully!", cascade_count: 0 });
});

test("profiles are made of users' memories, once for each idempotency key", async () => {
  const user_id = "profile/1";
  await add("I live in Porto", { user_id }, { metadata: { location: "Porto" } });
  const path = "/v2/entities/user/profile%2F1/profile/";
  await ok("POST", "/v2/profiles/settings/", { enabled: false });
  assert.equal((await ok("GET", path)).status, "not_enabled");
  const trigger = { operation: "trigger", entity_type: "user", entity_id: user_id };
  assert.equal((await call("POST", "/v2/profiles/jobs/", trigger)).status, 409);
  const schema = { type: "object", properties: { location: { type: "string" } } };
  const set = await ok("POST", "/v2/profiles/settings/", {
    enabled: true,
    entities: { user: { schema, custom_instructions: null } },
  });
  assert.deepEqual(set.entities.user.schema, schema);
  assert.equal((await ok("GET", path)).status, "insufficient_data");
  const once = { "idempotency-key": "k1" };
  const job = await ok("POST", "/v2/profiles/jobs/", trigger, once);
  assert.ok(job.status_url.startsWith("/"));
  const again = await ok("POST", "/v2/profiles/jobs/", trigger, once);
  assert.deepEqual([again.job_id, again.replayed], [job.job_id, true]);
  const done = await eventually(
    async () => (await ok("GET", job.status_url)).job,
    ({ status }) => status === "succeeded",
  );
  assert.equal(done.succeeded, 1);
  const made = await ok("GET", path);
  assert.deepEqual([made.status, made.profile], ["succeeded", { location: "Porto" }]);
  const sampled = await ok("POST", "/v2/profiles/jobs/", {
    operation: "sample",
    entity_type: "user",
    limit: 2,
  });
  assert.ok(sampled.entity_ids.length <= 2);
});

test("older clients get the shapes that they know", async () => {
  const messages = [{ role: "user", content: "I paint" }];
  const ids = { user_id: "older", infer: false };
  const bare = await ok("POST", "/v1/memories/", { messages, ...ids });
  assert.equal(bare[0].event, "ADD");
  const v11 = { output_format: "v1.1" };
  const wrapped = await ok("POST", "/v1/memories/", {
    messages: [{ role: "user", content: "I draw" }],
    user_id: "older",
    ...v11,
  });
  assert.equal(wrapped.results[0].status, "PENDING");
  assert.deepEqual(wrapped.relations, []);
  const list = await ok("GET", "/v1/memories/?user_id=older");
  assert.ok(Array.isArray(list) && list.length === 2);
  const paged = await ok("GET", "/v1/memories/?user_id=older&page=1&page_size=1");
  assert.deepEqual([paged.count, paged.results.length], [2, 1]);
  const filters = { AND: [{ user_id: "older" }] };
  assert.ok(Array.isArray(await ok("POST", "/v2/memories/", { filters })));
  const query = "paint";
  const old = await ok("POST", "/v1/memories/search/", { query, user_id: "older" });
  assert.equal(old[0].memory, "I paint");
  assert.ok(Array.isArray(await ok("POST", "/v2/memories/search/", { query, filters })));
  const newer = await ok("POST", "/v2/memories/search/", { query, filters, ...v11, enable_graph: true });
  assert.equal(newer.results[0].memory, "I paint");
  assert.ok(Array.isArray(newer.relations));
  const under = await ok("GET", "/v1/memories/user/older/");
  assert.equal(under.count, 2);
  assert.deepEqual(await ok("POST", "/v1/summary/", { filters: { user_id: "older" } }), []);
});

test("the self-hosted server's routes", async () => {
  const header = { authorization: "", "x-api-key": key };
  const oss = (method, path, body) => ok(method, path, body, header);
  const messages = [{ role: "user", content: "I surf" }];
  const added = await oss("POST", "/memories", { messages, user_id: "oss", infer: false });
  const { id } = added.results[0];
  assert.equal((await oss("GET", "/memories?user_id=oss&top_k=5")).results[0].memory, "I surf");
  assert.equal((await oss("GET", `/memories/${id}`)).memory, "I surf");
  assert.equal(await oss("GET", "/memories/11111111-2222-3333-4444-555555555555"), null);
  assert.match((await oss("PUT", `/memories/${id}`, { text: "I sail" })).message, /updated/);
  assert.equal((await oss("GET", `/memories/${id}/history`)).length, 2);
  const found = await oss("POST", "/search", { query: "sail", filters: { user_id: "oss" } });
  assert.equal(found.results[0].id, id);
  const top = await oss("POST", "/search", { query: "sail", user_id: "oss" });
  assert.equal(top.results.length, 1);
  const listed = await eventually(
    () => oss("GET", "/entities"),
    (all) => all.some((it) => it.type === "user" && it.id === "oss"),
  );
  assert.ok(listed.every((it) => "total_memories" in it));
  assert.ok((await oss("GET", "/memories")).results.some((memory) => memory.id === id));
  assert.equal((await oss("DELETE", `/memories/${id}`)).message, "Memory deleted successfully");
  assert.match((await oss("DELETE", "/memories?user_id=oss")).message, /All relevant/);
  await oss("DELETE", "/entities/user/oss");
  assert.equal((await call("DELETE", "/memories", undefined, header)).status, 400);
});

test("a project that is deleted is empty, and others are not", async () => {
  const mine = { authorization: `Token ${other}` };
  const messages = [{ role: "user", content: "I knit" }];
  const body = { messages, user_id: "whole", infer: false };
  await ok("POST", "/v3/memories/add/", body, mine);
  await ok("POST", "/v3/memories/add/", body);
  const list = (headers) => ok("POST", "/v3/memories/", { filters: { user_id: "*" } }, headers);
  await eventually(() => list(mine), ({ count }) => count === 1);
  await eventually(list, ({ results }) => results.some(({ user_id }) => user_id === "whole"));
  await ok("DELETE", "/api/v1/orgs/organizations/edgemem/projects/proj_2/", undefined, mine);
  assert.equal((await list(mine)).count, 0);
  const kept = await ok("POST", "/v3/memories/", { filters: { user_id: "whole" } });
  assert.equal(kept.count, 1);
});
