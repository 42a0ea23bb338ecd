// A page on a server's memory, by the npm package: keys, and tokens of users that expire and are got anew.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { pathToFileURL } from "node:url";
import { serve as serveWorker } from "../worker/harness.mjs";
import { folder, launch, root, serve } from "./harness.mjs";

const operator = "0123456789abcdef-operator";
const secret = "0123456789abcdef0123456789abcdef";
let worker;
let site;
let browser;
let page;
let tokenFor;
/** The lives of the tokens that the page's server gives next, in seconds; an error is thrown. */
let lives = [];
let minted = 0;
/** What the Worker said to each request, in order. */
let statuses = [];

/** The module of docs/keys.md that signs tokens, as a reader would copy it. */
async function documented() {
  const [, module] = /```js\n(\/\/ token\.mjs\n[^]*?)```/.exec(readFileSync(join(root, "docs/keys.md"), "utf8"));
  const file = join(folder(), "token.mjs");
  writeFileSync(file, module);
  process.env.EDGEMEM_TOKEN_SECRET = secret;
  return (await import(pathToFileURL(file))).tokenFor;
}

before(async () => {
  tokenFor = await documented();
  worker = await serveWorker({ vars: { EDGEMEM_API_KEYS: operator, EDGEMEM_TOKEN_SECRET: secret } });
  site = await serve();
  browser = await launch();
  page = await browser.open(site);
  await page.exposeFunction("mint", (user) => {
    minted++;
    const life = lives.length > 1 ? lives.shift() : lives[0];
    if (life instanceof Error) throw life;
    return typeof life === "string" ? life : tokenFor(user, life);
  });
  page.on("response", (answer) => {
    if (answer.url().startsWith(worker.url) && answer.request().method() !== "OPTIONS") statuses.push(answer.status());
  });
  await page.evaluate(async (host) => {
    const { Memory } = await import("edgemem");
    window.connect = (options) => Memory.connect({ host, ...options });
    window.tried = async (what) => {
      try {
        return { value: await what() };
      } catch (error) {
        const { name, code, status, message, cause } = error;
        return { name, code, status, message, cause: cause && String(cause) };
      }
    };
  }, worker.url);
});
after(async () => {
  await browser?.close();
  site?.stop();
  await worker?.stop();
});
beforeEach(() => {
  lives = [600];
  minted = 0;
  statuses = [];
});

/** A search with a token of zoe's from the page's server. */
const searched = () => page.evaluate(() => window.tried(async () => (await window.zoe.search("What do I play?")).results[0].memory));

test("a key opens the memory that a call names", async () => {
  const found = await page.evaluate(async (apiKey) => {
    const memory = window.connect({ apiKey, userId: "ann" });
    await memory.add("I keep bees", { infer: false });
    return (await memory.search("Which animals do I keep?")).results.map(({ memory }) => memory);
  }, operator);
  assert.deepEqual(found, ["I keep bees"]);
});

test("a token opens its user's memory, and is asked for once", async () => {
  const found = await page.evaluate(async () => {
    window.zoe = window.connect({ apiKey: () => window.mint("zoe") });
    await Promise.all([window.zoe.stats(), window.zoe.contradictions(), window.zoe.graph()]);
    await window.zoe.add("I play the cello", { infer: false });
    return window.zoe.search("What do I play?");
  });
  assert.deepEqual(found.results.map(({ memory, userId }) => [memory, userId]), [["I play the cello", "zoe"]]);
  assert.equal(minted, 1);
  // A function that has its token already needs no promise.
  const token = tokenFor("zoe");
  const count = await page.evaluate(async (token) => (await window.connect({ apiKey: () => token }).stats()).totalMemories, token);
  assert.equal(count, 1);
});

test("a page whose tokens are short goes on when they expire", async () => {
  lives = [1, 600];
  await page.evaluate(async () => {
    window.zoe = window.connect({ apiKey: () => window.mint("zoe") });
    await window.zoe.stats();
  });
  await new Promise((done) => setTimeout(done, 1_500));
  statuses = [];
  assert.deepEqual(await searched(), { value: "I play the cello" });
  assert.deepEqual([minted, statuses], [2, [401, 200]]);
  // What was added in vain is added once.
  lives = [-10, 600];
  const counts = await page.evaluate(async () => {
    const zoe = window.connect({ apiKey: () => window.mint("zoe") });
    await zoe.add("I sail on Sundays", { infer: false });
    return (await zoe.getAll()).results.filter(({ memory }) => /sail/.test(memory)).length;
  });
  assert.equal(counts, 1);
});

