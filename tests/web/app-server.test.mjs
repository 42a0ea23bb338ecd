// The app on a server's memory: served by the real Worker, which asks for a key, and as a static page that is given the
// server's address. Replies are REPLAYED. Leaves screenshots in tests/web/screenshots/server.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { client, key, modelServer, serve as serveWorker } from "../worker/replayed.mjs";
import { launch, root } from "./harness.mjs";
import { dress, drawn, look as lookAt, screenshots, serveApp, visitor } from "./site.mjs";

const expected = JSON.parse(readFileSync(join(root, "samples/expected.json"), "utf8"));
const current = expected.memories.filter(({ current }) => current).map(({ text }) => text).sort();
const secret = "0123456789abcdef0123456789abcdef";
const shots = screenshots("server");

let models;
let worker;
let site;
let browser;
let page;
let does;
/** What the page printed as an error, but while a test provokes one. */
const errors = [];
let provoking = false;

const look = (name, options) => lookAt(page, shots, name, options);
const door = (tab = page) => tab.getByRole("heading", { name: "The server asks for a key" });
const enter = async (text, tab = page) => {
  await tab.locator(".door").getByLabel("Key or token").fill(text);
  await tab.getByRole("button", { name: "Connect" }).click();
};
const connected = async (user, tab = page) => {
  await drawn(tab);
  await tab.locator(".who", { hasText: `On the server · ${user}` }).waitFor();
  await tab.locator(".busy").waitFor({ state: "detached" });
};

async function open(url) {
  const tab = await browser.context.newPage();
  tab.setDefaultTimeout(20_000);
  tab.on("console", (message) => message.type() === "error" && !provoking && errors.push(message.text()));
  tab.on("pageerror", (error) => errors.push(String(error)));
  await dress(tab);
  await tab.goto(url);
  return tab;
}

/** Does what is meant to fail. */
async function provoke(what) {
  provoking = true;
  await what();
  provoking = false;
}

/** Everything that the browser keeps of a page, in this tab and beyond it. */
const kept = (tab = page) => tab.evaluate(() => [{ ...localStorage }, { ...sessionStorage }].map((all) => JSON.stringify(all)));

/** A token that its user's own server has signed. */
function tokenFor(sub, seconds) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub, role: "write", exp: Date.now() / 1000 + seconds })}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

before(async () => {
  models = await modelServer("samples/cassettes");
  worker = await serveWorker({ vars: { ...models.vars, EDGEMEM_TOKEN_SECRET: secret } });
  site = await serveApp();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  site?.stop();
  await worker?.stop();
  models?.stop();
});

test("without a key there is a place for one, and after a wrong one another can be tried", async () => {
  await provoke(async () => {
    page = await open(`${worker.url}/app/#server`);
    does = visitor(page);
    await door().waitFor();
    assert.equal(await page.locator(".door .problem").count(), 0);
    await look("door");
    await enter("not-the-key-of-this-server");
    await page.locator(".door .problem", { hasText: "does not know this key" }).waitFor();
    await look("door-refused");
  });
  await enter(key);
  await connected("maya");
});

