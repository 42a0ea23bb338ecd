// Every storage passes the suite of the core: IndexedDB in Chromium, the tables in memory and SQLite in Node, each
// plain and encrypted.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { folder, launch, npm, root, serve } from "./harness.mjs";

const suite = join(root, "tests/web/build");
let site;
let browser;

before(async () => {
  site = await serve();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  site?.stop();
});

for (const encryption of [undefined, { passphrase: "correct horse" }]) {
  const how = encryption ? ", encrypted" : "";

  test(`IndexedDB${how}`, async () => {
    const page = await browser.open(site);
    const passed = await page.evaluate(async (encryption) => {
      const [{ default: init, conformance }, { inIndexedDb }, { encrypted }] = await Promise.all([
        import("/suite/edgemem.js"),
        import("/dist/storage/indexeddb.js"),
        import("/dist/storage/encrypted.js"),
      ]);
      await init();
      const store = encrypted(inIndexedDb(`suite${encryption ? 2 : 1}`), encryption);
      const database = await store.open("0000000000000001");
      try {
        return await conformance(database);
      } finally {
        database.close();
      }
    }, encryption);
    assert.match(passed, /^15 cases passed$/);
    await page.close();
  });

  test(`SQLite and tables in memory${how}`, async () => {
    const { initSync, conformance } = await import(join(suite, "edgemem.js"));
    initSync({ module: readFileSync(join(suite, "edgemem_bg.wasm")) });
    const { encrypted } = await import(join(npm, "dist/storage/encrypted.js"));
    const { inFiles } = await import(join(npm, "dist/storage/sqlite.js"));
    const { inMemory } = await import(join(npm, "dist/storage/memory.js"));
    for (const store of [inFiles(folder(), "suite"), inMemory()]) {
      const database = await encrypted(store, encryption).open("0000000000000001");
      assert.match(await conformance(database), /^15 cases passed$/);
      database.close();
    }
  });
}

test("what is stored is encrypted later, by another passphrase, and no longer: all of it or nothing", async () => {
  const { encrypted, reencrypt } = await import(join(npm, "dist/storage/encrypted.js"));
  const { inFiles } = await import(join(npm, "dist/storage/sqlite.js"));
  const { inMemory } = await import(join(npm, "dist/storage/memory.js"));
  const text = (bytes) => Buffer.from(bytes).toString("latin1");
  const rows = [["space", "meta", "Maya"], ["entities", "name/maya", "Maya"], ["memories", "0001", "I hid it in Zanzibar"], ["memories", "0002", ""]];
  const [none, first, second] = [undefined, { passphrase: "correct horse" }, { passphrase: "battery staple" }];
  for (const store of [inFiles(folder(), "later"), inMemory()]) {
    const plain = await store.open("one");
    await plain.commit(rows.map(([table, key, value]) => ["put", table, key, Buffer.from(value)]));
    plain.close();
    const read = async (encryption) => {
      const database = await encrypted(store, encryption).open("one");
      const all = [];
      for (const table of ["space", "entities", "memories"]) {
        const found = await database.scan(table, undefined, true, Infinity);
        for (let at = 0; at < found.length; at += 2) all.push([table, found[at], text(found[at + 1])]);
      }
      database.close();
      return all;
    };
    const raw = async () => {
      const database = await store.open("one");
      const all = [];
      for (const table of ["space", "entities", "memories"]) all.push(...(await database.scan(table, undefined, true, Infinity)));
      database.close();
      return all.map((part) => (typeof part === "string" ? part : text(part))).join("\n");
    };
    for (const [from, to] of [[none, first], [first, second], [second, none]]) {
      await assert.rejects(reencrypt(withFailingCommits(store), "one", from, to), /full/);
      assert.deepEqual(await read(from), rows);
      await assert.rejects(reencrypt(store, "one", { passphrase: "wrong" }, to), /key|unencrypted/);
      await reencrypt(store, "one", from, to);
      assert.deepEqual(await read(to), rows);
      assert.equal(/maya|zanzibar/i.test(await raw()), to === none);
      await assert.rejects(read(from), /key|unencrypted|encrypted/);
    }
  }
});

/** The same store, which takes no commit. */
function withFailingCommits(store) {
  return {
    shared: store.shared,
    async open(space) {
      const database = await store.open(space);
      return {
        get: (...asked) => database.get(...asked),
        scan: (...asked) => database.scan(...asked),
        commit: () => Promise.reject(new Error("full")),
        close: () => database.close(),
      };
    },
  };
}

