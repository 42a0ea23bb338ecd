import example from "./example.js";

const lines = [];
await example({ log: (...line) => lines.push(line) });
const output = document.createElement("output");
output.textContent = JSON.stringify(lines);
document.body.append(output);
