// The app of www/ as a static page, with nothing behind it but files, and how it is looked at.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root, serveFolder } from "./harness.mjs";

const axe = readFileSync(join(root, "www/node_modules/axe-core/axe.min.js"), "utf8");

/** Serves the built app under `/app/`; `requests` are the paths that were asked for. */
export async function serveApp() {
  const site = await serveFolder(join(root, "www"));
  return { ...site, url: `${site.url}/app/` };
}

/** The sizes and colours in which every view is looked at. */
const LOOKS = ["light", "dark"].flatMap((colours) => [
  { name: `desktop-${colours}`, colours, size: { width: 1280, height: 800 } },
  { name: `phone-${colours}`, colours, size: { width: 390, height: 844 } },
]);

/** Has a page look as it does first of all. */
export async function dress(page) {
  await page.emulateMedia({ reducedMotion: "reduce", colorScheme: "light" });
  await page.setViewportSize(LOOKS[0].size);
}

/** Waits until what was begun is shown. */
export const drawn = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

/** A folder of tests/web/screenshots without those of earlier runs. */
export function screenshots(name) {
  const folder = join(root, "tests/web/screenshots", name);
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(folder)) if (file.endsWith(".png")) rmSync(join(folder, file));
  return folder;
}

/**
 * Takes a screenshot of what a page shows, in each size and both colours, and sees that nothing is cut off at the side
 * and that axe finds nothing serious. With `chat`, phones show the chat.
 */
export async function look(page, folder, name, { chat = false } = {}) {
  for (const { name: how, colours, size } of LOOKS) {
    await page.emulateMedia({ reducedMotion: "reduce", colorScheme: colours });
    await page.setViewportSize(size);
    if (chat && how.startsWith("phone")) await page.locator('nav a[data-view="chat"]').click();
    await page.waitForTimeout(200);
    await page.screenshot({ path: join(folder, `${name}-${how}.png`) });
    const cut = await page.evaluate(() =>
      [document.documentElement, ...document.querySelectorAll("main, .turns, dialog[open], .card")]
        .filter((element) => element.scrollWidth > element.clientWidth + 1)
        .map((element) => `${element.tagName}.${element.className} ${element.scrollWidth} > ${element.clientWidth}`),
    );
    assert.deepEqual(cut, [], `${name}, ${how}: too wide`);
    const alert = await page.evaluate(() => document.querySelector(".alert")?.offsetHeight ?? 0);
    assert.ok(alert < 160, `${name}, ${how}: the alert is ${alert} high`);
    await accessible(page, `${name}, ${how}`);
  }
  await dress(page);
}

/** Axe finds nothing that is serious. */
async function accessible(page, where) {
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { resultTypes: ["violations"] });
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html, failureSummary }) => `${html.slice(0, 140)} ${failureSummary}`).join(" | ")}`);
  });
  assert.deepEqual(found, [], where);
}

/** What a visitor does in a page of the app. */
export const visitor = (page) => ({
  view: (name) => page.locator(`nav a[data-view="${name}"]`).click(),
  /** The texts of the memories that are listed. */
  listed: () => page.locator(".memory > .text").allTextContents(),
  /** Moves the time; to now, when no place is given. */
  setTime: (value) =>
    page.locator("#time").evaluate((slider, value) => {
      slider.value = value ?? slider.max;
      slider.dispatchEvent(new Event("input", { bubbles: true }));
    }, value),
  say: async (text) => {
    await page.getByLabel("Message", { exact: true }).fill(text);
    await page.keyboard.press("Enter");
  },
  /** Asks which city the user lives in, and looks at the receipt of the best answer. */
  async recallCity() {
    await page.locator('nav a[data-view="recall"]').click();
    await page.getByRole("searchbox", { name: "Question" }).fill("Which city does the user live in?");
    await page.getByRole("button", { name: "Recall", exact: true }).click();
    const best = page.locator(".hit").first();
    assert.match(await best.locator(".answer > .text").innerText(), /San Francisco/);
    assert.match(await best.locator(".receipt table").innerText(), /vector|keyword/);
    await best.locator("summary").click();
    assert.match(await best.locator("blockquote").first().innerText(), /San Francisco/);
  },
  /** Opens the settings, has something done there, and uses them. */
  async settings(change) {
    await page.getByRole("button", { name: "Settings", exact: true }).click();
    await change(page.locator("dialog.settings"));
    await page.getByRole("button", { name: "Use these" }).click();
    await drawn(page);
  },
});
