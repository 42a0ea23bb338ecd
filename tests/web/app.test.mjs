// The app as a visitor has it, as a static page: the sample conversation with REPLAYED replies, what is shown of it, and
// that nothing is asked of anybody else. Leaves a screenshot of each view in tests/web/screenshots.
import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launch, root } from "./harness.mjs";
import { dress, look as lookAt, screenshots, serveApp, visitor } from "./site.mjs";

const expected = JSON.parse(readFileSync(join(root, "samples/expected.json"), "utf8"));
const current = expected.memories.filter(({ current }) => current).map(({ text }) => text).sort();
const shots = screenshots("browser");

let site;
let browser;
let page;
const foreign = [];
const errors = [];

let view;
let listed;
let setTime;
let recallCity;

before(async () => {
  site = await serveApp();
  browser = await launch();
  page = await browser.open(site);
  page.setDefaultTimeout(20_000);
  ({ view, listed, setTime, recallCity } = visitor(page));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(new URL(site.url).origin) && !/^(data|blob):/.test(url)) foreign.push(url);
  });
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(String(error)));
  await dress(page);
});
after(async () => {
  await browser?.close();
  site?.stop();
});

const look = (name, { phone } = {}) => lookAt(page, shots, name, { chat: phone === "chat" });

test("a visitor who comes for the first time is told what is here", async () => {
  await page.locator(".welcome button.primary:not(:disabled)").waitFor();
  assert.match(await page.locator("main").innerText(), /Nothing was decided yet/);
  await look("empty", { phone: "chat" });
  for (const name of ["memories", "graph", "recall", "settle"]) {
    await view(name);
    await page.locator("main .empty h3").waitFor();
  }
});

test("the sample conversation is replayed, and every decision is shown with old and new text", async () => {
  await view("changes");
  await page.locator(".welcome button.primary").click();
  await page.locator(".changes > li").nth(7).waitFor();
  await page.locator(".busy").waitFor({ state: "detached" });
  const shown = await page.locator(".changes > li").evaluateAll((cards) =>
    cards.map((card) => ({
      session: card.querySelector("h3").textContent.replaceAll(" ", "-"),
      events: [...card.querySelectorAll(".decision")].map(({ classList }) => classList[1].toUpperCase()).sort(),
    })),
  );
  const wanted = [...new Set(expected.decisions.map(({ session }) => session))].map((session) => ({
    session,
    events: expected.decisions.filter((decision) => decision.session === session).map(({ event }) => event).sort(),
  }));
  assert.deepEqual(shown.toReversed(), wanted);
  const moved = page.locator(".decision.update", { hasText: "San Francisco" }).first();
  assert.match(await moved.locator(".old").innerText(), /New York/);
  assert.match(await moved.locator("ins").first().innerText(), /San Francisco/);
  assert.equal(await page.locator(".turn.user").count() > 10, true);
  await look("changes");
  await page.setViewportSize({ width: 390, height: 844 });
  await view("chat");
  await dress(page);
  await look("chat", { phone: "chat" });
});

test("another memory that is opened while the sample is replayed leaves both chats as they are", async () => {
  const second = await launch();
  try {
    const tab = await second.open(site);
    const crashes = [];
    tab.on("pageerror", (error) => crashes.push(String(error)));
    await tab.setViewportSize({ width: 1280, height: 800 });
    const { settings } = visitor(tab);
    const owner = async (name) => {
      await settings((dialog) => dialog.getByLabel("Whose memory").fill(name));
      await tab.locator(".who", { hasText: name }).waitFor();
      await tab.locator(".busy").waitFor({ state: "detached" });
    };
    await tab.locator(".welcome button.primary:not(:disabled)").click();
    await tab.locator(".changes > li").nth(1).waitFor();
    await tab.locator(".turns .divider").nth(2).waitFor();
    await owner("bob");
    assert.equal(await tab.locator(".turn, .divider, .changes > li").count(), 0);
    await owner("maya");
    assert.equal(await tab.locator(".divider").count(), await tab.locator(".changes > li").count());
    await tab.emulateMedia({ reducedMotion: "reduce" });
    await tab.getByRole("button", { name: /Go on with the sample/ }).click();
    await tab.locator(".changes > li").nth(7).waitFor();
    await tab.locator(".busy").waitFor({ state: "detached" });
    assert.equal(await tab.locator(".divider").count(), 8);
    assert.deepEqual(crashes, []);
  } finally {
    await second.close();
  }
});

test("a reload keeps what is remembered and what was said", async () => {
  await page.reload();
  await view("memories");
  await page.locator(".memory").first().waitFor();
  assert.deepEqual((await listed()).sort(), current);
  assert.equal(await page.locator(".turn.user").count() > 10, true);
  await page.locator(".memory", { hasText: "San Francisco, in a flat" }).locator("summary").click();
  await page.locator(".history li", { hasText: "New York" }).first().waitFor();
  await look("memories");
});

