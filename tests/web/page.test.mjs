// The sample conversation in a page, with REPLAYED replies: what it leaves behind, that it is still there after a
// reload, without network, in other tabs, and when the tab that writes is killed.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { modelServer } from "../model-server/start.mjs";
import { launch, root, serve } from "./harness.mjs";
import { repeatable, told } from "./repeatable.mjs";

const read = (file) => JSON.parse(readFileSync(join(root, "samples", file), "utf8"));
const { sessions } = read("conversation.json");
const expected = read("expected.json");
const wanted = expected.memories.filter(({ current }) => current).map(({ text }) => text).sort();
const userId = expected.user_id;

let models;
let site;
let browser;
let page;

/** Opens the memory of the sample in a page, as `window.memory`. */
async function open(tab, options = {}) {
  await tab.evaluate(
    async (options) => {
      const { Memory } = await import("edgemem");
      const llm = { baseURL: `${location.origin}/models/v1`, model: "replayed", apiKey: "replayed", timeout: 5 };
      window.memory = await Memory.open({ name: "sample", llm, ...options });
    },
    { userId, ...options },
  );
  return tab;
}

const texts = (tab) => tab.evaluate(async () => (await window.memory.getAll({ pageSize: 200 })).results.map(({ memory }) => memory).sort());

before(async () => {
  models = await modelServer("samples/cassettes", "tests/cassettes");
  site = await serve({ models: models.url });
  browser = await launch();
  page = await open(await browser.open(site));
});
after(async () => {
  await browser?.close();
  site?.stop();
  models?.stop();
});

test("the sample conversation is remembered, with every decision as expected", async () => {
  const decisions = await page.evaluate(async (sessions) => {
    const decisions = [];
    for (const { id, time, messages } of sessions) {
      const phases = [];
      const added = await window.memory.add(messages, { timestamp: time, onProgress: ({ phase }) => phases.push(phase) });
      if (added.status !== "SUCCEEDED") throw new Error(JSON.stringify(added));
      decisions.push({ id, phases, results: added.results });
    }
    return decisions;
  }, sessions);
  for (const { id, phases, results } of decisions) {
    assert.equal(phases[0], "stored", id);
    assert.equal(phases.at(-1), "done", id);
    const here = expected.decisions.filter(({ session }) => session === id);
    assert.deepEqual(results.map(({ event }) => event).sort(), here.map(({ event }) => event).sort(), id);
  }
  assert.deepEqual(await texts(page), wanted);
});

test("what a page stores of the sample is, to the byte, what every host stores", async () => {
  const tab = await browser.open(site);
  const digest = await tab.evaluate(`(async () => {
    const setTime = (${repeatable})();
    const { Memory } = await import("edgemem");
    const llm = { baseURL: location.origin + "/models/v1", model: "replayed", apiKey: "replayed", timeout: 5 };
    const memory = await Memory.open({ name: "digest", userId: "storyteller", llm });
    return (${told})(memory, ${JSON.stringify(sessions)}, setTime);
  })()`);
  assert.equal(digest, read("digest.json").digest);
  await tab.close();
});

test("what it answers has the names of mem0's client", async () => {
  const { hit, history, graph, context } = await page.evaluate(async () => {
    const { results } = await window.memory.search("Which city does the user live in?", { explain: true, topK: 3 });
    const history = await window.memory.history(results[0].id);
    const graph = await window.memory.graph();
    const context = await window.memory.context("Where does the user live?", { budgetTokens: 200 });
    return { hit: results[0], history, graph, context };
  });
  assert.match(hit.memory, /San Francisco/);
  assert.equal(hit.userId, userId);
  assert.ok(hit.score > 0.3 && hit.createdAt && hit.receipt.channels.length > 0);
  assert.equal(history.at(-1).newMemory, hit.memory);
  assert.ok(graph.relations.some(({ source, target, validFrom }) => source && target && validFrom !== undefined));
  assert.match(context.context, /San Francisco/);
});

