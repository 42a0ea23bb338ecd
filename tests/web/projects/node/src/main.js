import example from "./example.js";

const lines = [];
await example({ log: (...line) => lines.push(line) });
console.log(JSON.stringify(lines));
