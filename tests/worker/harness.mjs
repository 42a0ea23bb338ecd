// Runs a built Worker in a real workerd, for the tests of this folder.
//
//   const server = await serve({ vars: { EDGEMEM_API_KEYS: "k" } });
//   await fetch(`${server.url}/health`);
//   await server.kill();                     // like a power cut: nothing is flushed
//   const again = await serve({ state: server.state });
//
// Node's packages (wrangler, which brings miniflare) are found in the folder that the variable
// EDGEMEM_NODE_MODULES names, else in the project's own.
import { fork } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The project's folder. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

const script = fileURLToPath(new URL("serve.mjs", import.meta.url));
const started = new Set();
const made = new Set();

process.on("exit", () => {
  for (const server of started) server.cut();
  for (const state of made) rmSync(state, { recursive: true, force: true });
});

/** A new folder for state, removed at the end of the tests. */
export function stateFolder() {
  const folder = mkdtempSync(join(tmpdir(), "edgemem-"));
  made.add(folder);
  return folder;
}

function packages() {
  const folders = [
    process.env.EDGEMEM_NODE_MODULES,
    join(root, "node_modules"),
    join(root, ".tools/node_modules"),
    join(root, ".tools/npm/node_modules"),
  ];
  const found = folders.find((folder) => folder && existsSync(join(folder, "miniflare")));
  if (!found) throw new Error(`miniflare is in none of ${folders.filter(Boolean).join(", ")}`);
  return pathToFileURL(join(found, "x.js")).href;
}

/** The SQLite files of the Durable Objects in a state folder. */
function databases(state) {
  return readdirSync(state, { recursive: true })
    .filter((file) => /[0-9a-f]{64}\.sqlite$/.test(file))
    .map((file) => join(state, file));
}

function query(file, statement) {
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return database.prepare(statement).all().map((row) => ({ ...row }));
  } catch (error) {
    if (/no such table/.test(error.message)) return [];
    throw error;
  } finally {
    database.close();
  }
}

/**
 * Starts a Worker on a free loopback port.
 *
 * @param {object} [options]
 * @param {Record<string, string>} [options.vars] variables and secrets, over those of the configuration
 * @param {string} [options.state] the folder of its durable state; a new one by default
 * @param {string} [options.build] the folder of its index.js and index_bg.wasm
 * @param {string} [options.main] a module that stands before index.js and imports it
 * @param {string | null} [options.config] its wrangler.toml; null when the other options say it all
 * @param {object} [options.durableObjects] its Durable Objects, without a configuration
 * @param {object} [options.ratelimits] rate limiters by the names of their bindings
 * @param {boolean} [options.direct] whether requests reach the Worker without the one that Miniflare puts before it
 */
export async function serve({
  vars = {},
  state = stateFolder(),
  build = process.env.EDGEMEM_WORKER_BUILD ?? join(root, "crates/worker/build"),
  config = process.env.EDGEMEM_WRANGLER_CONFIG ?? join(root, "wrangler.toml"),
  main,
  durableObjects,
  ratelimits,
  direct,
} = {}) {
  // A process group of its own, so that a kill reaches workerd too.
  const child = fork(script, { detached: true, stdio: ["ignore", "pipe", "pipe", "ipc"] });
  const gone = new Promise((done) => child.once("exit", done));
  const lines = [];
  const waiting = new Map();
  let last = 0;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => lines.push(text));
  }
  child.on("message", ({ id, answer, error }) => {
    const { done, fail } = waiting.get(id);
    waiting.delete(id);
    if (error) fail(new Error(`${error}\n${lines.join("")}`));
    else done(answer);
  });
  child.once("exit", () => {
    for (const { fail } of waiting.values()) fail(new Error(`the server ended\n${lines.join("")}`));
  });
  const ask = (name, options = {}) =>
    new Promise((done, fail) => {
      waiting.set(++last, { done, fail });
      child.send({ id: last, ask: name, ...options });
    });

  const server = {
    url: "",
    state,
    /** What workerd printed so far. */
    log: () => lines.join(""),
    /** Ends the server at once, without a chance to write anything. Synchronous. */
    cut() {
      started.delete(server);
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch (error) {
        if (error.code !== "ESRCH") throw error;
      }
    },
    /** Cuts the server off and waits until it is gone. */
    async kill() {
      server.cut();
      await gone;
    },
    /** Ends the server properly. */
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      await ask("stop");
      await server.kill();
    },
    /** Drops the Durable Objects from memory; their storage stays. Read every response before. */
    evict: (className = "SpaceObject") => ask("evict", { className }),
    /** Runs a query on the database of every Durable Object, as an owner would look at them: the
     * rows of all that have the tables for it. */
    query: (statement) => databases(state).flatMap((file) => query(file, statement)),
  };
  started.add(server);
  try {
    server.url = await ask("start", {
      modules: packages(),
      config,
      build,
      main,
      state,
      vars,
      durableObjects,
      ratelimits,
      direct,
    });
  } catch (error) {
    server.cut();
    throw error;
  }
  return server;
}
