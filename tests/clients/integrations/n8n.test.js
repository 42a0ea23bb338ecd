// n8n's node for mem0, by its own code; only what n8n itself does for a node, parameters and HTTP, is done here.
import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { createRequire } from "node:module";
import { test } from "node:test";

const require = createRequire(import.meta.url);
const { Mem0 } = require("@mem0/n8n-nodes-mem0/dist/nodes/Mem0/Mem0.node.js");

const { EDGEMEM_URL: baseUrl, EDGEMEM_API_KEY: apiKey } = process.env;
const userId = `n8n-${crypto.randomUUID()}`;

/** Sends what a node asks for, as n8n would with the credentials. */
async function send(_credentials, { method, url, baseURL = "", body, qs = {}, headers }) {
  const target = new URL(baseURL + url);
  for (const [name, value] of Object.entries(qs)) target.searchParams.set(name, String(value));
  const response = await fetch(target, {
    method,
    headers: { ...headers, "content-type": "application/json", authorization: `Token ${apiKey}` },
    body: body && Object.keys(body).length > 0 ? JSON.stringify(body) : undefined,
  });
  if (!response.ok) throw Object.assign(new Error(await response.text()), { httpCode: String(response.status) });
  return response.json();
}

/** Runs one operation of the node: the items that it gives. */
async function run(operation, parameters) {
  const all = { resource: "memory", operation, ...parameters };
  const [items] = await new Mem0().execute.call({
    getInputData: () => [{ json: {} }],
    getNodeParameter: (name, _item, otherwise) => all[name] ?? otherwise,
    getCredentials: async () => ({ apiKey, baseUrl }),
    getNode: () => ({ name: "Mem0", type: "mem0", typeVersion: 1 }),
    continueOnFail: () => false,
    helpers: { httpRequestWithAuthentication: send, requestWithAuthentication: send },
  });
  return items.map((item) => item.json);
}

test("every operation of n8n's node", async () => {
  const message = [{ role: "user", content: "I love hiking in the Alps." }];
  const added = await run("add", { userId, messages: message, "messages.message": message, addFields: {} });
  ok(added.length > 0, JSON.stringify(added));

  const [found] = await run("search", { userId, query: "Where does the user hike?", limit: 5 });
  strictEqual(found.memory, "User loves hiking in the Alps");
  strictEqual((await run("get", { memoryId: found.id }))[0].memory, found.memory);

  await run("update", { memoryId: found.id, text: "User loves hiking in the Dolomites" });
  deepStrictEqual(
    (await run("getAll", { userId, returnAll: true })).map((memory) => memory.memory),
    ["User loves hiking in the Dolomites"],
  );

  const [deleted] = await run("delete", { memoryId: found.id });
  match(deleted.message, /deleted/);
  deepStrictEqual(await run("getAll", { userId, returnAll: true }), []);
});
