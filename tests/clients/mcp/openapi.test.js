// The examples of the published document are run against a running Worker, and its answers are what it says.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import Ajv from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const base = process.env.EDGEMEM_URL;
const key = process.env.EDGEMEM_API_KEY;
const user = `openapi-${crypto.randomUUID()}`;

// The model server replays one fact for this message.
const SAID = "I live in Paris.";

const answer = await fetch(`${base}/openapi.json`);
const document = await answer.json();
const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
for (const format of ["uint", "uint8", "uint16", "uint32", "uint64", "int32", "int64", "double"]) ajv.addFormat(format, true);
ajv.addSchema(document, "document");

// What only looks comes first, what erases last.
const order = ["get", "post", "put", "patch", "delete"];
const operations = Object.entries(document.paths)
  .flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
  )
  .sort((a, b) => order.indexOf(a.method) - order.indexOf(b.method));

// These examples need what is not there: what a fresh memory does not hold, or what an example before has erased.
const missing = {
  graph_path: 404,
  merge_entities: 404,
  resolve_contradiction: 404,
  get_profile_job: 404,
  delete_several: 404,
};

// The owner is erased before, by its name; the directory may hear once more of it.
const either = { delete_owner_by_number: [200, 404] };

// This one erases what other tests remember at the same time.
const unasked = ["delete_project"];

const ids = { entity_type: "user", entity_id: user, user_id: user, job_id: "none" };

/** An example, of this test's own user and memory. */
const own = (value) =>
  JSON.parse(
    JSON.stringify(value)
      .replaceAll('"alice"', JSON.stringify(user))
      .replaceAll("11111111-2222-3333-4444-555555555555", ids.memory_id),
  );

async function call(method, path, body) {
  const reply = await fetch(base + path, {
    method: method.toUpperCase(),
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const type = reply.headers.get("content-type").split(";")[0];
  const text = await reply.text();
  return { status: reply.status, type, json: /json$/.test(type) ? JSON.parse(text) : text };
}

/** Checks an answer against what the document says of the operation's answers with its status. */
function check({ path, method, responses }, { status, type, json }) {
  const said = responses[status];
  assert.ok(said, `${method} ${path} answers ${status}, which is not published: ${JSON.stringify(json)}`);
  const place = said.$ref ?? `#/paths/${path.replaceAll("~", "~0").replaceAll("/", "~1")}/${method}/responses/${status}`;
  const media = (said.$ref ? document.components.responses[said.$ref.split("/").pop()] : said).content;
  assert.ok(media[type], `${method} ${path} answers ${type}, which is not published`);
  const schema = `document${place}/content/${type.replaceAll("/", "~1")}/schema`;
  const fits = ajv.compile({ $ref: encodeURI(schema) });
  assert.ok(fits(json), `${method} ${path}: ${ajv.errorsText(fits.errors)}\n${JSON.stringify(json)}`);
}

describe("the published document", () => {
  before(async () => {
    const add = { messages: SAID, user_id: user, async_mode: false };
    const { json } = await call("post", "/v3/memories/add/", add);
    ids.memory_id = json.results[0].id;
    ids.event_id = json.event_id;
    ids.entity = "Paris";
    ids.contradiction_id = json.event_id;
    const { json: whose } = await call("get", "/v1/ping/");
    Object.assign(ids, { org_id: whose.org_id, project_id: whose.project_id });
    for (let tries = 0; !ids.entity_number; tries++) {
      // The project's directory is told after the fact.
      const { json: found } = await call("get", `/v2/entities/user/${user}/`);
      ids.entity_number = found[0]?.id;
      assert.ok(tries < 100, JSON.stringify(found));
      if (!ids.entity_number) await new Promise((done) => setTimeout(done, 100));
    }
  });
  after(() => call("delete", `/v1/memories/?user_id=${user}`));

  it("is served to anyone, with a page to read", async () => {
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("content-type").split(";")[0], "application/json");
    assert.equal(answer.headers.get("access-control-allow-origin"), "*");
    assert.equal(document.openapi, "3.1.0");
    const page = await fetch(`${base}/docs`);
    assert.equal(page.status, 200);
    assert.match(page.headers.get("content-type"), /^text\/html/);
    const text = await page.text();
    for (const { operationId } of operations) assert.ok(text.includes(`id="${operationId}"`), operationId);
  });

  for (const operation of operations) {
    const { path, method, operationId, parameters = [], requestBody } = operation;
    const skip = unasked.includes(operationId);
    it(`${method.toUpperCase()} ${path} does what its example asks`, { skip }, async () => {
      const address = path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(ids[name]));
      const query = new URLSearchParams();
      for (const { name, in: place, example } of parameters) {
        if (place === "query" && example !== undefined) query.set(name, own(example));
      }
      const body = own(requestBody?.content["application/json"].example ?? null) ?? undefined;
      const reply = await call(method, query.size ? `${address}?${query}` : address, body);
      check(operation, reply);
      const good = Object.keys(operation.responses).find((status) => status < 300);
      const expected = either[operationId] ?? [missing[operationId] ?? Number(good)];
      assert.ok(expected.includes(reply.status), JSON.stringify(reply));
      if (operationId === "add_webhook") ids.webhook_id = reply.json.webhook_id;
      if (operationId === "make_key") ids.key_id = reply.json.id;
    });
    if (operation.security?.length !== 0) {
      it(`${method.toUpperCase()} ${path} needs a key`, async () => {
        const reply = await fetch(base + path.replace(/\{\w+\}/g, "x"), { method: method.toUpperCase() });
        assert.equal(reply.status, 401);
      });
    }
  }
});
