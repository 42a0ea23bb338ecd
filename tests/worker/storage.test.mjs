// The storage of a space on a real Durable Object: the conformance suite, and what only SQLite has.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { root, serve } from "./harness.mjs";

const className = "StorageObject";
let server;

const start = (state) =>
  serve({
    config: null,
    state,
    build: process.env.EDGEMEM_STORAGE_BUILD ?? join(root, "tests/worker/storage/build"),
    durableObjects: { OBJECTS: { className, useSQLite: true } },
  });

before(async () => {
  server = await start();
});
after(() => server?.stop());

async function check(object, name) {
  const answer = await fetch(`${server.url}/${object}/${name}`);
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return text;
}

test("SQLite conforms, and rolls back a commit that it refuses in the middle", async () => {
  assert.match(
    await check("conformance", "conformance"),
    /^15 cases passed; a record of 400\d{4} bytes is larger than the 2000000 bytes/,
  );
  // Once more, on an object that has to prepare its tables again.
  await server.evict(className);
  assert.match(await check("conformance", "conformance"), /^15 cases passed/);
});

test("the kernels of the vector index agree with plain ones, here too", async () => {
  assert.match(await check("kernels", "kernels"), /^\d{3} comparisons$/);
});

test("reading an object that never stored anything makes no table", async () => {
  assert.equal(await check("unknown", "read"), "0");
  assert.equal(await check("unknown", "tables"), "");
});

test("only the tables that were written exist", async () => {
  await check("one", "put");
  const tables = await check("one", "tables");
  assert.match(tables, /"memories"/);
  assert.equal(tables.split("\n").length, 1);
});

test("readable columns stand beside the record", async () => {
  await check("readable", "put");
  const [row] = await server.query("SELECT * FROM memories WHERE key = 'b'");
  assert.deepEqual(Object.keys(row).slice(0, 3), ["key", "kind", "text"]);
  assert.equal(row.text, "text");
});

test("a table of an older version gets the columns that it lacks, and keeps its rows", async () => {
  await check("old", "age");
  assert.equal(await check("old", "read"), "2");
  await check("old", "put");
  const rows = await server.query("SELECT key, kind, user_id FROM memories WHERE kind = 'fact'");
  assert.deepEqual(rows, [{ key: "a", kind: "fact", user_id: null }]);
  assert.match(await check("old", "tables"), /user_id/);
});

test("a panic is caught, its words stay in the log, and its storage takes nothing more", async () => {
  await check("panicked", "put");
  assert.doesNotMatch(await check("panicked", "panic"), /secret/);
  assert.equal(await check("panicked", "read"), "1");
});

test("what was committed survives a kill", async () => {
  await check("kept", "put");
  await server.kill();
  server = await start(server.state);
  assert.equal(await check("kept", "read"), "1");
});
