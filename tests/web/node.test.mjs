// The package as npm packs it, installed outside the repository: in Node, and for the compiler of its types.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { modelServer } from "../model-server/start.mjs";
import { folder, npm, root } from "./harness.mjs";
import { repeatable, told } from "./repeatable.mjs";

const run = promisify(execFile);
const project = folder();
let models;

before(async () => {
  models = await modelServer("samples/cassettes", "tests/cassettes");
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", project], { cwd: npm, maxBuffer: 1e8 });
  const [{ filename }] = Object.values(JSON.parse(stdout));
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "consumer", type: "module", private: true }));
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", `./${filename}`], { cwd: project });
});
after(() => models?.stop());

let scripts = 0;
/** Runs a script beside the installed package, which prints JSON. */
async function script(source, args = []) {
  const file = join(project, `script-${++scripts}.mjs`);
  writeFileSync(file, source);
  const { stdout } = await run(process.execPath, [file, ...args], { cwd: project });
  return JSON.parse(stdout);
}

test("the sample conversation is remembered in Node as everywhere, and is still there in the next process", async () => {
  const { sessions } = JSON.parse(readFileSync(join(root, "samples/conversation.json"), "utf8"));
  const expected = JSON.parse(readFileSync(join(root, "samples/expected.json"), "utf8"));
  const options = { userId: expected.user_id, llm: { baseURL: `${models.url}/v1`, model: "replayed", timeout: 5 } };
  const open = `import { Memory } from "edgemem";
    const memory = await Memory.open(${JSON.stringify(options)});
    const texts = async () => (await memory.getAll({ pageSize: 200 })).results.map(({ memory }) => memory).sort();`;
  const first = await script(`${open}
    for (const { time, messages } of ${JSON.stringify(sessions)}) await memory.add(messages, { timestamp: time });
    console.log(JSON.stringify(await texts()));
    await memory.close();`);
  assert.deepEqual(first, expected.memories.filter(({ current }) => current).map(({ text }) => text).sort());
  const [second, home] = await script(`${open}
    const { results } = await memory.search("Which city does the user live in?");
    console.log(JSON.stringify([await texts(), results[0].memory]));
    await memory.close();`);
  assert.deepEqual(second, first);
  assert.match(home, /San Francisco/);
});

test("what Node stores of the sample is, to the byte, what every host stores", async () => {
  const { sessions } = JSON.parse(readFileSync(join(root, "samples/conversation.json"), "utf8"));
  const { digest } = JSON.parse(readFileSync(join(root, "samples/digest.json"), "utf8"));
  const options = { userId: "storyteller", llm: { baseURL: `${models.url}/v1`, model: "replayed", timeout: 5 } };
  const stored = await script(`import { Memory } from "edgemem";
    const setTime = (${repeatable})();
    const memory = await Memory.open({ ...${JSON.stringify(options)}, persistence: { directory: "digest" } });
    console.log(JSON.stringify(await (${told})(memory, ${JSON.stringify(sessions)}, setTime)));
    await memory.close();`);
  assert.equal(stored, digest);
});

test("of a file in a message its place is kept, and its words where they came along", async () => {
  const [said, note] = await script(`import { Memory } from "edgemem";
    const memory = await Memory.open({ userId: "ada", persistence: "none" });
    const part = (type, url) => ({ type, [type]: { url } });
    const content = [part("image_url", "https://example.com/sofa.png"), part("txt_url", "data:,The gate code is 4711.")];
    const added = await memory.add([{ role: "user", content }]);
    const { results } = await memory.search("gate code");
    console.log(JSON.stringify([results.map(({ memory }) => memory), added.note]));
    await memory.close();`);
  assert.deepEqual(said, ["[image: https://example.com/sofa.png]\nThe gate code is 4711."]);
  assert.match(note, /Only a server reads files/);
});

