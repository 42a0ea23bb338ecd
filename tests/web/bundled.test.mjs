// The package as bundlers and hosts other than the two find it: in a Worker, and behind `edgemem/slim`.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { folder, launch, npm, root, serve } from "./harness.mjs";

const run = promisify(execFile);

/** A project that has the package, and this file. */
function project(source) {
  const path = folder();
  mkdirSync(join(path, "node_modules"));
  symlinkSync(npm, join(path, "node_modules/edgemem"));
  writeFileSync(join(path, "main.mjs"), source);
  return path;
}

const bundle = (path, ...flags) =>
  run(join(root, "node_modules/.bin/esbuild"), [
    join(path, "main.mjs"), "--bundle", "--format=esm", `--outdir=${join(path, "out")}`, "--asset-names=[name]",
    "--loader:.wasm=copy", "--loader:.bin=copy", "--log-level=error", ...flags,
  ]);

test("a Worker remembers while it lives", async () => {
  const path = project(`import { Memory } from "edgemem";
    export default {
      async fetch() {
        const memory = await Memory.open({ userId: "u" });
        await memory.add("I play the cello", { infer: false });
        const { results } = await memory.search("Which instrument?");
        await memory.close();
        return Response.json(results.map(({ memory }) => memory));
      },
    };`);
  await bundle(path, "--conditions=workerd", "--external:node:*");
  const out = join(path, "out");
  const types = { js: "ESModule", wasm: "CompiledWasm", bin: "Data" };
  const modules = ["main.js", ...readdirSync(out).filter((file) => file !== "main.js")];
  const { Miniflare, convertV4MiniflareOptions } = createRequire(join(root, "node_modules/x.js"))("miniflare");
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      name: "test",
      host: "127.0.0.1",
      port: 0,
      cf: false,
      compatibilityDate: "2026-11-01",
      modulesRoot: out,
      modules: modules.map((file) => ({ type: types[file.split(".").at(-1)], path: join(out, file) })),
    }),
  );
  try {
    const answer = await fetch((await miniflare.ready).href);
    assert.equal(answer.status, 200, await answer.clone().text());
    assert.deepEqual(await answer.json(), ["I play the cello"]);
  } finally {
    await miniflare.dispose();
  }
});

test("a page that places the two files itself uses edgemem/slim", async () => {
  const site = await serve();
  const browser = await launch();
  try {
    const page = await browser.open(site);
    const found = await page.evaluate(async () => {
      const { init, Memory } = await import("/dist/entry/slim.js");
      const early = await Memory.open({ persistence: "none", userId: "u" }).then(() => "opened", ({ code }) => code);
      const table = async () => new Uint8Array(await (await fetch("/wasm/builtin.bin")).arrayBuffer());
      await init({ wasm: fetch("/wasm/edgemem_bg.wasm"), table });
      const memory = await Memory.open({ persistence: "none", userId: "u" });
      await memory.add("I play the cello", { infer: false });
      return [early, (await memory.search("Which instrument?")).results[0].memory];
    });
    assert.deepEqual(found, ["not_initialised", "I play the cello"]);
  } finally {
    await browser.close();
    site.stop();
  }
});
