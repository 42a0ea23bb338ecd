// Encryption in the app: a passphrase for what the browser stores, asked for on opening, and no text left to be read.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "./harness.mjs";
import { look as lookAt, dress, screenshots, serveApp, visitor } from "./site.mjs";

const shots = screenshots("encrypted");
const passphrase = "correct horse battery";
/** What the sample has in its facts and messages, and the app's own words of storage. */
const WORDS = /san francisco|brooklyn|peanut|beagle|biscuit|tokyo|"memory"|created_at/i;

let site;
let browser;
let page;
let does;

before(async () => {
  site = await serveApp();
  browser = await launch();
  page = await browser.open(site);
  page.setDefaultTimeout(20_000);
  does = visitor(page);
  await dress(page);
});
after(async () => {
  await browser?.close();
  site?.stop();
});

const look = (name) => lookAt(page, shots, name);
const door = (page) => page.getByRole("heading", { name: /is encrypted/ });
const type = async (text, again = text) => {
  await page.getByLabel("Passphrase", { exact: true }).fill(text);
  await page.getByLabel("The same again").fill(again);
};
const enter = async (text) => {
  await page.locator(".door").getByLabel("Passphrase").fill(text);
  await page.getByRole("button", { name: "Open", exact: true }).click();
};

/** All bytes of the app's databases as text, and what the page keeps beside them. */
const stored = () =>
  page.evaluate(async () => {
    const raw = [JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage })];
    const done = (request) => new Promise((resolve, reject) => Object.assign(request, { onsuccess: () => resolve(request.result), onerror: () => reject(request.error) }));
    for (const { name, version } of await indexedDB.databases()) {
      const database = await done(indexedDB.open(name, version));
      for (const table of database.objectStoreNames) {
        const store = database.transaction(table).objectStore(table);
        for (const bytes of [...(await done(store.getAllKeys())), ...(await done(store.getAll()))]) raw.push(new TextDecoder("latin1").decode(bytes));
      }
      database.close();
    }
    return raw;
  });
const readable = async () => (await stored()).filter((text) => WORDS.test(text));

test("a memory that is there is encrypted, with its chat, and nothing is lost", async () => {
  await page.locator(".welcome button.primary:not(:disabled)").click();
  await page.locator(".changes > li").nth(7).waitFor();
  await page.locator(".busy").waitFor({ state: "detached" });
  assert.ok((await readable()).length > 3);
  await does.view("memories");
  await page.locator(".memory").first().waitFor();
  const before = await does.listed();
  await does.view("data");
  await page.getByRole("button", { name: "Encrypt …" }).click();
  await page.getByText("Nobody can recover a lost passphrase").waitFor();
  await look("new");
  await type(passphrase, "something else");
  await page.getByRole("button", { name: "Encrypt", exact: true }).click();
  assert.ok((await readable()).length > 3, "what was mistyped encrypts nothing");
  await type(passphrase);
  await page.getByRole("button", { name: "Encrypt", exact: true }).click();
  await page.getByRole("button", { name: "Lock it now" }).waitFor();
  await does.view("memories");
  await page.locator(".memory").first().waitFor();
  assert.deepEqual(await does.listed(), before);
  assert.ok((await page.locator(".turn.user").count()) > 10);
  const all = await stored();
  assert.ok(all.length > 20);
  assert.deepEqual(all.filter((text) => WORDS.test(text)), []);
});

test("it is asked for on opening; a wrong one opens nothing and harms nothing", async () => {
  await page.reload();
  await door(page).waitFor();
  await look("door");
  assert.equal(await page.locator(".turn, .memory").count(), 0);
  await enter("battery staple correct");
  await page.locator(".door .problem", { hasText: "not its passphrase" }).waitFor();
  await enter(passphrase);
  await page.locator(".memory", { hasText: "San Francisco" }).first().waitFor();
  assert.ok((await page.locator(".turn.user").count()) > 10);
  // What is said afterwards is encrypted as well.
  await does.say("I live in Oakland now");
  await page.locator(".memory > .text", { hasText: "User lives in Oakland" }).waitFor();
  await page.locator(".chat .busy").waitFor({ state: "detached" });
  assert.deepEqual((await stored()).filter((text) => /oakland/i.test(text)), []);
  // Other settings are no reason to ask.
  await does.settings(async (dialog) => {
    await dialog.getByText("No model", { exact: true }).click();
    await dialog.getByLabel("Whose memory").fill("maya");
  });
  await page.locator(".who", { hasText: "No model" }).waitFor();
  await page.locator(".memory > .text", { hasText: "Oakland" }).waitFor();
});

test("another tab is locked out as long as it does not know it", async () => {
  const other = await browser.open(site);
  await door(other).waitFor();
  await other.locator(".door").getByLabel("Passphrase").fill(passphrase);
  await other.getByRole("button", { name: "Open", exact: true }).click();
  await other.locator(".who").waitFor();
  await other.close();
});

test("a new memory can be encrypted from the start", async () => {
  await does.settings(async (dialog) => {
    await dialog.getByLabel("Whose memory").fill("ann");
    await dialog.getByLabel("Encrypt it with a passphrase").check();
    await type("another passphrase");
    await look("settings");
  });
  await page.locator(".who", { hasText: "ann" }).waitFor();
  await does.view("data");
  await page.getByRole("button", { name: "Lock it now" }).waitFor();
  await does.view("memories");
  await does.say("My locker in Zanzibar has the number 117");
  await page.locator(".memory", { hasText: "Zanzibar" }).waitFor();
  assert.deepEqual((await stored()).filter((text) => /zanzibar/i.test(text)), []);
  await page.reload();
  await enter(passphrase);
  await page.locator(".door .problem").waitFor();
  await enter("another passphrase");
  await page.locator(".memory", { hasText: "Zanzibar" }).waitFor();
});

test("the passphrase can be changed, the memory locked, and stored unencrypted again", async () => {
  await does.view("data");
  await page.getByRole("button", { name: "Another passphrase …" }).click();
  await type("a third passphrase");
  await page.getByRole("button", { name: "Change the passphrase" }).click();
  await page.getByRole("button", { name: "Another passphrase …" }).waitFor();
  await look("data");
  await page.getByRole("button", { name: "Lock it now" }).click();
  await enter("another passphrase");
  await page.locator(".door .problem").waitFor();
  await enter("a third passphrase");
  page.once("dialog", (dialog) => dialog.accept());
  await page.getByRole("button", { name: "Store it unencrypted …" }).click();
  await page.getByRole("button", { name: "Encrypt …" }).waitFor();
  await page.reload();
  await does.view("memories");
  await page.locator(".memory", { hasText: "Zanzibar" }).waitFor();
  assert.ok(await page.locator(".turn.user", { hasText: "Zanzibar" }).count());
});