test("memories are filtered by words and by category", async () => {
  await page.getByLabel("Filter by words").fill("peanut");
  assert.equal((await listed()).every((text) => /peanut/i.test(text)), true);
  assert.equal((await listed()).length > 0, true);
  await page.getByLabel("Filter by words").fill("nobody said this");
  assert.match(await page.locator("main").innerText(), /Nothing matches/);
  await page.getByLabel("Filter by words").fill("");
  await page.getByLabel("Category").selectOption("food");
  assert.equal((await listed()).length > 0 && (await listed()).length < current.length, true);
  await page.getByLabel("Category").selectOption("");
});

test("the time slider lists what was known then", async () => {
  await setTime("0");
  await page.locator(".count", { hasText: "as known on Jan 10, 2026" }).waitFor();
  const then = await listed();
  assert.ok(then.includes("User lives in New York, in a small flat in Brooklyn"));
  assert.ok(then.includes("User is a vegetarian"));
  assert.ok(!then.some((text) => /San Francisco|Tokyo/.test(text)));
  await look("memories-past");
  await setTime();
  assert.deepEqual((await listed()).sort(), current);
});

test("the graph is drawn, and a relation shows what it rests on", async () => {
  await view("graph");
  await page.locator(".node[aria-label^='Biscuit']").focus();
  assert.match(await page.locator(".provenance").innerText(), /beagle/);
  const biscuit = page.locator(".node[aria-label^='Biscuit']");
  const from = await biscuit.locator("circle").boundingBox();
  await page.mouse.move(from.x + from.width / 2, from.y + from.height / 2);
  await page.mouse.down();
  await page.mouse.move(from.x + 90, from.y + 60, { steps: 6 });
  const held = await biscuit.locator("circle").boundingBox();
  assert.ok(Math.hypot(held.x - from.x, held.y - from.y) > 40, "the circle follows the pointer");
  await page.mouse.up();
  await page.locator("main .as-list summary").click();
  assert.match(await page.locator("main .as-list").innerText(), /lives in\s+San Francisco/);
  await page.locator("main .as-list summary").click();
  await look("graph");
});

test("recall shows receipts, and answers of the past", async () => {
  await recallCity();
  assert.match(await page.locator(".count").innerText(), /in \d+\.\d ms/);
  await look("recall");
  await setTime("1");
  await page.locator(".hit .answer > .text", { hasText: "New York" }).first().waitFor();
  await setTime();
  await page.locator(".hit .answer > .text", { hasText: "San Francisco" }).first().waitFor();
});

test("recall works without network", async () => {
  await browser.context.setOffline(true);
  try {
    await page.getByRole("searchbox", { name: "Question" }).fill("Who is Mel?");
    await page.keyboard.press("Enter");
    await page.locator(".hit .answer > .text", { hasText: "sister" }).first().waitFor();
  } finally {
    await browser.context.setOffline(false);
  }
});

test("a message changes the memory while one looks at it", async () => {
  await view("memories");
  await page.getByLabel("Message", { exact: true }).fill("I live in Oakland now");
  await page.keyboard.press("Enter");
  await page.locator(".memory > .text", { hasText: "User lives in Oakland" }).waitFor();
  // What no reply is known for is kept word for word, and the page says so.
  await page.getByLabel("Message", { exact: true }).fill("My locker has the number 117");
  await page.keyboard.press("Enter");
  await view("changes");
  await page.locator(".changes > li", { hasText: "locker" }).locator(".note", { hasText: "word for word" }).waitFor();
});

test("settings, data and what there is to settle", async () => {
  await view("settle");
  await page.getByRole("button", { name: "Show an example" }).click();
  const both = page.locator(".contradiction");
  await both.getByRole("heading", { name: /Austin/ }).waitFor();
  assert.match(await both.innerText(), /Denver/);
  assert.equal(await page.locator('nav a[data-view="settle"] .badge').innerText(), "1");
  await look("settle");
  await both.locator(".side", { hasText: "Austin" }).getByRole("button").click();
  await both.locator(".side", { hasText: "Austin" }).locator(".tag", { hasText: "this is true" }).waitFor();
  assert.match(await page.locator("main").innerText(), /Nothing else contradicts itself[^]*Settled/);
  await view("data");
  await page.locator(".stats dd").first().waitFor();
  await look("data");
  await page.getByRole("button", { name: "Settings", exact: true }).click();
  await page.getByText("Your own key", { exact: true }).click();
  await page.getByLabel("Model’s name").waitFor();
  await look("settings");
  await page.keyboard.press("Escape");
});

