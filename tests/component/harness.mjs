// The component in Node, with the hosts of the examples.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { host } from "../../examples/component/node/host.mjs";

/** The project's folder. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

const { instantiate } = await import(join(root, "crates/component/build/node/edgemem.js"));
const table = readFileSync(join(root, "models/builtin.bin"));

/** The builtin embedder. */
export const builtin = { tag: "builtin", val: table };

/** A component of its own on these functions of a host. */
export async function component(functions) {
  const { memory } = await instantiate(undefined, host(functions));
  return memory;
}

/** A message of the user. */
export const says = (content) => ({ role: "user", content });

/** The bits of samples/digest.json. */
export function repeating() {
  let state = 7n;
  return () => {
    const next = BigInt.asUintN(64, state * 6364136223846793005n);
    state = BigInt.asUintN(64, next + 1n);
    return state;
  };
}
