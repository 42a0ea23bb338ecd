import { readFileSync } from "node:fs";
import { HTTPServer } from "@bytecodealliance/preview2-shim/http";
import { WASIShim } from "@bytecodealliance/preview2-shim/instantiation";
const build = new URL("../../../crates/service/build/node/", import.meta.url);
const { instantiate } = await import(new URL("service.js", build));
const kv = await import("./keyvalue.mjs");
let calls = 0, bytes = 0;
const count = (f) => (...a) => { calls++; const r = f(...a); if (Array.isArray(r)) for (const x of r) bytes += x?.[1]?.length ?? 0; return r; };
const mods = new Map();
const module = (f) => { if (!mods.has(f)) mods.set(f, new WebAssembly.Module(readFileSync(new URL(f, build)))); return mods.get(f); };
const make = () => instantiate(module, { ...new WASIShim().getImportObject(),
  "wasi:keyvalue/store": kv.store,
  "wasi:keyvalue/atomics": { increment: count(kv.atomics.increment) },
  "wasi:keyvalue/batch": { getMany: count(kv.batch.getMany), setMany: kv.batch.setMany, deleteMany: count(kv.batch.deleteMany) } });
let kept;
const server = new HTTPServer({ handle(request, answer) {
  const a = performance.now(), cpu = process.cpuUsage();
  const fresh = process.env.FRESH === "1";
  calls = bytes = 0;
  const inst = fresh ? make() : (kept ??= make());
  const b = performance.now();
  inst.incomingHandler.handle(request, answer);
  const c = performance.now(), used = process.cpuUsage(cpu);
  console.log(`cpu ${((used.user+used.system)/1000).toFixed(0)} ms, instantiate ${(b-a).toFixed(1)} ms, handle ${(c-b).toFixed(1)} ms, ${calls} batch/increment calls, ${bytes} bytes`);
}});
server.listen(Number(process.env.PORT), "127.0.0.1");
