// The npm package in Chromium: how long a page waits for the memories of an earlier visit, and for a recall then.
//
//   node benches/web.mjs --texts FILE [--counts 10000] [--visits 9]
//
// Memories are sentences, word for word, embedded by the builtin embedder and kept in IndexedDB; questions are sentences
// that are not among them. A visit is a new page; before the visits called cold the browser is started anew. It may keep the
// package's files, as it may those of a bundler, whose names tell their versions.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { launch, serve } from "../tests/web/harness.mjs";

const { values: options } = parseArgs({
  options: {
    texts: { type: "string" },
    counts: { type: "string", default: "10000" },
    visits: { type: "string", default: "9" },
  },
});
const QUESTIONS = 100;
const PASSES = 5;
const BATCH = 100;
const visits = Number(options.visits);
const texts = readFileSync(options.texts, "utf8").split("\n").filter(Boolean);

const sorted = (values) => [...values].sort((a, b) => a - b);
const quantile = (values, share) => sorted(values)[Math.floor(share * (values.length - 1))];
const shown = (values) => `${quantile(values, 0.5).toFixed(1)} (${sorted(values)[0].toFixed(1)} to ${sorted(values).at(-1).toFixed(1)})`;

/** Remembers texts in a page; resolves with the milliseconds that it took. */
const remember = (page, texts) =>
  page.evaluate(
    async ([texts, batch]) => {
      const { Memory } = await import("edgemem");
      const memory = await Memory.open({ userId: "ada" });
      const start = performance.now();
      for (let from = 0; from < texts.length; from += batch) {
        const messages = texts.slice(from, from + batch).map((content) => ({ role: "user", content }));
        await memory.add(messages, { infer: false });
      }
      const took = performance.now() - start;
      await memory.close();
      return took;
    },
    [texts, BATCH],
  );

/** Opens the memory and asks, in a new page. */
async function visit(browser, site, questions, passes) {
  const page = await browser.open(site);
  const told = await page.evaluate(
    async ([questions, passes]) => {
      const times = {};
      let last = performance.now();
      const lap = (name) => {
        const now = performance.now();
        times[name] = now - last;
        last = now;
      };
      const { Memory } = await import("edgemem");
      lap("scripts");
      const memory = await Memory.open({ userId: "ada" });
      lap("open");
      const { results } = await memory.search(questions[0]);
      lap("first");
      if (results.length === 0) throw new Error("nothing was found");
      times.searches = [];
      for (let pass = 0; pass < passes; pass++) {
        for (const question of questions) {
          const start = performance.now();
          await memory.search(question);
          times.searches.push(performance.now() - start);
        }
      }
      await memory.close();
      return times;
    },
    [questions, passes],
  );
  await page.close();
  return told;
}

const site = await serve({ keep: true });
for (const count of options.counts.split(",").map(Number)) {
  if (texts.length < count + QUESTIONS) throw new Error(`${count} memories need ${count + QUESTIONS} sentences, there are ${texts.length}`);
  const questions = texts.slice(count, count + QUESTIONS);
  let browser = await launch();
  const { profile } = browser;
  console.log(`${count} memories in Chromium ${browser.context.browser()?.version() ?? ""}`);
  const page = await browser.open(site);
  const took = await remember(page, texts.slice(0, count));
  await page.close();
  console.log(`  remembered, ${BATCH} at a time             ${(took / count).toFixed(2)} ms each`);
  const warm = [];
  for (let number = 0; number < visits; number++) warm.push(await visit(browser, site, questions, 0));
  const { searches } = await visit(browser, site, questions, PASSES);
  const cold = [];
  for (let number = 0; number < Math.ceil(visits / 3); number++) {
    await browser.close();
    browser = await launch(profile);
    cold.push(await visit(browser, site, questions, 0));
  }
  await browser.close();
  for (const [name, visits] of [["a visit", warm], ["a cold visit", cold]]) {
    const all = (tell) => shown(visits.map(tell));
    console.log(`  ${name}: median (least to most), ms`);
    console.log(`    open to first recall                  ${all(({ open, first }) => open + first)}`);
    console.log(`      Memory.open                         ${all(({ open }) => open)}`);
    console.log(`      first search                        ${all(({ first }) => first)}`);
    console.log(`    before: scripts                       ${all(({ scripts }) => scripts)}`);
  }
  console.log(`  recall, ${searches.length} searches: p50 ${quantile(searches, 0.5).toFixed(2)} ms, p95 ${quantile(searches, 0.95).toFixed(2)} ms`);
}
site.stop();
