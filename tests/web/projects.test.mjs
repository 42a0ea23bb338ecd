// The package as npm packs it, installed into projects outside the repository as their users have them: each is built
// by its own tools and runs the example of the package's README.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { createRequire } from "node:module";
import { extname, join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { modelServer } from "../model-server/start.mjs";
import { folder, launch, listening, npm, root, serveFolder } from "./harness.mjs";

/** What the tools of a project find in the environment: nothing of these tests, and not to call home. */
const { NODE_ENV, NODE_TEST_CONTEXT, ...env } = process.env;
Object.assign(env, { NEXT_TELEMETRY_DISABLED: "1", WRANGLER_SEND_METRICS: "false" });

const start = promisify(execFile);
const run = (program, words, options) => start(program, words, { env, maxBuffer: 1e8, ...options });
/** Installing may have to download first. */
const patiently = { timeout: 600_000 };
const home = folder();
let models;
let endpoint;
let browser;
let tarball;

before(async () => {
  models = await modelServer("samples/cassettes");
  endpoint = await toPages(models.url);
  browser = await launch();
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", home], { cwd: npm });
  const [{ filename }] = Object.values(JSON.parse(stdout));
  tarball = join(home, filename);
});
after(async () => {
  await browser?.close();
  endpoint?.stop();
  models?.stop();
});

/** The models for pages of any origin, as the local servers for models answer them. */
async function toPages(url) {
  const allowed = { "access-control-allow-origin": "*", "access-control-allow-headers": "*" };
  const server = createServer((asked, answer) => {
    if (asked.method === "OPTIONS") return answer.writeHead(204, allowed).end();
    const { method, headers } = asked;
    const onward = request(url + asked.url, { method, headers }, (reply) => {
      answer.writeHead(reply.statusCode, { ...reply.headers, ...allowed });
      reply.pipe(answer);
    });
    onward.on("error", () => answer.destroy());
    asked.pipe(onward);
  });
  return listening(server);
}

/** The README's example as a function of the console that it prints to, with the tests' models. */
function example() {
  const [, code] = /```js\n(.*?)```/s.exec(readFileSync(join(npm, "README.md"), "utf8"));
  const [, imports, lines] = /^((?:import [^\n]*\n)+)(.*)$/s.exec(code);
  const local = "http://localhost:11434/v1";
  assert.ok(lines.includes(local));
  return `${imports}\nexport default async function example(console) {${lines.replace(local, `${endpoint.url}/v1`)}}\n`;
}

/** A project with what it needs, the package and the example. */
async function project(name) {
  const path = join(home, name);
  cpSync(join(root, "tests/web/projects", name), path, { recursive: true });
  const quietly = ["--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];
  if (existsSync(join(path, "package-lock.json"))) {
    await run("npm", ["ci", "--ignore-scripts", ...quietly], { cwd: path });
  }
  await run("npm", ["install", "--no-save", ...quietly, tarball], { cwd: path });
  mkdirSync(join(path, "src"), { recursive: true });
  writeFileSync(join(path, "src/example.js"), example());
  return path;
}

/** Runs a program of a project. */
async function tool(path, name, ...words) {
  await run(join(path, "node_modules/.bin", name), words, { cwd: path }).catch(({ stdout, stderr }) =>
    assert.fail(`${name} failed\n${stdout}${stderr}`),
  );
}

/** What the example prints. */
function remembers(lines) {
  const [[results], [found, score], [listed, createdAt], ...more] = lines;
  const memory = "User has started to play the cello";
  assert.deepEqual(results.map(({ memory, event }) => [memory, event]), [[memory, "ADD"]]);
  assert.equal(found, memory);
  assert.ok(score > 0);
  assert.equal(listed, memory);
  assert.ok(Date.parse(createdAt) > 0);
  assert.deepEqual(more, []);
}

/** What the example prints in a page. */
async function inPage(url) {
  const page = await browser.context.newPage();
  try {
    const failed = new Promise((_, fail) => page.on("pageerror", fail));
    failed.catch(() => {});
    await page.goto(url);
    const text = await Promise.race([page.locator("output").textContent(), failed]);
    return JSON.parse(text);
  } finally {
    await page.close();
  }
}

/** What the example prints in a page that only files are behind. */
async function inFiles(path) {
  const site = await serveFolder(path);
  try {
    return await inPage(site.url);
  } finally {
    site.stop();
  }
}

test("in Node", async () => {
  const path = await project("node");
  const { stdout } = await run(process.execPath, ["src/main.js"], { cwd: path });
  remembers(JSON.parse(stdout));
});

test("in a Worker, as wrangler builds it", async () => {
  const path = await project("worker");
  const { Miniflare, convertV4MiniflareOptions } = createRequire(join(root, "node_modules/x.js"))("miniflare");
  await run(join(root, "node_modules/.bin/wrangler"), ["deploy", "--dry-run", "--outdir", "out"], { cwd: path });
  const out = join(path, "out");
  const types = { ".js": "ESModule", ".wasm": "CompiledWasm", ".bin": "Data" };
  const files = ["main.js", ...readdirSync(out).filter((file) => file !== "main.js" && extname(file) in types)];
  const modules = files.map((file) => ({ type: types[extname(file)], path: join(out, file) }));
  const { compatibility_date: compatibilityDate } = JSON.parse(readFileSync(join(path, "wrangler.json"), "utf8"));
  const where = { name: "test", host: "127.0.0.1", port: 0, cf: false, compatibilityDate, modulesRoot: out, modules };
  const miniflare = new Miniflare(convertV4MiniflareOptions(where));
  try {
    const answer = await fetch((await miniflare.ready).href);
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    remembers(JSON.parse(text));
  } finally {
    await miniflare.dispose();
  }
});

test("in Vite: built, and served for development", patiently, async () => {
  const path = await project("vite");
  await tool(path, "vite", "build");
  remembers(await inFiles(join(path, "dist")));
  const { createServer } = await import(pathToFileURL(createRequire(join(path, "x.js")).resolve("vite")));
  const server = await createServer({ root: path, logLevel: "warn", server: { host: "127.0.0.1", port: 0 } });
  try {
    await server.listen();
    const { port } = server.httpServer.address();
    remembers(await inPage(`http://127.0.0.1:${port}/`));
  } finally {
    await server.close();
  }
});

test("in webpack", patiently, async () => {
  const path = await project("webpack");
  await tool(path, "webpack");
  remembers(await inFiles(path));
});

test("in Next.js, in a component of the client: by Turbopack and by webpack", patiently, async () => {
  const path = await project("next");
  for (const bundler of ["--turbopack", "--webpack"]) {
    await tool(path, "next", "build", bundler);
    remembers(await inFiles(join(path, "out")));
  }
});