test("every view works on the server's memory", async () => {
  for (const [name, title] of [["memories", /Nothing is remembered/], ["graph", /No relations/], ["recall", /Ask a question/], ["settle", /Nothing contradicts/], ["changes", /Nothing was decided/]]) {
    await does.view(name);
    await page.locator("main .empty h3", { hasText: title }).waitFor();
  }
  // Chat and changes.
  await page.locator(".welcome button.primary").click();
  await page.locator(".changes > li").nth(7).waitFor({ timeout: 60_000 });
  await page.locator(".busy").waitFor({ state: "detached" });
  const updates = expected.decisions.filter(({ event }) => event === "UPDATE").length;
  assert.equal(await page.locator(".decision.update").count(), updates);
  await look("changes");
  await look("chat", { chat: true });
  // Memories, by words, by category and by time.
  await does.view("memories");
  await page.locator(".memory").first().waitFor();
  assert.deepEqual((await does.listed()).sort(), current);
  await page.getByLabel("Filter by words").fill("peanut");
  assert.ok((await does.listed()).every((text) => /peanut/i.test(text)));
  await page.getByLabel("Filter by words").fill("");
  await page.getByLabel("Category").selectOption("food");
  assert.ok((await does.listed()).length > 0 && (await does.listed()).length < current.length);
  await page.getByLabel("Category").selectOption("");
  await does.setTime("0");
  await page.locator(".count", { hasText: "as known on Jan 10, 2026" }).waitFor();
  assert.ok((await does.listed()).includes("User lives in New York, in a small flat in Brooklyn"));
  await does.setTime();
  await page.locator(".memory", { hasText: "San Francisco, in a flat" }).locator("summary").click();
  await page.locator(".history li", { hasText: "New York" }).first().waitFor();
  await look("memories");
  // The graph, with what a node rests on.
  await does.view("graph");
  await page.locator(".node[aria-label^='Biscuit']").focus();
  await page.locator(".provenance", { hasText: "beagle" }).waitFor();
  await page.locator("main .as-list summary").click();
  assert.match(await page.locator("main .as-list").innerText(), /lives in\s+San Francisco/);
  await page.locator("main .as-list summary").click();
  await look("graph");
  // Recall with receipts, now and then.
  await does.recallCity();
  await page.locator(".count", { hasText: "network included" }).waitFor();
  await look("recall");
  await does.setTime("1");
  await page.locator(".hit .answer > .text", { hasText: "New York" }).first().waitFor();
  await does.setTime();
  await page.locator(".hit .answer > .text", { hasText: "San Francisco" }).first().waitFor();
  // A message, while one looks.
  await does.view("memories");
  await does.say("I live in Oakland now");
  await page.locator(".memory > .text", { hasText: "User lives in Oakland" }).waitFor();
  await page.locator(".chat .busy").waitFor({ state: "detached" });
  // Contradictions.
  await does.view("settle");
  await page.getByRole("button", { name: "Show an example" }).click();
  const both = page.locator(".contradiction");
  await both.getByRole("heading", { name: /Austin/ }).waitFor();
  await page.locator(".chat .busy").waitFor({ state: "detached" });
  await look("settle");
  await both.locator(".side", { hasText: "Austin" }).getByRole("button").click();
  await both.locator(".side", { hasText: "Austin" }).locator(".tag", { hasText: "this is true" }).waitFor();
  await page.locator(".chat .busy").waitFor({ state: "detached" });
  // Erasing one.
  await does.view("memories");
  page.once("dialog", (dialog) => dialog.accept());
  await page.getByRole("button", { name: /^Erase: .*beagle/ }).first().click();
  await page.locator(".memory > .text", { hasText: "beagle" }).waitFor({ state: "detached" });
  assert.equal(await page.locator(".alert").count(), 0);
});

test("a reload goes on, with the key only in this tab", async () => {
  await page.reload();
  await connected("maya");
  assert.ok((await page.locator(".turn.user").count()) > 10);
  const [beyond, here] = await kept();
  assert.ok(here.includes(key));
  assert.ok(!beyond.includes(key));
  assert.ok(!/San Francisco/.test(beyond), "what the key opens stays in the tab as well");
  await provoke(async () => {
    const other = await open(`${worker.url}/app/`);
    await door(other).waitFor();
    await other.close();
  });
});

test("a key that is kept in the browser opens the memory in another tab, until it is forgotten", async () => {
  await does.settings((dialog) => dialog.getByLabel(/Keep keys in this browser/).check());
  await connected("maya");
  assert.ok((await page.locator(".turn.user").count()) > 10);
  const other = await open(`${worker.url}/app/`);
  await connected("maya", other);
  await other.close();
  await provoke(async () => {
    await page.getByRole("button", { name: "Settings", exact: true }).click();
    await page.getByRole("button", { name: "Forget the key" }).click();
    await door().waitFor();
    for (const text of await kept()) assert.ok(!text.includes(key) && !/San Francisco/.test(text));
    await page.reload();
    await door().waitFor();
  });
  await enter(key);
  await connected("maya");
});

test("another user has another memory", async () => {
  await does.settings((dialog) => dialog.getByLabel("Whose memory").fill("bob"));
  await connected("bob");
  await does.view("memories");
  await page.locator("main .empty").waitFor();
  await does.settings((dialog) => dialog.getByLabel("Whose memory").fill("maya"));
  await connected("maya");
  await page.locator(".memory > .text", { hasText: "User lives in Oakland" }).waitFor();
});

test("without network a message is not lost, and views are tried again", async () => {
  await provoke(async () => {
    await browser.context.setOffline(true);
    await does.say("I have started to play the cello");
    await page.locator(".alert", { hasText: "There is no network" }).waitFor();
    await page.locator(".unstored", { hasText: "Not remembered" }).waitFor();
    await page.locator("main .problem", { hasText: "There is no network" }).waitFor();
    await look("offline", { chat: true });
    await does.view("memories");
    await page.locator("main .problem", { hasText: "There is no network" }).waitFor();
    await browser.context.setOffline(false);
  });
  await page.locator(".memory").first().waitFor();
  await page.locator("main .problem").waitFor({ state: "detached" });
  await page.locator(".unstored button").click();
  await page.locator(".memory > .text", { hasText: "cello" }).waitFor();
  assert.equal(await page.locator(".unstored, .alert").count(), 0);
  assert.equal(await page.locator(".turn.user", { hasText: "cello" }).count(), 1);
});

