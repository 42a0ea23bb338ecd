// Files in messages: fetched by a real Worker from a server of this test, looked at by the model server, whose replies
// are REPLAYED.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { root } from "./harness.mjs";
import { client, modelServer, serve } from "./replayed.mjs";

const file = (name) => readFileSync(join(root, "tests/attachments", name));
let asked = [];
let models;
let files;
let origin;
let server;
let api;

/** What the server of the files answers: a status, headers and a body. */
function answer(path) {
  const name = path.split("?")[0].slice(1);
  switch (name) {
    case "sofa.png":
    case "lease.pdf":
    case "notes.txt":
      return [200, {}, file(name)];
    case "page.html":
      return [200, { "content-type": "text/html" }, file(name)];
    case "moved.png":
      return [302, { location: "/sofa.png" }, ""];
    case "inside":
      return [302, { location: `${server.url}/health` }, ""];
    case "around":
      return [302, { location: "/around" }, ""];
    case "huge":
      return [200, {}, Buffer.alloc(5 << 20, file("sofa.png"))];
    case "broken":
      return [500, {}, "broken"];
    default:
      return [404, {}, "gone"];
  }
}

before(async () => {
  models = await modelServer("tests/cassettes");
  files = createServer((request, response) => {
    asked.push(request.url);
    const [status, headers, body] = answer(request.url);
    response.writeHead(status, headers).end(body);
  });
  await new Promise((done) => files.listen(0, "127.0.0.1", done));
  origin = `http://127.0.0.1:${files.address().port}`;
  server = await serve({ vars: { ...models.vars, EDGEMEM_FETCH_ORIGINS: origin } });
  api = client(server);
});
beforeEach(async () => {
  asked = [];
  await models.reset();
});
after(async () => {
  await server?.stop();
  files?.closeAllConnections();
  files?.close();
  models?.stop();
});

const part = (type, url) => ({ type, [type]: { url } });
const image = (url) => [{ role: "user", content: part("image_url", url) }];
const facts = async (user) => (await api.memories(user)).map((it) => it.memory).sort();

test("an image, a document and a text become facts, and redirects are followed", async () => {
  const added = await api.add("words", [
    { role: "user", content: [{ type: "text", text: "My new sofa:" }, part("image_url", `${origin}/moved.png`)] },
    { role: "user", content: part("pdf_url", `${origin}/lease.pdf`) },
    { role: "user", content: part("mdx_url", `${origin}/notes.txt?signature=secret`) },
  ]);
  assert.equal(added.status, "SUCCEEDED", JSON.stringify(added));
  assert.equal(added.note, undefined);
  assert.deepEqual(await facts("words"), [
    "The code of User's garden gate is 4711",
    "User has a red sofa",
    "User pays a rent of 900 EUR a month",
  ]);
  const found = await api.search("words", "How high is the rent?");
  assert.match(found[0].memory, /900 EUR/);
  assert.deepEqual(asked, ["/moved.png", "/sofa.png", "/lease.pdf", "/notes.txt?signature=secret"]);
  assert.equal((await models.counts()).calls.describe, 2);
});

test("an image inside of the add is looked at, and nothing fetched", async () => {
  const url = `data:image/png;base64,${file("sofa.png").toString("base64")}`;
  const messages = [{ role: "user", content: [{ type: "text", text: "My new sofa:" }, part("image_url", url)] }];
  const added = await api.add("inline", messages);
  assert.equal(added.status, "SUCCEEDED", JSON.stringify(added));
  assert.deepEqual(await facts("inline"), ["User has a red sofa"]);
  assert.deepEqual(asked, []);
});

test("the words of a file are stored without a model's help when nothing is to be inferred", async () => {
  const messages = [{ role: "user", content: part("txt_url", `${origin}/notes.txt`) }];
  const added = await api.add("verbatim", messages, { infer: false });
  assert.equal(added.status, "SUCCEEDED", JSON.stringify(added));
  assert.deepEqual(await facts("verbatim"), ["[text notes.txt: The code of the garden gate is 4711.]"]);
});

for (const [name, why, count] of [
  ["missing.png", /HTTP 404/, 1],
  ["page.html", /not a PNG/, 1],
  ["notes.txt", /not a PNG/, 1],
  ["huge", /larger than 4 MB/, 1],
  ["inside", /only public addresses/, 1],
  ["around", /redirected more than 3 times/, 4],
]) {
  test(`an add goes on without the image ${name}, and says why`, async () => {
    const added = await api.add(`without-${name}`, image(`${origin}/${name}`));
    assert.equal(added.status, "SUCCEEDED", JSON.stringify(added));
    assert.match(added.note, why);
    assert.equal(asked.length, count);
  });
}

for (const url of ["http://example.com/x.png", "https://127.0.0.1/x.png", "https://2130706433/x.png", "https://metadata.google.internal/x"]) {
  test(`nothing is asked of ${url}`, async () => {
    const added = await api.add("guarded", image(url));
    assert.match(added.note, /only public addresses/);
  });
}

test("a model that takes no images leaves the rest", async () => {
  await models.fail({ task: "describe", kind: "400", times: 5 });
  const added = await api.add("blind", image(`${origin}/sofa.png`));
  assert.equal(added.status, "SUCCEEDED", JSON.stringify(added));
  assert.match(added.note, /the LLM does not take such files/);
});

test("a server that fails is asked again later", async () => {
  const added = await api.add("later", image(`${origin}/broken`));
  assert.equal(added.status, "PENDING", JSON.stringify(added));
  assert.equal(added.error.code, "file_unreachable");
});

test("a page is no text, and a wrong part is refused", async () => {
  const page = [{ role: "user", content: part("txt_url", `${origin}/page.html`) }];
  const added = await api.add("page", page, { infer: false });
  assert.match(added.note, /not plain text/);
  for (const url of ["ftp://example.com/x.png", "x.png", `https://user@example.com/x.png`]) {
    const messages = image(url);
    const refused = await api.call("POST", "/v3/memories/add/", { user_id: "wrong", messages });
    assert.equal(refused.status, 400, url);
    assert.equal(refused.json.code, "bad_file");
  }
});

test("nothing is fetched where the operator says none", async () => {
  const closed = await serve({ vars: { ...models.vars, EDGEMEM_FETCH_ORIGINS: "none" } });
  try {
    const added = await client(closed).add("closed", image(`${origin}/sofa.png`));
    assert.match(added.note, /this server fetches nothing/);
    assert.deepEqual(asked, []);
  } finally {
    await closed.stop();
  }
});
