// edgemem's vector index as WebAssembly, and its peers, on the same vectors in one process.
//
//   node benches/vectors.mjs --wasm FOLDER --vectors FILE.f32 --dimension D --counts 10000,100000 [--hnsw] [--ef 64,128] [--peers FOLDER] [--perturb]
//
// FILE.f32 holds unit vectors [n × D], little-endian. The last 300 are the queries. Times are medians a query;
// recall is the share of the exact ten nearest that a search returns. `--perturb` makes up for vectors that lack: each is
// a given one, moved by 0.55 of the difference of two others, which keeps their covariance. `cargo xtask bench` calls this.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { parseArgs } from "node:util";

import { peers } from "./peers.mjs";

const { values: options } = parseArgs({
  options: {
    wasm: { type: "string" },
    vectors: { type: "string" },
    dimension: { type: "string" },
    counts: { type: "string" },
    hnsw: { type: "boolean" },
    ef: { type: "string" },
    m: { type: "string", default: "0" },
    "ef-construction": { type: "string", default: "0" },
    peers: { type: "string" },
    perturb: { type: "boolean" },
  },
});
const K = 10;
const QUERIES = 300;
/** Of slow searches so many are enough. */
const SLOW_QUERIES = 30;
/** Vectors that are copied into WebAssembly at a time. */
const CHUNK = 10_000;
const dimension = Number(options.dimension);
const counts = options.counts.split(",").map(Number);
const file = readFileSync(options.vectors);
const given = new Float32Array(file.buffer, file.byteOffset, file.byteLength / 4);
const real = given.length / dimension - QUERIES;
const queries = Array.from({ length: QUERIES }, (_, at) => given.subarray((real + at) * dimension, (real + at + 1) * dimension));
const all = options.perturb ? perturbed(Math.max(...counts)) : given;
const available = options.perturb ? all.length / dimension : real;
const row = (at) => all.subarray(at * dimension, (at + 1) * dimension);
const { Bench } = createRequire(import.meta.url)(resolve(options.wasm, "edgemem_bench_wasm.js"));

/** The given vectors without the queries, and made ones up to `count`; always the same. */
function perturbed(count) {
  if (count <= real) return given;
  const all = new Float32Array(count * dimension);
  all.set(given.subarray(0, real * dimension));
  let state = 1;
  const random = () => {
    // Mulberry32.
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % real;
  };
  for (let at = real; at < count; at++) {
    const [of, to, from] = [random(), random(), random()].map((one) => one * dimension);
    const start = at * dimension;
    let square = 0;
    for (let i = 0; i < dimension; i++) {
      const value = given[of + i] + 0.55 * (given[to + i] - given[from + i]);
      all[start + i] = value;
      square += value * value;
    }
    const length = Math.sqrt(square);
    for (let i = 0; i < dimension; i++) all[start + i] /= length;
  }
  return all;
}

/** The median time of a query in ms, and what each returned. */
async function measure(search, some = queries) {
  // Until it is compiled for speed.
  for (const query of some) await search(query);
  const found = [];
  const times = [];
  for (const query of some) {
    const start = performance.now();
    const answer = search(query);
    // Waiting takes time, too, that what answers at once should not have to pay.
    found.push(answer instanceof Promise ? await answer : answer);
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return { ms: times[times.length >> 1], found };
}

function recall(found, exact) {
  const hits = found.map((ids, at) => [...ids].filter((id) => exact[at].includes(Number(id))).length);
  return hits.reduce((sum, n) => sum + n, 0) / (K * found.length);
}

console.log(`Node ${process.version}, ${dimension} dimensions, ${QUERIES} queries, the best ${K}\n`);
for (const count of counts) {
  if (count > available) {
    console.log(`${count} vectors: there are only ${available}\n`);
    continue;
  }
  const bench = new Bench(dimension);
  bench.reserve(count);
  for (let at = 0; at < count; at += CHUNK) {
    bench.keep(all.subarray(at * dimension, Math.min(at + CHUNK, count) * dimension));
  }
  let insertion = performance.now();
  bench.insert(0, count);
  insertion = ((performance.now() - insertion) * 1000) / count;
  const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
  const exact = await measure((query) => [...bench.scan(query, K)]);
  bench.quantise();
  const search = (query) => [...bench.search(query, K)];
  const lines = [];
  const measured = async (name, search, some) => {
    const { ms, found } = await measure(search, some);
    lines.push([name, ms, found]);
    return found;
  };
  await measured(`**edgemem (wasm)**, ${megabytes(bench.bytes())} MB`, search);
  bench.by_originals(false);
  await measured("… without the last step, in stored precision", search);
  bench.by_originals(true);
  bench.allow_every(100);
  const filtered = await measure(search);
  bench.allow_every(0);
  if (options.hnsw) {
    const start = performance.now();
    bench.build_graph(Number(options.m), Number(options["ef-construction"]));
    const built = `${(((performance.now() - start) * 1000) / count).toFixed(0)} µs an insert, ${megabytes(bench.graph_bytes())} MB`;
    const efs = options.ef ? options.ef.split(",").map(Number) : [bench.default_ef()];
    for (const ef of efs) {
      bench.set_ef(ef);
      await measured(`… HNSW, ef ${ef} (${built})`, (query) => [...bench.search_graph(query, K)]);
    }
  }
  bench.drop_rows();
  await measured(`… lean: codes only, ${megabytes(bench.bytes())} MB`, search);
  await measured("exact scan, eight bits a value (wasm, SIMD)", (query) => [...bench.scan_bytes(query, K)]);
  lines.push(["exact scan, f32 (wasm, SIMD)", exact.ms, exact.found]);
  bench.free();

  console.log(`### ${count} vectors\n`);
  console.log("| | ms | times edgemem | recall |\n|---|---|---|---|");
  const [[, ours]] = lines;
  const print = (name, ms, found) =>
    console.log(`| ${name} | ${ms.toFixed(3)} | ${(ms / ours).toFixed(2)} | ${recall(found, exact.found).toFixed(3)} |`);
  lines.forEach((line, at) => {
    print(...line);
    if (at > 0) return;
    const are_allowed = filtered.found.every((ids) => ids.every((id) => id % 100 === 0));
    const times = (filtered.ms / ours).toFixed(2);
    console.log(`| … when a filter allows 1 in 100 | ${filtered.ms.toFixed(3)} | ${times} | ${are_allowed ? "" : "NOT ALLOWED"} |`);
  });
  if (options.peers) {
    const load = createRequire(resolve(options.peers, "package.json"));
    for (const { name, most, slow, build } of peers) {
      if (count > (most ?? count)) continue;
      try {
        const searches = await build(load, { count, dimension, all, row, k: K });
        for (const [setting, search] of Object.entries(searches)) {
          const { ms, found } = await measure(search, slow ? queries.slice(0, SLOW_QUERIES) : queries);
          print([name, setting].filter(Boolean).join(", "), ms, found);
        }
      } catch (error) {
        console.log(`| ${name} | – | – | ${String(error.message).split("\n")[0].slice(0, 80)} |`);
      }
    }
  }
  console.log(`\nedgemem: ${insertion.toFixed(1)} µs an insert\n`);
}
// Some peers keep handles open.
process.exit(0);
