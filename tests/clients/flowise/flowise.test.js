// Flowise's node for mem0, by its own code. Its package is unpacked without the hundreds that it depends on for other
// nodes: those that this node loads are in package.json.
import { match, strictEqual } from "node:assert";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";

const COMPONENTS = "flowise-components@3.1.4";
// Where the tests of Node do not look for more of them.
const folder = `${import.meta.dirname}/node_modules/.flowise`;
if (!existsSync(`${folder}/package/package.json`)) {
  mkdirSync(folder, { recursive: true });
  const options = { cwd: folder, encoding: "utf8", timeout: 120_000 };
  const [{ filename }] = JSON.parse(execFileSync("npm", ["pack", "--json", COMPONENTS], options));
  execFileSync("tar", ["xzf", filename], options);
}
process.env.MEM0_TELEMETRY = "false";
const { nodeClass: Mem0 } = createRequire(import.meta.url)("./node_modules/.flowise/package/dist/nodes/memory/Mem0/Mem0.js");

const { EDGEMEM_URL: host, EDGEMEM_API_KEY: apiKey } = process.env;

/** The node as a flow sets it up: its fields, and the API key that Flowise would take from its credentials. */
const memory = (inputs) => new Mem0().init({ inputs: { host, apiKey, ...inputs } }, "", {});

test("what was said is recalled in the next chat", async () => {
  const user_id = `flowise-${crypto.randomUUID()}`;
  const said = { input: "I love hiking in the Alps." };
  await (await memory({ user_id })).saveContext(said, { output: "Noted." });
  const { history } = await (await memory({ user_id })).loadMemoryVariables({ input: "Where does the user hike?" });
  match(history, /hiking in the Alps/);
  const other = await memory({ user_id: `flowise-${crypto.randomUUID()}` });
  const { history: nothing } = await other.loadMemoryVariables({ input: "Where does the user hike?" });
  strictEqual(nothing.includes("Alps"), false);
});

test("a node that is to search only stores nothing", async () => {
  const user_id = `flowise-${crypto.randomUUID()}`;
  const node = await memory({ user_id, searchOnly: true });
  await node.saveContext({ input: "I love hiking in the Alps." }, { output: "Noted." });
  const { history } = await node.loadMemoryVariables({ input: "Where does the user hike?" });
  strictEqual(history.includes("Alps"), false);
});
