// The Worker on a clock that stands still and random bits that repeat, which nothing else of it is told: what a
// Durable Object then stores is what every other host stores. The harness makes this its main module.
//
// A request's header `x-test-time` sets the clock, in milliseconds since 1970.
import Worker from "./index.js";
export * from "./index.js";

let time = 0;
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...parts) {
    if (parts.length > 0) super(...parts);
    else super(time);
  }
  static now = () => time;
};

// The Worker takes 64 bits as two halves, the upper one first.
let state = 7n;
let lower;
Math.random = () => {
  if (lower === undefined) {
    state = BigInt.asUintN(64, BigInt.asUintN(64, state * 6364136223846793005n) + 1n);
    lower = Number(state & 0xffff_ffffn);
    return Number(state >> 32n) / 2 ** 32;
  }
  const half = lower / 2 ** 32;
  lower = undefined;
  return half;
};

export default class extends Worker {
  fetch(request) {
    const asked = request.headers.get("x-test-time");
    if (asked) time = Number(asked);
    return super.fetch(request);
  }
}