test("requests that find their token expired share the next", async () => {
  lives = [-10, 600];
  const found = await page.evaluate(async () => {
    const zoe = window.connect({ apiKey: () => window.mint("zoe") });
    const all = await Promise.all(Array.from({ length: 6 }, () => zoe.search("What do I play?")));
    return all.map(({ results }) => results[0].memory);
  });
  assert.deepEqual(new Set(found), new Set(["I play the cello"]));
  assert.equal(minted, 2);
});

test("a request is tried twice, and no more", async () => {
  lives = [-10, -20, -30, -40, -50];
  await page.evaluate(() => void (window.zoe = window.connect({ apiKey: () => window.mint("zoe") })));
  const refused = await searched();
  assert.deepEqual([refused.name, refused.code, refused.status], ["AuthenticationError", "token_expired", 401]);
  assert.deepEqual([minted, statuses], [2, [401, 401]]);
  // The same token again would be refused again.
  lives = [tokenFor("zoe", -10)];
  await page.evaluate(() => void (window.zoe = window.connect({ apiKey: () => window.mint("zoe") })));
  statuses = [];
  assert.equal((await searched()).code, "token_expired");
  assert.deepEqual(statuses, [401]);
});

test("a function that gives no token is an error that says so, until it gives one", async () => {
  lives = [new Error("you are logged out"), "", 600];
  await page.evaluate(() => void (window.zoe = window.connect({ apiKey: () => window.mint("zoe") })));
  const failed = await searched();
  assert.deepEqual([failed.name, failed.code], ["AuthenticationError", "token_unavailable"]);
  assert.match(failed.message, /apiKey\(\).*you are logged out/);
  assert.match(failed.cause, /you are logged out/);
  const empty = await searched();
  assert.equal(empty.code, "token_unavailable");
  assert.deepEqual(statuses, []);
  assert.deepEqual(await searched(), { value: "I play the cello" });
});

test("what is refused has a code, and says what to do", async () => {
  await page.route("**/elsewhere/**", (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html>" }));
  const told = await page.evaluate(
    async ({ expired, zoe, elsewhere }) => {
      const asked = (options, what = (memory) => memory.stats()) => window.tried(() => what(window.connect(options)));
      return {
        none: await asked({}),
        wrong: await asked({ apiKey: "not-a-key-of-this-server" }),
        copied: await asked({ apiKey: "sk-… or so" }),
        expired: await asked({ apiKey: expired }),
        other: await asked({ apiKey: zoe, userId: "ann" }),
        project: await asked({ apiKey: zoe }, (memory) => memory.deleteAll({ userId: "*" })),
        page: await asked({ host: elsewhere, apiKey: zoe }),
        nobody: await asked({ host: "http://127.0.0.1:9", apiKey: zoe }),
      };
    },
    { expired: tokenFor("zoe", -10), zoe: tokenFor("zoe"), elsewhere: `${site.url}/elsewhere` },
  );
  const kinds = Object.fromEntries(Object.entries(told).map(([what, { name, code }]) => [what, [name, code]]));
  assert.deepEqual(kinds, {
    none: ["AuthenticationError", "missing_api_key"],
    wrong: ["AuthenticationError", "invalid_api_key"],
    copied: ["AuthenticationError", "invalid_api_key"],
    expired: ["AuthenticationError", "token_expired"],
    other: ["AuthenticationError", "bound_to_another_user"],
    project: ["AuthenticationError", "bound_to_another_user"],
    page: ["NetworkError", "not_edgemem"],
    nobody: ["NetworkError", "server_unreachable"],
  });
  assert.match(told.copied.message, /copy it anew/);
  assert.match(told.expired.message, /apiKey as a function/);
  assert.match(told.page.message, /is this its address/);
});
