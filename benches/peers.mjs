// What edgemem's vector index is compared with: each peer from its npm package, as its documentation shows it.
//
// A peer takes `load` (require of the folder with the packages) and `data`, and answers how to search, synchronously or
// not. `most` is the number of vectors up to which it is measured.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

const M = 16;
const EF_CONSTRUCTION = 100;

/** How to search an HNSW of hnswlib's making, at some breadth; `list` makes the arguments of a query. */
const hnswlib = (index, ef, setEf, list) => {
  index[setEf](ef);
  return (query) => index.searchKnn(...list(query)).neighbors;
};

export const peers = [
  {
    name: "usearch, f32 HNSW (native)",
    build(load, { count, dimension, all, k }) {
      const { Index, MetricKind, ScalarKind } = load("usearch");
      const index = new Index({ metric: MetricKind.IP, dimensions: dimension, quantization: ScalarKind.F32, connectivity: M });
      const keys = BigUint64Array.from({ length: count }, (_, at) => BigInt(at));
      index.add(keys, all.slice(0, count * dimension));
      return { "": (query) => [...index.search(query, k).keys] };
    },
  },
  {
    name: "hnswlib-node (native)",
    build(load, { count, dimension, row, k }) {
      const { HierarchicalNSW } = load("hnswlib-node");
      const index = new HierarchicalNSW("ip", dimension);
      index.initIndex(count, M, EF_CONSTRUCTION);
      for (let at = 0; at < count; at++) index.addPoint([...row(at)], at);
      const list = (query) => [[...query], k];
      return Object.fromEntries([64, 128].map((ef) => [`ef ${ef}`, () => hnswlib(index, ef, "setEf", list)]).map(later));
    },
  },
  {
    name: "hnswlib-wasm (wasm)",
    async build(load, { count, dimension, row, k }) {
      // It is made for browsers: it wants a window, and reports that it finds no IndexedDB, which it does not need.
      const given = { window: globalThis, document: { currentScript: null }, location: { href: "file:///", search: "" } };
      Object.assign(globalThis, given);
      const reports = [console.log, console.error, console.warn];
      console.log = console.error = console.warn = () => {};
      let library;
      try {
        const { loadHnswlib } = await import(pathToFileURL(load.resolve("hnswlib-wasm/dist/hnswlib.js")));
        library = await loadHnswlib();
      } finally {
        [console.log, console.error, console.warn] = reports;
        for (const name of Object.keys(given)) delete globalThis[name];
      }
      const index = new library.HierarchicalNSW("ip", dimension, "");
      index.initIndex(count, M, EF_CONSTRUCTION, 1);
      for (let at = 0; at < count; at++) index.addPoint(row(at), at, false);
      const list = (query) => [query, k, undefined];
      return Object.fromEntries([64, 128].map((ef) => [`ef ${ef}`, () => hnswlib(index, ef, "setEfSearch", list)]).map(later));
    },
  },
  {
    name: "edgevec, HNSW (wasm)",
    async build(load, { count, dimension, row, k }) {
      const edgevec = await import(pathToFileURL(load.resolve("edgevec")));
      edgevec.initSync({ module: readFileSync(load.resolve("edgevec/edgevec_bg.wasm")) });
      const config = new edgevec.EdgeVecConfig(dimension);
      // Of unit vectors, the order by this is that by cosine; its own cosine finds nothing.
      config.metric = "l2";
      const index = new edgevec.EdgeVec(config);
      for (let at = 0; at < count; at++) index.insert(row(at));
      // Its ids begin with 1.
      return { "": (query) => index.search(query, k).map((found) => found.id - 1) };
    },
  },
  {
    name: "sqlite-vec, f32 (native)",
    build(load, { count, dimension, row, k }) {
      const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
      const database = new DatabaseSync(":memory:", { allowExtension: true });
      load("sqlite-vec").load(database);
      database.exec(`CREATE VIRTUAL TABLE v USING vec0(e float[${dimension}])`);
      const insert = database.prepare("INSERT INTO v(rowid, e) VALUES (?, ?)");
      database.exec("BEGIN");
      for (let at = 0; at < count; at++) insert.run(BigInt(at), new Uint8Array(row(at).slice().buffer));
      database.exec("COMMIT");
      const select = database.prepare(`SELECT rowid FROM v WHERE e MATCH ? AND k = ${k} ORDER BY distance`);
      return { "": (query) => select.all(new Uint8Array(query.slice().buffer)).map((found) => found.rowid) };
    },
  },
  {
    name: "voy-search, k-d tree (wasm)",
    // It crashes at 100,000.
    most: 20_000,
    async build(load, { count, row, k }) {
      const folder = dirname(load.resolve("voy-search/package.json"));
      // It is made for bundlers, which would import the module so.
      const source = readFileSync(join(folder, "voy_search_bg.js"), "utf8");
      const glue = await import(`data:text/javascript,${encodeURIComponent(source)}`);
      const module = new WebAssembly.Module(readFileSync(join(folder, "voy_search_bg.wasm")));
      glue.__wbg_set_wasm(new WebAssembly.Instance(module, { "./voy_search_bg.js": glue }).exports);
      const resource = (at) => ({ id: String(at), title: "", url: "", embeddings: [...row(at)] });
      const index = new glue.Voy({ embeddings: Array.from({ length: count }, (_, at) => resource(at)) });
      return { "": (query) => index.search(query, k).neighbors.map((found) => Number(found.id)) };
    },
  },
  {
    name: "@orama/orama, vector mode (JavaScript)",
    slow: true,
    async build(load, { count, dimension, row, k }) {
      const orama = load("@orama/orama");
      const index = orama.create({ schema: { n: "number", e: `vector[${dimension}]` } });
      for (let at = 0; at < count; at++) await orama.insert(index, { id: String(at), n: at, e: [...row(at)] });
      const ask = (query) => ({ mode: "vector", vector: { value: [...query], property: "e" }, similarity: 0, limit: k });
      return { "": async (query) => (await orama.search(index, ask(query))).hits.map((hit) => Number(hit.id)) };
    },
  },
  {
    name: "mem0ai/oss, memory store (JavaScript)",
    slow: true,
    most: 20_000,
    async build(load, { count, dimension, row, k }) {
      const { MemoryVectorStore } = load("mem0ai/oss");
      const store = new MemoryVectorStore({ dimension, dbPath: ":memory:" });
      const each = (value) => Array.from({ length: count }, (_, at) => value(at));
      await store.insert(each((at) => [...row(at)]), each(String), each((at) => ({ data: `memory ${at}` })));
      return { "": async (query) => (await store.search([...query], k)).map((found) => Number(found.id)) };
    },
  },
];

/** A setting's search is made when it is measured, as it changes the index. */
function later([name, make]) {
  let search;
  return [name, (query) => (search ??= make())(query)];
}
