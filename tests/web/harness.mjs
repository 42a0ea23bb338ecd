// Pages of the npm package in a real Chromium, for the tests of this folder.
//
//   const site = await serve({ models: "http://127.0.0.1:…" });   // the built package, and a way to the models
//   const browser = await launch();
//   const page = await browser.open(site);                        // a page in which `import("edgemem")` works
//   await page.evaluate(async () => { const { Memory } = await import("edgemem"); … });
import { createReadStream, existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer, request } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { extname, join, normalize, resolve } from "node:path";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** The package's folder. */
export const npm = join(root, "npm");

const { chromium } = createRequire(join(npm, "x.js"))("playwright-core");
const made = new Set();
process.on("exit", () => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

/** A new folder, removed at the end of the tests. */
export function folder() {
  const path = mkdtempSync(join(tmpdir(), "edgemem-web-"));
  made.add(path);
  return path;
}

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".bin": "application/octet-stream",
};

const PAGE = `<!doctype html><meta charset="utf-8"><title>edgemem</title>
<script type="importmap">{"imports": {"edgemem": "/dist/entry/browser.js", "edgemem/models": "/dist/models/index.js"}}</script>`;

/**
 * Serves the built package, the tests' engine under `/suite/`, and the models under `/models/`. With `keep` browsers may
 * keep the files, and so what they compiled of them.
 */
export async function serve({ models, keep } = {}) {
  const requests = [];
  const server = createServer((asked, answer) => {
    const { pathname } = new URL(asked.url, "http://localhost");
    requests.push(pathname);
    if (pathname === "/") {
      answer.writeHead(200, { "content-type": "text/html" }).end(PAGE);
      return;
    }
    if (pathname.startsWith("/models/")) {
      const { method, headers } = asked;
      const onward = request(models + pathname.slice("/models".length), { method, headers }, (reply) => {
        answer.writeHead(reply.statusCode, reply.headers);
        reply.pipe(answer);
      });
      onward.on("error", () => answer.destroy());
      asked.pipe(onward);
      return;
    }
    const file = pathname.startsWith("/suite/")
      ? join(root, "tests/web/build", normalize(pathname.slice("/suite".length)))
      : join(npm, normalize(pathname));
    sendFile(answer, file, keep);
  });
  return listening(server, { requests });
}

/** Serves the files of a folder. */
export async function serveFolder(path) {
  const requests = [];
  const server = createServer((asked, answer) => {
    const { pathname } = new URL(asked.url, "http://localhost");
    requests.push(pathname);
    sendFile(answer, join(path, normalize(pathname.endsWith("/") ? `${pathname}index.html` : pathname)));
  });
  return listening(server, { requests });
}

function sendFile(answer, file, keep = false) {
  if (!existsSync(file) || !statSync(file).isFile()) {
    answer.writeHead(404).end();
    return;
  }
  answer.setHeader("content-type", TYPES[extname(file)] ?? "application/octet-stream");
  if (keep) answer.setHeader("cache-control", "max-age=31536000, immutable");
  answer.writeHead(200);
  createReadStream(file).pipe(answer);
}

/** A site on a free port; `requests` are the paths that were asked for. */
export async function listening(server, site = {}) {
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    ...site,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Starts a Chromium with a profile of its own, which outlives it. */
export async function launch(profile = folder()) {
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.EDGEMEM_CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  return {
    profile,
    context,
    /** A page of a site; what it prints as an error fails nothing but is shown. */
    async open(site) {
      const page = await context.newPage();
      page.on("pageerror", (error) => console.error(`page: ${error}`));
      await page.goto(site.url);
      return page;
    },
    close: () => context.close(),
  };
}
