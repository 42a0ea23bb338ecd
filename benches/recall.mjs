// Whole recall as WebAssembly: searches by all channels beside searches by words and vectors alone, in one process.
//
//   node benches/recall.mjs --wasm FOLDER --texts FILE --table models/builtin.bin --counts 10000
//
// Half of the memories are messages: a sentence of FILE each, and something made up about somebody. The other half are
// the facts that a script extracts from them. Passes over all questions alternate between the two ways of searching, so
// that each finds in the cache what it left there itself. `cargo xtask bench --recall` calls this.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { parseArgs } from "node:util";

const { values: options } = parseArgs({
  options: {
    wasm: { type: "string" },
    texts: { type: "string" },
    table: { type: "string" },
    counts: { type: "string" },
  },
});
/** Messages of a conversation, which are added and extracted from together. */
const CONVERSATION = 40;
/** Questions of a kind. */
const QUESTIONS = 60;
const PASSES = 10;
const MADE_UP = ["one name", "two names", "time", "owner"];
const ALL = "";
const WORDS_AND_VECTORS = "graph,time,standing";

const { Recall } = createRequire(import.meta.url)(resolve(options.wasm, "edgemem_bench_wasm.js"));
const table = readFileSync(options.table);
const texts = readFileSync(options.texts, "utf8").split("\n").filter((text) => text.trim() !== "");

function times(recall, questions, without) {
  return questions.map(({ text }) => {
    const start = performance.now();
    recall.search(text, without);
    return performance.now() - start;
  });
}

function quantile(times, share) {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)];
}

console.log(`Node ${process.version}, ${QUESTIONS} questions of each kind, ${PASSES} times each\n`);
for (const count of options.counts.split(",").map(Number)) {
  const messages = count / 2;
  if (messages + QUESTIONS > texts.length) {
    console.log(`${count} memories: there are only ${texts.length} sentences\n`);
    continue;
  }
  const recall = new Recall(table);
  for (let at = 0; at < messages; at += CONVERSATION) {
    recall.add(texts.slice(at, Math.min(at + CONVERSATION, messages)));
  }
  const stats = JSON.parse(recall.stats());
  const asked = { "plain sentences": texts.slice(-QUESTIONS) };
  for (const kind of MADE_UP) asked[kind] = recall.questions(kind, QUESTIONS);
  // Kinds take turns, as they would in life.
  const questions = Array.from({ length: QUESTIONS }, (_, at) =>
    Object.entries(asked).map(([kind, texts]) => ({ kind, text: texts[at] })),
  ).flat();
  const measured = { all: [], fewer: [] };
  for (let pass = 0; pass <= PASSES; pass++) {
    const [all, fewer] = [ALL, WORDS_AND_VECTORS].map((without) => times(recall, questions, without));
    // The first is for the compiler.
    if (pass === 0) continue;
    measured.all.push(...all);
    measured.fewer.push(...fewer);
  }
  recall.free();

  console.log(
    `### ${stats.memories + stats.transcript} memories (${stats.transcript} of them messages), ${stats.relations} relations that hold, ` +
      `${stats.entities} entities, ${stats.contradictions} open contradictions\n`,
  );
  console.log("| questions | p50, ratio | p95, ratio | p50, all channels, ms | p50, words and vectors, ms |\n|---|---|---|---|---|");
  for (const kind of ["all", ...Object.keys(asked)]) {
    const of = (times) => times.filter((_, at) => kind === "all" || questions[at % questions.length].kind === kind);
    const [all, fewer] = [of(measured.all), of(measured.fewer)];
    const ratio = (share) => (quantile(all, share) / quantile(fewer, share)).toFixed(2);
    const ms = (times) => quantile(times, 0.5).toFixed(3);
    console.log(`| ${kind} | ${ratio(0.5)} | ${ratio(0.95)} | ${ms(all)} | ${ms(fewer)} |`);
  }
  console.log();
}
