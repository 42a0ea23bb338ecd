// From nothing to a stored and recalled memory. `cargo xtask build component` makes what this imports.
import { readFileSync } from "node:fs";
import { instantiate } from "../../../crates/component/build/node/edgemem.js";
import { host } from "./host.mjs";
import { inFile } from "./storage.mjs";

const { memory } = await instantiate(undefined, host({ storage: inFile(process.argv[2]) }));
const table = readFileSync(new URL("../../../models/builtin.bin", import.meta.url));
const space = await memory.Space.open({ userId: "alice" }, { embedder: { tag: "builtin", val: table } });
await space.remember([{ role: "user", content: "I am allergic to peanuts." }]);
for (const { memory, score } of await space.recall("What am I allergic to?", 3)) console.log(score.toFixed(2), memory.text);