test("a key that is revoked meanwhile is asked for again, and nothing is lost", async () => {
  const { json } = await client(worker).call("POST", "/v1/keys/", { name: "For the app", role: "write" });
  await does.settings((dialog) => dialog.getByLabel("Key or token").fill(json.key));
  await connected("maya");
  await provoke(async () => {
    await client(worker).call("DELETE", `/v1/keys/${json.id}/`);
    await does.view("data");
    await page.locator(".door .problem", { hasText: "was revoked" }).waitFor();
  });
  await enter(key);
  await connected("maya");
  assert.equal(await page.locator(".turn.user", { hasText: "cello" }).count(), 1);
});

test("a token opens its user's memory, and another one is asked for when it ends", async () => {
  await does.settings(async (dialog) => {
    await dialog.getByLabel("Key or token").fill(tokenFor("zoë", 3));
    assert.equal(await dialog.getByLabel("Whose memory").count(), 0);
    await dialog.getByText("opens the memory of “zoë”").waitFor();
  });
  await connected("zoë");
  await new Promise((done) => setTimeout(done, 3_000));
  await provoke(async () => {
    await does.view("memories");
    await page.locator(".door .problem", { hasText: "token has expired" }).waitFor();
  });
  await enter(tokenFor("zoë", 600));
  await connected("zoë");
  await does.say("I have a boat called Nell");
  await page.locator(".chat .busy").waitFor({ state: "detached" });
  const { results } = (await client(worker).call("POST", "/v3/memories/search/", { query: "boat", filters: { user_id: "zoë" } })).json;
  assert.match(results[0].memory, /Nell/);
});

test("a static page is given the address of a server", async () => {
  const tab = await open(site.url);
  const visits = visitor(tab);
  await tab.locator(".welcome button.primary:not(:disabled)").waitFor();
  await provoke(async () => {
    // Something else answers there.
    await visits.settings(async (dialog) => {
      await dialog.getByText("On a server", { exact: true }).click();
      await dialog.getByLabel("Address").first().fill("http://127.0.0.1:9");
    });
    await tab.locator(".alert", { hasText: "Check the address" }).waitFor();
    await visits.settings((dialog) => dialog.getByLabel("Address").first().fill(`${worker.url}/`));
    await door(tab).waitFor();
  });
  await enter(key, tab);
  await connected("maya", tab);
  await visits.view("memories");
  await tab.locator(".memory > .text", { hasText: "User lives in Oakland" }).waitFor();
  // The server goes away and comes back.
  await provoke(async () => {
    await tab.route(`${worker.url}/**`, (route) => route.abort());
    await tab.reload();
    await tab.locator(".alert", { hasText: "cannot be reached" }).waitFor();
    await tab.unroute(`${worker.url}/**`);
  });
  await tab.getByRole("button", { name: "Try again" }).first().click();
  await tab.locator(".memory > .text", { hasText: "User lives in Oakland" }).waitFor();
  await tab.close();
});

test("an export is taken over again after everything was erased", async () => {
  await does.settings(async (dialog) => {
    await dialog.getByLabel("Key or token").fill(key);
    await dialog.getByLabel("Whose memory").fill("maya");
  });
  await connected("maya");
  await does.view("memories");
  await page.locator(".memory").first().waitFor();
  const before = (await does.listed()).sort();
  await does.view("data");
  await page.locator(".stats dd").first().waitFor();
  await look("data");
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export", exact: true }).click()]);
  const file = join(shots, "export.json");
  await download.saveAs(file);
  for (const format of ["JSON-LD", "GraphML", "Cypher"]) {
    await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: format }).click()]);
    await page.locator("main button:not(:disabled)", { hasText: "Export" }).waitFor();
  }
  await page.getByRole("button", { name: /Erase everything/ }).click();
  await page.getByRole("button", { name: "Erase", exact: true }).click();
  await page.locator(".done", { hasText: "erased" }).waitFor();
  await page.locator(".stats dd", { hasText: /^0$/ }).first().waitFor();
  await page.locator("input[type=file]").setInputFiles(file);
  await page.locator(".done", { hasText: `${before.length} memories were added` }).waitFor({ timeout: 60_000 });
  await does.view("memories");
  await page.locator(".memory").first().waitFor();
  assert.deepEqual((await does.listed()).sort(), before);
  rmSync(file);
});

test("nothing fails silently", () => {
  assert.deepEqual(errors, []);
});