test("code written for mem0 moves over by its import", async () => {
  const results = await script(`import { Memory } from "edgemem";
    const memory = new Memory({
      llm: { provider: "lmstudio", config: { model: "replayed", baseURL: "${models.url}/v1" } },
      persistence: "none",
    });
    const added = await memory.add("I live in Porto", { userId: "alice", infer: false, metadata: { source: "chat", fooBar: 1 } });
    const id = added.results[0].id;
    const found = await memory.search("Porto", { filters: { user_id: "alice" }, topK: 5 });
    const all = await memory.getAll({ filters: { userId: "alice" } });
    const one = await memory.get(id);
    await memory.update(id, { text: "I live in Lisbon" });
    const history = await memory.history(id);
    await memory.delete(id);
    const after = await memory.getAll({ userId: "alice" });
    await memory.deleteAll({ userId: "alice" });
    console.log(JSON.stringify({
      event: added.results[0].event, found: found.results[0].memory, all: all.results.length,
      metadata: one.metadata, history: history.map(({ event, newMemory }) => [event, newMemory]), after: after.count,
    }));
    await memory.close();`);
  assert.deepEqual(results, {
    event: "ADD",
    found: "I live in Porto",
    all: 1,
    metadata: { source: "chat", fooBar: 1 },
    history: [["ADD", "I live in Porto"], ["UPDATE", "I live in Lisbon"]],
    after: 0,
  });
});

test("functions are models: of a chat model without tools, the questions come as text", async () => {
  const told = await script(`import { Memory } from "edgemem";
    import { UnsupportedError } from "edgemem/models";
    const asked = [];
    const memory = new Memory({
      persistence: "none",
      userId: "u",
      llm: {
        model: "toy",
        async chat({ tools, response_format: format, messages }) {
          asked.push(tools ? "tools" : (format?.type ?? "text"));
          if (tools) throw new UnsupportedError("tools");
          if (format) throw new UnsupportedError("response_format");
          return JSON.stringify({ facts: [{ text: "User plays the cello", category: "hobbies", attributed_to: "user", entities: [], relations: [], messages: [1] }] });
        },
      },
      embedder: { model: "toy", embed: async (texts) => texts.map((text) => Float32Array.of(text.length, 1, 2)) },
    });
    const phases = [];
    const added = await memory.add("I play the cello", { onProgress: ({ phase }) => phases.push(phase) });
    console.log(JSON.stringify({ status: added.status, memory: added.results.map(({ memory }) => memory), phases, asked }));
    await memory.close();`);
  assert.equal(told.status, "SUCCEEDED", JSON.stringify(told));
  assert.deepEqual(told.memory, ["User plays the cello"]);
  assert.ok(told.phases.includes("thinking") && told.phases[0] === "stored");
  assert.equal(told.asked.at(-1), "text");
});

test("a process that is killed loses nothing acknowledged, and another may have the memory then", async () => {
  const source = `import { Memory } from "edgemem";
    const memory = await Memory.open({ userId: "u", persistence: { directory: "killed" } });
    for (let number = 0; ; number++) {
      await memory.add("The number " + number, { infer: false });
      process.stdout.write(number + "\\n");
    }`;
  writeFileSync(join(project, "writer.mjs"), source);
  const child = spawn(process.execPath, ["writer.mjs"], { cwd: project, stdio: ["ignore", "pipe", "inherit"] });
  let last = -1;
  await new Promise((done) =>
    child.stdout.on("data", (text) => {
      last = Math.max(last, ...String(text).trim().split("\n").map(Number));
      if (last >= 20) done();
    }),
  );
  const open = `import { Memory } from "edgemem";
    const memory = new Memory({ userId: "u", persistence: { directory: "killed" } });`;
  const busy = await script(`${open}
    console.log(JSON.stringify(await memory.getAll().then(() => "opened", ({ code }) => code)));`);
  assert.equal(busy, "storage_in_use");
  child.kill("SIGKILL");
  await new Promise((done) => child.once("exit", done));
  const kept = await script(`${open}
    console.log(JSON.stringify((await memory.getAll({ pageSize: 1000 })).results.map(({ memory }) => memory)));
    await memory.close();`);
  for (let number = 0; number <= last; number++) assert.ok(kept.includes(`The number ${number}`), `${number} of ${last}`);
});

test("a fault of the engine fails the call that it was in, and what is stored is loaded anew", async () => {
  const told = await script(`import { Memory } from "edgemem";
    const memory = await Memory.open({ userId: "u", persistence: { directory: "fault" } });
    await memory.add("I live in Oslo", { infer: false });
    crypto.getRandomValues = () => { throw new Error("no entropy"); };
    const failed = await memory.add("I live in Rome", { infer: false }).then(() => "stored", ({ code, message }) => [code, message]);
    delete crypto.getRandomValues;
    await memory.add("I moved to Bergen", { infer: false });
    console.log(JSON.stringify({ failed, kept: (await memory.getAll()).results.map(({ memory }) => memory).sort() }));
    await memory.close();`);
  assert.equal(told.failed[0], "internal_error");
  assert.match(told.failed[1], /no entropy/);
  assert.deepEqual(told.kept, ["I live in Oslo", "I moved to Bergen"]);
});