test("a reload keeps everything, and recall needs no network", async () => {
  await page.reload();
  await open(page);
  await browser.context.setOffline(true);
  try {
    assert.deepEqual(await texts(page), wanted);
    const { memory } = await page.evaluate(async () => (await window.memory.search("Which city does the user live in?")).results[0]);
    assert.match(memory, /San Francisco/);
  } finally {
    await browser.context.setOffline(false);
  }
});

test("all memories are read page by page, each once", async () => {
  const listed = await page.evaluate(async () => {
    const all = [];
    for await (const { memory } of window.memory.list({ pageSize: 3 })) all.push(memory);
    return all;
  });
  assert.deepEqual(listed.sort(), wanted);
});

test("errors are errors with stable codes, and an abort ends the waiting", async () => {
  const found = await page.evaluate(async () => {
    const { Memory, MemoryError, MemoryNotFoundError, ValidationError } = await import("edgemem");
    const { memory } = window;
    const thrown = async (promise) => {
      try {
        await promise;
      } catch (error) {
        return error;
      }
      return undefined;
    };
    const empty = await thrown(memory.search(" "));
    const gone = await thrown(memory.delete("3f2504e0-4f89-81d3-9a0c-0305e82c3301"));
    const none = await memory.get("3f2504e0-4f89-81d3-9a0c-0305e82c3301");
    const nobody = await thrown(new Memory({ persistence: "none" }).getAll());
    const aborted = await thrown(memory.search("x", { signal: AbortSignal.abort() }));
    const config = await thrown(Memory.open({ persistence: "none", llm: { baseURL: "ftp://x", model: "m" } }));
    return {
      empty: [empty.code, empty.name, empty instanceof ValidationError, empty instanceof MemoryError, empty instanceof Error],
      gone: [gone.code, gone instanceof MemoryNotFoundError],
      none,
      nobody: nobody.code,
      aborted: aborted.name,
      config: [config.code, config.message],
    };
  });
  assert.deepEqual(found.empty, ["empty_query", "ValidationError", true, true, true]);
  assert.deepEqual(found.gone, ["memory_not_found", true]);
  assert.equal(found.none, null);
  assert.equal(found.nobody, "scope_required");
  assert.equal(found.aborted, "AbortError");
  assert.equal(found.config[0], "bad_configuration");
  assert.match(found.config[1], /llm\.baseURL/);
});

test("two tabs agree, and each is told what the other did", async () => {
  const other = await open(await browser.open(site));
  assert.deepEqual(await texts(other), wanted);
  const told = other.evaluate(
    () =>
      new Promise((resolve) => {
        const stop = window.memory.onChange(() => {
          stop();
          resolve(true);
        });
      }),
  );
  await page.evaluate(() => window.memory.add("My locker has the number 117", { infer: false }));
  assert.equal(await told, true);
  const [hit] = await other.evaluate(async () => (await window.memory.search("locker number")).results);
  assert.equal(hit.memory, "My locker has the number 117");
  // The tab that does not write changes things as well.
  await other.evaluate((id) => window.memory.delete(id), hit.id);
  assert.deepEqual(await texts(page), wanted);
  await other.close();
});

test("when the tab that writes is killed, the next takes over and nothing acknowledged is lost", async () => {
  const other = await open(await browser.open(site));
  const stored = await page.evaluate(async () => (await window.memory.add("I keep bees on the roof", { infer: false })).status);
  assert.equal(stored, "SUCCEEDED");
  // Accepted, and not yet worked on: the model does not answer before the tab is gone.
  await models.fail({ kind: "hang" });
  await page.evaluate(async () => {
    await window.memory.add(
      [{ role: "user", content: "I'd like you to remember that I play the cello on Sundays" }],
      { asyncMode: true },
    );
  });
  const crashed = page.waitForEvent("crash");
  page.goto("chrome://crash").catch(() => {});
  await crashed;
  await models.release();
  await models.reset();
  const [bees] = await other.evaluate(async () => (await window.memory.search("bees", { signal: AbortSignal.timeout(10_000) })).results);
  assert.equal(bees.memory, "I keep bees on the roof");
  const [cello] = await other.evaluate(async () => (await window.memory.search("cello on Sundays", { transcript: "always" })).results);
  assert.match(cello.memory, /cello/);
  await other.close();
});

