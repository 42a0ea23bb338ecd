// The app among the Worker's assets: served as it was built, beside the API.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { serve } from "./harness.mjs";

let server;

before(async () => {
  server = await serve({ vars: { EDGEMEM_API_KEYS: "a-key-for-the-app-123" } });
});
after(() => server?.stop());

test("the app is served, with all that its page names", async () => {
  const page = await fetch(`${server.url}/app`);
  assert.equal(page.status, 200);
  assert.match(page.headers.get("content-type"), /^text\/html/);
  const html = await page.text();
  assert.match(html, /Content-Security-Policy/);
  const named = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, name]) => name);
  assert.ok(named.includes("main.js"));
  for (const name of [...named, "edgemem_bg.wasm", "builtin.bin"]) {
    const answer = await fetch(new URL(name, page.url));
    await answer.arrayBuffer();
    assert.equal(answer.status, 200, name);
  }
});

test("its source is not, and the API answers as before", async () => {
  for (const path of ["/src/main.tsx", "/package.json", "/node_modules/preact/package.json"]) {
    const answer = await fetch(server.url + path);
    assert.equal(answer.status, 404, path);
    await answer.arrayBuffer();
  }
  const refused = await fetch(`${server.url}/v1/stats/?user_id=ada`);
  assert.equal(refused.status, 401);
  await refused.arrayBuffer();
});
