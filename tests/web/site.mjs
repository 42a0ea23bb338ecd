// The app of www/ as a static page, with nothing behind it but files.
import { join } from "node:path";
import { root, serveFolder } from "./harness.mjs";

/** Serves the built app under `/app/`; `requests` are the paths that were asked for. */
export async function serveApp() {
  const site = await serveFolder(join(root, "www"));
  return { ...site, url: `${site.url}/app/` };
}

/** The sizes and colours in which every view is looked at. */
export const LOOKS = ["light", "dark"].flatMap((colours) => [
  { name: `desktop-${colours}`, colours, size: { width: 1280, height: 800 } },
  { name: `phone-${colours}`, colours, size: { width: 390, height: 844 } },
]);