test("a browser that is ended keeps what was acknowledged", async () => {
  const { profile } = browser;
  await browser.close();
  browser = await launch(profile);
  page = await open(await browser.open(site));
  const kept = await texts(page);
  assert.ok(kept.includes("I keep bees on the roof"));
  for (const text of wanted) assert.ok(kept.includes(text), text);
});

test("a worker of the page has the same memory", async () => {
  const worker = `
    import("${site.url}/dist/entry/browser.js").then(async ({ Memory }) => {
      const memory = await Memory.open({ name: "sample", userId: "${userId}" });
      const { count } = await memory.getAll();
      postMessage(count);
    }).catch((error) => postMessage(String(error)));`;
  const count = await page.evaluate(
    (source) =>
      new Promise((resolve) => {
        const made = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })), { type: "module" });
        made.onmessage = ({ data }) => resolve(data);
        made.onerror = (event) => resolve(event.message);
      }),
    worker,
  );
  assert.equal(count, (await texts(page)).length);
});

test("an export has everything, and another browser takes it over", async () => {
  const { before, file } = await page.evaluate(async () => {
    const { results } = await window.memory.search("Which city does the user live in?");
    return { before: { id: results[0].id, history: await window.memory.history(results[0].id) }, file: await window.memory.export() };
  });
  const second = await launch();
  try {
    const tab = await open(await second.open(site));
    await tab.evaluate((file) => window.memory.import(file), file);
    assert.deepEqual(await texts(tab), await texts(page));
    const after = await tab.evaluate(async (id) => ({ id, history: await window.memory.history(id) }), before.id);
    assert.deepEqual(after, before);
    const refusals = await tab.evaluate(async (file) => {
      const code = (promise) => promise.then(() => "taken", ({ code }) => code);
      const other = await code(window.memory.import(file, { userId: "somebody else" }));
      const full = await code(window.memory.import(file));
      const junk = await code(window.memory.import("junk"));
      const replaced = await code(window.memory.import(file, { replace: true }));
      return { other, full, junk, replaced };
    }, file);
    assert.deepEqual(refusals, { other: "wrong_space", full: "not_empty", junk: "bad_backup", replaced: "taken" });
    assert.deepEqual(await texts(tab), await texts(page));
  } finally {
    await second.close();
  }
});

test("encrypted, nothing can be read in the database, and a wrong passphrase opens nothing", async () => {
  const { raw, found, wrong, without } = await page.evaluate(async () => {
    const { Memory } = await import("edgemem");
    const options = { name: "secret", userId: "maya", embedder: "builtin", encryption: { passphrase: "correct horse" } };
    const memory = await Memory.open(options);
    await memory.add("Zanzibar is where I hid the treasure", { infer: false, metadata: { topic: "Treasure" } });
    await memory.close();

    const raw = [];
    for (const { name, version } of await indexedDB.databases()) {
      if (!name.startsWith("edgemem/secret/")) continue;
      const database = await new Promise((resolve) => {
        const request = indexedDB.open(name, version);
        request.onsuccess = () => resolve(request.result);
      });
      for (const table of database.objectStoreNames) {
        const store = database.transaction(table).objectStore(table);
        const all = (request) => new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
        const [keys, records] = [await all(store.getAllKeys()), await all(database.transaction(table).objectStore(table).getAll())];
        for (const bytes of [...keys, ...records]) raw.push(new TextDecoder("latin1").decode(bytes));
      }
      database.close();
    }
    const code = async (options) => {
      try {
        const memory = await Memory.open(options);
        await memory.close();
        return "opened";
      } catch ({ code }) {
        return code;
      }
    };
    const wrong = await code({ ...options, encryption: { passphrase: "battery staple" } });
    const without = await code({ ...options, encryption: undefined });
    const again = await Memory.open(options);
    const found = (await again.search("Where is the treasure?")).results[0].memory;
    await again.close();
    return { raw, found, wrong, without };
  });
  assert.equal(found, "Zanzibar is where I hid the treasure");
  assert.equal(wrong, "storage_wrong_key");
  assert.equal(without, "storage_encrypted");
  assert.ok(raw.length > 5);
  for (const text of raw) assert.doesNotMatch(text, /zanzibar|treasure|maya|topic|memory|version"?:1,"id/i);
});