test("an export moves a memory to another folder, encrypted or not", async () => {
  const moved = await script(`import { Memory } from "edgemem";
    const from = await Memory.open({ userId: "u", persistence: { directory: "from" } });
    const { results } = await from.add("I live in Tromsø", { infer: false });
    const file = await from.export();
    const { digest } = await from.stats({ digest: true });
    await from.close();
    const options = { userId: "u", persistence: { directory: "to" }, encryption: { passphrase: "correct horse" } };
    const to = await Memory.open(options);
    await to.import(file);
    await to.close();
    const again = await Memory.open(options);
    const equal = (await again.stats({ digest: true })).digest === digest;
    const { memory, id } = await again.get(results[0].id);
    await again.add("I moved to Bodø", { infer: false });
    console.log(JSON.stringify({ memory, equal, same: id === results[0].id, count: (await again.getAll()).count }));
    await again.close();`);
  assert.deepEqual(moved, { memory: "I live in Tromsø", equal: true, same: true, count: 2 });
});

test("files are encrypted as databases of browsers are", async () => {
  await script(`import { Memory } from "edgemem";
    const memory = await Memory.open({ userId: "u", persistence: { directory: "secret" }, encryption: { key: new Uint8Array(32).fill(7) } });
    await memory.add("Zanzibar is where I hid the treasure", { infer: false });
    await memory.close();
    console.log("{}");`);
  const files = readdirSync(join(project, "secret"), { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  assert.ok(files.length > 0);
  for (const file of files) assert.doesNotMatch(readFileSync(join(file.parentPath, file.name), "latin1"), /zanzibar|treasure/i);
});

test("the types are strict, and say what is wrong", async () => {
  writeFileSync(
    join(project, "consumer.ts"),
    `import { Memory, MemoryError, type MemoryItem, type SearchHit } from "edgemem";
import { chromeModel, type ChatFunction } from "edgemem/models";
import { init } from "edgemem/slim";

declare const languageModel: Parameters<typeof chromeModel>[0];
const llm: ChatFunction = chromeModel(languageModel);
const memory = await Memory.open({ userId: "ada", llm, persistence: "none" });
const added = await memory.add([{ role: "user", content: "hi" }], { signal: new AbortController().signal });
const event: "ADD" | "UPDATE" | "DELETE" | "NONE" | undefined = added.results[0]?.event;
const hits: SearchHit[] = (await memory.search("x", { topK: 3 })).results;
for await (const item of memory.list()) {
  const known: MemoryItem = item;
  console.log(known.memory, hits.length, event);
}
try {
  await memory.close();
} catch (error) {
  if (error instanceof MemoryError) console.log(error.code satisfies string);
}
// @ts-expect-error A number is no question.
await memory.search(1);
// @ts-expect-error There is no such option.
await memory.add("x", { userID: "ada" });
await init({ wasm: new URL("x", import.meta.url) });
`,
  );
  const strict = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--target", "es2022", "--lib", "es2023,dom,dom.iterable,dom.asynciterable", "--types", "", "consumer.ts"];
  const tsc = join(npm, "node_modules/.bin/tsc");
  for (const found of [["--module", "nodenext"], ["--module", "esnext", "--moduleResolution", "bundler"]]) {
    await run(tsc, [...found, ...strict], { cwd: project }).catch(({ stdout }) => assert.fail(stdout));
  }
});

test("publint and are-the-types-wrong have nothing to say", async () => {
  const bin = (name) => join(npm, "node_modules/.bin", name);
  const tarball = readdirSync(project).find((file) => file.endsWith(".tgz"));
  const lint = await run(bin("publint"), ["run", "--strict", npm]).catch(({ stdout, stderr }) => assert.fail(stdout + stderr));
  assert.match(lint.stdout, /All good/);
  const wrong = ["--profile", "esm-only", "--exclude-entrypoints", "./builtin.bin", "--format", "ascii", join(project, tarball)];
  await run(bin("attw"), wrong).catch(({ stdout, stderr }) => assert.fail(stdout + stderr));
});