test("what was read ahead is what is stored, until something is written", async () => {
  const { AheadStore } = await import(join(npm, "dist/storage/ahead.js"));
  const { inMemory } = await import(join(npm, "dist/storage/memory.js"));
  const inner = inMemory();
  const stored = await inner.open("one");
  const put = (table, number) => ["put", table, String(number).padStart(4, "0"), Uint8Array.of(1, number % 256)];
  const numbers = (count) => Array.from({ length: count }, (_, number) => number);
  const rows = { space: 1, jobs: 512, index: 700, memories: 900 };
  await stored.commit(Object.entries(rows).flatMap(([table, count]) => numbers(count).map((number) => put(table, number))));
  const pages = async (database, table, limit) => {
    const all = [];
    for (let after; ; ) {
      const page = await database.scan(table, after, after === undefined, limit);
      if (page.length === 0) return all;
      all.push(page);
      after = page.at(-2);
    }
  };
  const ahead = new AheadStore({ shared: false, spaces: async () => ["one"], open: inner.open });
  ahead.begin();
  const database = await ahead.open("one");
  assert.equal((await database.get("space", "0000"))?.[1], 0);
  assert.equal(await database.get("space", "0001"), undefined);
  for (const [table, limit] of [["index", 64], ["jobs", 1000], ["space", 1], ["entities", 10], ["memories", Infinity]]) {
    const read = await pages(database, table, limit);
    assert.deepEqual(read, await pages(stored, table, limit), table);
    assert.equal(read.flat().length, 2 * (rows[table] ?? 0), table);
  }
  const another = await new AheadStore(inner).open("one");
  await another.commit([put("space", 7)]);
  assert.equal((await another.get("space", "0007"))?.[1], 7);
  assert.equal((await another.scan("space", undefined, true, 10)).length, 4);
});

test("asking leaves no database behind, the first write makes one", async () => {
  const page = await browser.open(site);
  const names = await page.evaluate(async () => {
    const { inIndexedDb } = await import("/dist/storage/indexeddb.js");
    const listed = async () => (await indexedDB.databases()).map(({ name }) => name).filter((name) => name.includes("/lazy/"));
    const database = await inIndexedDb("lazy").open("0000000000000001");
    await database.get("space", "space");
    const before = await listed();
    await database.commit([["put", "space", "space", new Uint8Array([1])]]);
    const after = await listed();
    database.close();
    return { before, after };
  });
  assert.deepEqual(names, { before: [], after: ["edgemem/lazy/0000000000000001"] });
  await page.close();
});

test("a database of a newer edgemem is refused and stays as it is", async () => {
  const page = await browser.open(site);
  const { code, version } = await page.evaluate(async () => {
    const name = "edgemem/newer/0000000000000001";
    const opened = (version) =>
      new Promise((resolve, reject) => {
        const request = indexedDB.open(name, version);
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    (await opened(99)).close();
    const { inIndexedDb } = await import("/dist/storage/indexeddb.js");
    const code = await inIndexedDb("newer").open("0000000000000001").then(() => "opened", ({ code }) => code);
    const { version } = (await indexedDB.databases()).find((database) => database.name === name);
    return { code, version };
  });
  assert.deepEqual({ code, version }, { code: "storage_newer", version: 99 });
  await page.close();
});

test("a database of an older edgemem keeps what it holds and gets the tables that came later", async () => {
  const page = await browser.open(site);
  const { kept, exported } = await page.evaluate(async () => {
    const tables = ["space", "memories", "vectors", "history", "entities", "relations", "contradictions", "events", "jobs"];
    const first = await new Promise((resolve, reject) => {
      const request = indexedDB.open("edgemem/older/0000000000000001", 1);
      request.onupgradeneeded = () => {
        for (const table of [...tables, "summaries", "index", "meta"]) request.result.createObjectStore(table);
        request.transaction.objectStore("space").put(new Uint8Array([7]).buffer, new TextEncoder().encode("space"));
      };
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    first.close();
    const { inIndexedDb } = await import("/dist/storage/indexeddb.js");
    const database = await inIndexedDb("older").open("0000000000000001");
    await database.commit([["clear", "exports"], ["put", "exports", "x", new Uint8Array([8])]]);
    const kept = [...(await database.get("space", "space"))];
    const exported = [...(await database.get("exports", "x"))];
    database.close();
    return { kept, exported };
  });
  assert.deepEqual({ kept, exported }, { kept: [7], exported: [8] });
  await page.close();
});

test("a full disk and a private window are errors that say so, and lose nothing", async () => {
  const page = await browser.open(site);
  const codes = await page.evaluate(async () => {
    const { Memory } = await import("edgemem");
    const memory = await Memory.open({ name: "full", userId: "u" });
    await memory.add("I live in Oslo", { infer: false });
    const { put } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.put = () => {
      throw new DOMException("no room", "QuotaExceededError");
    };
    const full = await memory.add("I live in Rome", { infer: false }).then(() => "stored", ({ code }) => code);
    IDBObjectStore.prototype.put = put;
    const kept = (await memory.getAll()).results.map(({ memory }) => memory);
    await memory.add("I live in Bergen", { infer: false });
    const later = (await memory.getAll()).count;
    await memory.close();

    const { open } = IDBFactory.prototype;
    IDBFactory.prototype.open = () => {
      throw new DOMException("denied", "SecurityError");
    };
    const shy = new Memory({ name: "shy", userId: "u" });
    const refused = await shy.getAll().then(() => "opened", ({ code }) => code);
    IDBFactory.prototype.open = open;
    await shy.close();
    return { full, kept, later, refused };
  });
  assert.deepEqual(codes, { full: "storage_full", kept: ["I live in Oslo"], later: 2, refused: "storage_unavailable" });
  await page.close();
});