test("a memory is encrypted later, and tabs that do not know the passphrase are told", async () => {
  const tabs = [await browser.open(site), await browser.open(site)];
  const openIn = (tab, encryption) =>
    tab.evaluate(async (encryption) => {
      const { Memory } = await import("edgemem");
      window.memory = await Memory.open({ name: "later", userId: "maya", encryption });
    }, encryption);
  for (const tab of tabs) await openIn(tab);
  await tabs[0].evaluate(() => window.memory.add("The treasure is in Zanzibar", { infer: false }));
  // The second tab does not write: what it asks for is done by the first.
  await tabs[1].evaluate(async () => {
    await window.memory.encrypt({ passphrase: "correct horse" });
    await window.memory.close();
  });
  const refused = await tabs[0].evaluate(() => window.memory.getAll().then(() => "answered", ({ code, name }) => [code, name]));
  assert.deepEqual(refused, ["storage_encrypted", "StorageError"]);
  await openIn(tabs[1], { passphrase: "correct horse" });
  const found = () => tabs[1].evaluate(async () => (await window.memory.search("Where is the treasure?")).results.map(({ memory }) => memory));
  assert.deepEqual(await found(), ["The treasure is in Zanzibar"]);
  // A memory of nothing, and one that is no longer to be encrypted.
  const code = await tabs[1].evaluate(async () => {
    const { Memory } = await import("edgemem");
    await window.memory.encrypt(null);
    await window.memory.close();
    const empty = await Memory.open({ name: "nothing yet", userId: "maya" });
    await empty.encrypt({ passphrase: "correct horse" });
    await empty.close();
    return Memory.open({ name: "nothing yet", userId: "maya" }).then(() => "opened", ({ code }) => code);
  });
  assert.equal(code, "storage_encrypted");
  await openIn(tabs[1]);
  assert.deepEqual(await found(), ["The treasure is in Zanzibar"]);
  for (const tab of tabs) await tab.close();
});

test("the embedder's table is loaded only where it is used", async () => {
  const tables = () => site.requests.filter((path) => path.endsWith("builtin.bin")).length;
  const before = tables();
  const tab = await browser.open(site);
  const found = await tab.evaluate(async () => {
    const { Memory } = await import("edgemem");
    const embed = async (texts) => texts.map((text) => [/cello|instrument/.test(text) ? 1 : 0, 1, text.length / 1000]);
    const memory = await Memory.open({ persistence: "none", userId: "u", embedder: { model: "toy", embed } });
    await memory.add("I play the cello", { infer: false });
    return (await memory.search("which instrument")).results.map(({ memory }) => memory);
  });
  assert.deepEqual(found, ["I play the cello"]);
  assert.equal(tables(), before);
  await tab.close();
});

test("where the files beside the package are not served, the error says which and what to do", async () => {
  const tab = await browser.open(site);
  // Servers of single pages answer every path by the page.
  const page = { status: 200, contentType: "text/html", body: "<!doctype html>" };
  const tell = async (file) => {
    await tab.route(`**/${file}`, (route) => route.fulfill(page));
    const told = await tab.evaluate(async () => {
      const { Memory } = await import("edgemem");
      return Memory.open({ persistence: "none", userId: "u" }).then(() => "opened", ({ code, message }) => [code, message]);
    });
    await tab.unroute(`**/${file}`);
    return told;
  };
  const [engine, about] = await tell("edgemem_bg.wasm");
  assert.equal(engine, "engine_unavailable");
  assert.match(about, /edgemem_bg\.wasm.*Vite/);
  const [table] = await tell("builtin.bin");
  assert.equal(table, "table_unavailable");
  assert.equal(await tell("nothing"), "opened");
  await tab.close();
});
