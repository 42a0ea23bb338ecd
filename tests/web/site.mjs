// The app of www/ as a static page, with nothing behind it but files.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { root } from "./harness.mjs";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** Serves the built app under `/app/`; `requests` are the paths that were asked for. */
export async function serveApp() {
  const requests = [];
  const server = createServer(async (asked, answer) => {
    const { pathname } = new URL(asked.url, "http://localhost");
    requests.push(pathname);
    const path = normalize(pathname.endsWith("/") ? `${pathname}index.html` : pathname);
    try {
      const file = await readFile(join(root, "www", path));
      answer.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream" }).end(file);
    } catch {
      answer.writeHead(404).end();
    }
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${server.address().port}/app/`,
    requests,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The sizes and colours in which every view is looked at. */
export const LOOKS = ["light", "dark"].flatMap((colours) => [
  { name: `desktop-${colours}`, colours, size: { width: 1280, height: 800 } },
  { name: `phone-${colours}`, colours, size: { width: 390, height: 844 } },
]);
