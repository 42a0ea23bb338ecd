// The graph of the sample conversation through the Worker, with REPLAYED replies: what held when, how things hang
// together, the exports, and what an agent gets to read.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { root } from "./harness.mjs";
import { client, key, modelServer, serve } from "./replayed.mjs";

const { sessions } = JSON.parse(readFileSync(join(root, "samples/conversation.json"), "utf8"));
const user = "maya";
let models;
let server;
let api;

before(async () => {
  models = await modelServer("samples/cassettes");
  server = await serve({ vars: models.vars });
  api = client(server);
  for (const { time, messages } of sessions) {
    const added = await api.add(user, messages, { timestamp: Date.parse(time) / 1000 });
    assert.equal(added.status, "SUCCEEDED", JSON.stringify(added));
  }
});
after(async () => {
  await server?.stop();
  models?.stop();
});

async function get(path) {
  const { status, json } = await api.call("GET", `${path}${path.includes("?") ? "&" : "?"}user_id=${user}`);
  assert.equal(status, 200, `${path}: ${JSON.stringify(json)}`);
  return json;
}

async function exported(format) {
  const answer = await fetch(`${server.url}/v1/graph/export/?user_id=${user}&format=${format}`, {
    headers: { authorization: `Token ${key}` },
  });
  assert.equal(answer.status, 200);
  return { type: answer.headers.get("content-type"), text: await answer.text() };
}

test("the graph tells where she lived before and after the move", async () => {
  const home = async (at) => {
    const { relations } = await get(`/v1/graph/?as_of=${at}`);
    return relations
      .filter(({ source_id, relationship }) => source_id === "user" && relationship === "lives_in")
      .map(({ target }) => target);
  };
  assert.deepEqual(await home("2026-04-30"), ["New York"]);
  assert.deepEqual(await home("2026-05-09T18:00:00Z"), ["San Francisco"]);
});

test("pages of the graph link to each other", async () => {
  const all = await get("/v1/graph/?past=true");
  assert.ok(all.count > 10 && all.count === all.entities.length && all.next === null);
  const seen = [];
  let page = await get("/v1/graph/?past=true&page_size=7");
  for (;;) {
    seen.push(...page.entities.map(({ id }) => id));
    if (!page.next) break;
    const next = new URL(page.next, server.url);
    page = (await api.call("GET", next.pathname + next.search)).json;
  }
  assert.deepEqual(seen, all.entities.map(({ id }) => id));
});

test("the trip to Tokyo leads to the peanuts", async () => {
  const { paths } = await get("/v1/graph/path/?from=Tokyo&to=peanuts");
  assert.match(paths[0].text, /^Tokyo <-\w+- .+ -allergic_to-> peanuts$/);
  const { status, json } = await api.call("GET", `/v1/graph/path/?from=Tokyo&to=Atlantis&user_id=${user}`);
  assert.deepEqual([status, json.code], [404, "entity_not_found"]);
});

test("the exports can be read by others", async () => {
  const jsonLd = await exported("json-ld");
  assert.equal(jsonLd.type, "application/ld+json");
  const document = JSON.parse(jsonLd.text);
  assert.ok(document["@context"] && document["@graph"].some(({ name }) => name === "San Francisco"));

  const graphml = await exported("graphml");
  assert.match(graphml.type, /^application\/graphml\+xml/);
  const open = [];
  for (const [, end, name, empty] of graphml.text.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (end) assert.equal(open.pop(), name);
    else if (!empty) open.push(name);
  }
  assert.deepEqual(open, []);
  const ids = new Set([...graphml.text.matchAll(/<node id="(\w+)"/g)].map(([, id]) => id));
  const ends = [...graphml.text.matchAll(/ source="(\w+)" target="(\w+)"/g)].flatMap(([, a, b]) => [a, b]);
  assert.ok(ends.length > 10 && ends.every((id) => ids.has(id)));

  const cypher = await exported("cypher");
  assert.match(cypher.type, /^application\/x-cypher-query/);
  assert.ok(cypher.text.includes("MERGE (a)-[r:`LIVES_IN`"));

  const wrong = await api.call("GET", `/v1/graph/export/?user_id=${user}&format=rdf`);
  assert.deepEqual([wrong.status, wrong.json.code], [400, "bad_value"]);
});

test("an entity is found by what people call it", async () => {
  const mel = await get("/v1/graph/entities/Mel/");
  assert.equal(mel.name, "Melanie");
  assert.ok(mel.relations.some(({ relationship }) => relationship === "sister_of"));
  assert.ok(mel.timeline.length >= 2 && mel.memories.length >= 2);
});

test("nothing contradicts itself", async () => {
  assert.deepEqual(await get("/v1/contradictions/?resolved=true"), { count: 0, results: [] });
});

test("a context keeps within its budget and cites what it tells", async () => {
  const body = { user_id: user, query: "What dietary restrictions are there for the Tokyo trip?", budget_tokens: 200 };
  const { status, json } = await api.call("POST", "/v1/context/", body);
  assert.equal(status, 200, JSON.stringify(json));
  assert.ok(json.tokens <= 200 && /peanut/.test(json.context), json.context);
  for (const [, label] of json.context.matchAll(/\[(m\d+)\]/g)) assert.ok(json.citations[label], label);
});

test("a search can tell the relations of its hits, as older clients of mem0 expect", async () => {
  const body = { query: "Who is Melanie?", filters: { user_id: user }, enable_graph: true };
  const { json } = await api.call("POST", "/v3/memories/search/", body);
  const found = json.relations.find(({ relationship }) => relationship === "sister_of");
  assert.equal(found.source, "Melanie");
  assert.ok(found.target && found.destination === found.target);
});
