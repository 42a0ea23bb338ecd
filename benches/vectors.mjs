// edgemem's vector index as WebAssembly, and its peers, on the same vectors in one process.
//
//   node benches/vectors.mjs --wasm FOLDER --vectors FILE.f32 --dimension D --counts 10000,100000 [--hnsw] [--peers FOLDER]
//
// FILE.f32 holds unit vectors [n × D], little-endian. The last 300 are the queries. Times are medians a query;
// recall is the share of the exact ten nearest that a search returns. `cargo xtask bench` calls this.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { parseArgs } from "node:util";

const { values: options } = parseArgs({
  options: {
    wasm: { type: "string" },
    vectors: { type: "string" },
    dimension: { type: "string" },
    counts: { type: "string" },
    hnsw: { type: "boolean" },
    peers: { type: "string" },
  },
});
const K = 10;
const QUERIES = 300;
const dimension = Number(options.dimension);
const file = readFileSync(options.vectors);
const all = new Float32Array(file.buffer, file.byteOffset, file.byteLength / 4);
const available = all.length / dimension - QUERIES;
const row = (at) => all.subarray(at * dimension, (at + 1) * dimension);
const queries = Array.from({ length: QUERIES }, (_, at) => row(available + at));
const { Bench } = createRequire(import.meta.url)(resolve(options.wasm, "edgemem_bench_wasm.js"));

/** The median time of a query in ms, and what each returned. */
function measure(search) {
  // Until it is compiled for speed.
  for (const query of queries) search(query);
  const found = [];
  const times = queries.map((query) => {
    const start = performance.now();
    found.push(search(query));
    return performance.now() - start;
  });
  times.sort((a, b) => a - b);
  return { ms: times[times.length >> 1], found };
}

function recall(found, exact) {
  const hits = found.map((ids, at) => ids.filter((id) => exact[at].includes(Number(id))).length);
  return hits.reduce((sum, n) => sum + n, 0) / (K * exact.length);
}

/** Peers by name: each takes the number of rows and answers how to search them, or throws when it is not installed. */
const peers = {
  "usearch, f32 HNSW (native)": (load, count) => {
    const { Index, MetricKind, ScalarKind } = load("usearch");
    const index = new Index({ metric: MetricKind.IP, dimensions: dimension, quantization: ScalarKind.F32, connectivity: 16 });
    const keys = BigUint64Array.from({ length: count }, (_, at) => BigInt(at));
    index.add(keys, all.slice(0, count * dimension));
    return (query) => [...index.search(query, K).keys];
  },
  "hnswlib-node, ef 64 (native)": (load, count) => {
    const { HierarchicalNSW } = load("hnswlib-node");
    const index = new HierarchicalNSW("ip", dimension);
    index.initIndex(count, 16, 100);
    for (let at = 0; at < count; at++) index.addPoint([...row(at)], at);
    index.setEf(64);
    return (query) => index.searchKnn([...query], K).neighbors;
  },
  "sqlite-vec, f32 (native)": (load, count) => {
    const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
    const database = new DatabaseSync(":memory:", { allowExtension: true });
    load("sqlite-vec").load(database);
    database.exec(`CREATE VIRTUAL TABLE v USING vec0(e float[${dimension}])`);
    const insert = database.prepare("INSERT INTO v(rowid, e) VALUES (?, ?)");
    database.exec("BEGIN");
    for (let at = 0; at < count; at++) insert.run(BigInt(at), new Uint8Array(row(at).slice().buffer));
    database.exec("COMMIT");
    const select = database.prepare("SELECT rowid FROM v WHERE e MATCH ? AND k = 10 ORDER BY distance");
    return (query) => select.all(new Uint8Array(query.slice().buffer)).map((found) => found.rowid);
  },
  "@orama/orama, vector mode (JavaScript)": (load, count) => {
    const orama = load("@orama/orama");
    const index = orama.create({ schema: { n: "number", e: `vector[${dimension}]` } });
    for (let at = 0; at < count; at++) orama.insert(index, { id: String(at), n: at, e: [...row(at)] });
    const search = (query) =>
      orama.search(index, { mode: "vector", vector: { value: [...query], property: "e" }, similarity: 0, limit: K });
    return (query) => search(query).hits.map((hit) => Number(hit.id));
  },
};

console.log(`Node ${process.version}, ${dimension} dimensions, ${QUERIES} queries, the best ${K}\n`);
for (const count of options.counts.split(",").map(Number)) {
  if (count > available) {
    console.log(`${count} vectors: there are only ${available}\n`);
    continue;
  }
  const bench = new Bench(dimension);
  let insertion = performance.now();
  bench.insert(0, all.subarray(0, count * dimension));
  insertion = ((performance.now() - insertion) * 1000) / count;
  bench.keep(all.subarray(0, count * dimension));
  const exact = measure((query) => [...bench.scan(query, K)]);
  const ours = measure((query) => [...bench.search(query, K)]);
  bench.allow_every(100);
  const filtered = measure((query) => [...bench.search(query, K)]);
  bench.allow_every(0);
  const graphs = [];
  let built = "";
  if (options.hnsw) {
    const start = performance.now();
    bench.build_graph(all.subarray(0, count * dimension));
    built = `${(((performance.now() - start) * 1000) / count).toFixed(0)} µs an insert, ${(bench.graph_bytes() / 1e6).toFixed(1)} MB`;
    for (const ef of [64, 128, 160, 256]) {
      bench.set_ef(ef);
      graphs.push([ef, measure((query) => [...bench.search_graph(query, K)])]);
    }
  }
  const megabytes = (bench.bytes() / 1e6).toFixed(1);
  bench.free();

  console.log(`### ${count} vectors\n`);
  console.log("| | ms | times edgemem | recall |\n|---|---|---|---|");
  const line = (name, { ms, found }, right = exact.found) =>
    console.log(`| ${name} | ${ms.toFixed(3)} | ${(ms / ours.ms).toFixed(2)} | ${recall(found, right).toFixed(3)} |`);
  line("**edgemem (wasm)**", ours);
  const kept = (ids) => ids.filter((id) => id % 100 === 0);
  console.log(
    `| … when a filter allows 1 in 100 | ${filtered.ms.toFixed(3)} | ${(filtered.ms / ours.ms).toFixed(2)} | all ${filtered.found.every((ids) => kept(ids).length === ids.length) ? "allowed" : "NOT ALLOWED"} |`,
  );
  for (const [ef, graph] of graphs) line(`edgemem, HNSW, ef ${ef} (wasm; ${built})`, graph);
  line("exact f32 scan (wasm, SIMD)", exact);
  if (options.peers) {
    const load = createRequire(resolve(options.peers, "package.json"));
    for (const [name, build] of Object.entries(peers)) {
      // Slow ones would take minutes, and are no faster with more.
      if (count > 20_000 && name.includes("JavaScript")) continue;
      try {
        line(name, measure(build(load, count)));
      } catch (error) {
        console.log(`| ${name} | – | – | ${String(error.message).split("\n")[0].slice(0, 80)} |`);
      }
    }
  }
  console.log(`\nedgemem: ${insertion.toFixed(1)} µs an insert, ${megabytes} MB\n`);
}
