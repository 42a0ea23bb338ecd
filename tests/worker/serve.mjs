// Serves one Worker in workerd until its parent goes away: the child process of harness.mjs.
// Started with fork(); the options come as a message, and so do later requests.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

let miniflare;
let worker;

process.on("message", async ({ id, ask, ...options }) => {
  try {
    process.send({ id, answer: await answers[ask](options) });
  } catch (error) {
    process.send({ id, error: String(error?.stack ?? error) });
  }
});

process.on("disconnect", async () => {
  await miniflare?.dispose().catch(() => {});
  process.exit(0);
});

const answers = {
  async start({ modules, config, build, main, state, vars, durableObjects, ratelimits, direct }) {
    const require = createRequire(modules);
    const { Miniflare, convertV4MiniflareOptions } = require("miniflare");
    worker = { compatibilityDate: "2026-11-01", durableObjects, name: "test" };
    if (config) {
      const wrangler = require("wrangler");
      const { workerOptions } = wrangler.unstable_getMiniflareWorkerOptions(config);
      worker = { ...workerOptions, name: workerOptions.name ?? "edgemem" };
    }
    miniflare = new Miniflare(
      convertV4MiniflareOptions({
        host: "127.0.0.1",
        port: 0,
        cf: false,
        resourcePersistencePath: state,
        ...worker,
        bindings: { ...worker.bindings, ...vars },
        ratelimits: { ...worker.ratelimits, ...ratelimits },
        unsafeDirectSockets: direct ? [{ host: "127.0.0.1", port: 0 }] : undefined,
        modulesRoot: build,
        modules: [
          ...(main ? [{ type: "ESModule", path: `${build}/main.mjs`, contents: readFileSync(main, "utf8") }] : []),
          { type: "ESModule", path: `${build}/index.js` },
          { type: "CompiledWasm", path: `${build}/index_bg.wasm` },
        ],
      }),
    );
    const url = await miniflare.ready;
    return (direct ? await miniflare.unsafeGetDirectURL() : url).origin;
  },

  async evict({ className }) {
    for (const id of await miniflare.listDurableObjectIds(className, worker.name)) {
      await miniflare.unsafeEvictDurableObject(worker.name, className, { id });
    }
  },

  async stop() {
    await miniflare.dispose();
  },
};
