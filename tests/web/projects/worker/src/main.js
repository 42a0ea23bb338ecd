import example from "./example.js";

export default {
  async fetch() {
    const lines = [];
    await example({ log: (...line) => lines.push(line) });
    return Response.json(lines);
  },
};