test("an export is taken over again after everything was erased", async () => {
  await view("data");
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export", exact: true }).click()]);
  const file = join(shots, "export.json");
  await download.saveAs(file);
  await page.getByRole("button", { name: /Erase everything/ }).click();
  await page.getByRole("button", { name: "Erase", exact: true }).click();
  await page.locator(".done", { hasText: "erased" }).waitFor();
  assert.equal(await page.locator(".stats dd").first().innerText(), "0");
  assert.equal(await page.locator(".turn").count(), 0);
  await page.reload();
  await view("memories");
  await page.locator("main .empty").waitFor();
  await view("data");
  await page.locator("main button:not(:disabled)", { hasText: "Import" }).waitFor();
  await page.locator("input[type=file]").setInputFiles(file);
  await page.locator(".done", { hasText: "what the file says" }).waitFor();
  await view("memories");
  await page.locator(".memory > .text", { hasText: "User lives in Oakland" }).waitFor();
  rmSync(file);
});

test("colours follow the system until the visitor says otherwise", async () => {
  const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
  assert.equal(await theme(), "light");
  await page.getByRole("button", { name: "Dark colours" }).click();
  assert.equal(await theme(), "dark");
  await page.reload();
  assert.equal(await theme(), "dark");
  await page.getByRole("button", { name: "Light colours" }).click();
});

test("a model of the visitor's own answers with what is remembered, and its facts are kept", async () => {
  const asked = [];
  let down = false;
  await page.route("http://localhost:11434/v1/chat/completions", async (route) => {
    const headers = { "access-control-allow-origin": "*", "access-control-allow-headers": "*" };
    if (down) return route.abort();
    if (route.request().method() === "OPTIONS") return route.fulfill({ status: 204, headers });
    const body = route.request().postDataJSON();
    asked.push(body);
    const facts = [{ text: "User has two cats, Tom and Lou", category: "family", attributed_to: "user", valid_from: null, valid_to: null, standing: false, entities: [{ name: "Tom", type: "animal" }], relations: [], sources: [1] }];
    const content = body.response_format ? JSON.stringify({ facts: /cats/.test(JSON.stringify(body.messages.at(-1))) ? facts : [] }) : "Noted.";
    return route.fulfill({ headers, json: { choices: [{ message: { role: "assistant", content }, finish_reason: "stop" }] } });
  });
  await page.getByRole("button", { name: "Settings", exact: true }).click();
  await page.getByText("Ollama on this machine", { exact: true }).click();
  await page.getByLabel("Model’s name").fill("a-model");
  await page.getByRole("button", { name: "Use these" }).click();
  await view("memories");
  await page.getByLabel("Message", { exact: true }).fill("I have two cats, Tom and Lou.");
  await page.getByRole("button", { name: "Send" }).click();
  await page.locator(".turn.assistant", { hasText: "Noted." }).waitFor();
  await page.locator(".memory > .text", { hasText: "User has two cats" }).waitFor();
  await page.locator(".chat .busy").waitFor({ state: "detached" });
  await page.getByLabel("Message", { exact: true }).fill("What are my cats called?");
  await page.getByRole("button", { name: "Send" }).click();
  await page.locator(".turn.assistant").nth(1).waitFor();
  await page.locator(".chat .busy").waitFor({ state: "detached" });
  const answers = asked.filter((body) => !body.response_format && !body.tools);
  assert.match(answers.at(-1).messages[0].content, /two cats, Tom and Lou/);
  // A model that cannot be reached loses nothing: the page says so, and later what came of it.
  down = true;
  await view("changes");
  await page.getByLabel("Message", { exact: true }).fill("My cats are twins.");
  await page.getByRole("button", { name: "Send" }).click();
  await page.locator(".changes .problem", { hasText: "The words are stored" }).waitFor();
  assert.match(await page.locator(".alert").innerText(), /cannot be reached. Is it running/);
  down = false;
  await page.locator(".changes > li").first().locator(".decision", { hasText: "two cats" }).waitFor();
  await page.getByRole("button", { name: "Dismiss" }).click();
});

test("a server that cannot be reached is told with what to do", async () => {
  await page.getByRole("button", { name: "Settings", exact: true }).click();
  await page.getByText("On a server", { exact: true }).click();
  await page.getByLabel("Address").first().fill("http://127.0.0.1:9");
  await page.getByRole("button", { name: "Use these" }).click();
  assert.match(await page.locator(".alert").innerText(), /cannot be reached.*Check the address/s);
  await look("problem", { phone: "chat" });
});

test("nothing is asked of anybody else, and nothing fails silently", () => {
  assert.deepEqual(foreign.filter((url) => !/^http:\/\/(127\.0\.0\.1:9|localhost:11434)\//.test(url)), []);
  assert.deepEqual(errors.filter((text) => !/ERR_CONNECTION_REFUSED|ERR_UNSAFE_PORT|ERR_FAILED|127\.0\.0\.1:9/.test(text)), []);
});
