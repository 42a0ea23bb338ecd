// edgemem's service in Node: `node serve.mjs`. It needs Node 24, and its neighbours' packages (npm install).
//
// An instance does one thing at a time, and goes on after an answer with what it left to do. So there are several, in
// a thread each; a request goes to one that has nothing to do. They share nothing but the file of keyvalue.mjs.
import { readFileSync } from "node:fs";
import http from "node:http";
import { Worker, isMainThread, parentPort } from "node:worker_threads";

const build = new URL("../../../crates/service/build/node/", import.meta.url);

if (isMainThread) {
  const threads = Number(process.env.THREADS ?? 4);
  const idle = [];
  const waiting = [];
  const ready = (entry) => (waiting.length > 0 ? waiting.shift()(entry) : idle.push(entry));
  const start = () => new Promise((done) => {
    const worker = new Worker(new URL(import.meta.url));
    const entry = {};
    worker.on("message", (port) => {
      if (port) entry.port = port;
      done();
      ready(entry);
    });
    worker.on("error", (error) => console.error(error));
    // It trapped: another takes its place.
    worker.on("exit", () => {
      const place = idle.indexOf(entry);
      if (place >= 0) idle.splice(place, 1);
      start();
    });
  });

  const server = http.createServer(async (request, response) => {
    const { port } = idle.shift() ?? (await new Promise((done) => waiting.push(done)));
    const { method, url: path, headers } = request;
    const asked = http.request({ host: "127.0.0.1", port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    asked.on("error", () => response.headersSent ? response.destroy() : response.writeHead(502).end());
    request.pipe(asked);
  });
  await Promise.all(Array.from({ length: threads }, start));
  server.listen(Number(process.env.PORT ?? 8000), "127.0.0.1", () => {
    console.log(`listening on http://127.0.0.1:${server.address().port}`);
  });
} else {
  const { HTTPServer } = await import("@bytecodealliance/preview2-shim/http");
  const { WASIShim } = await import("@bytecodealliance/preview2-shim/instantiation");
  const { instantiate } = await import(new URL("service.js", build));
  const keyvalue = await import("./keyvalue.mjs");
  const module = (file) => new WebAssembly.Module(readFileSync(new URL(file, build)));
  const { incomingHandler } = instantiate(module, {
    ...new WASIShim().getImportObject(),
    "wasi:keyvalue/store": keyvalue.store,
    "wasi:keyvalue/atomics": keyvalue.atomics,
    "wasi:keyvalue/batch": keyvalue.batch,
  });
  const server = new HTTPServer({
    handle(request, answer) {
      try {
        incomingHandler.handle(request, answer);
      } catch (error) {
        console.error(error);
        process.exit(1);
      }
      parentPort.postMessage(0);
    },
  });
  server.listen(0, "127.0.0.1");
  parentPort.postMessage(server.address().port);
}
