// What a program in Node supplies to edgemem: the imports of the component.
import { randomFillSync } from "node:crypto";

const isText = (value) => typeof value === "string";
const isBytes = (value) => value instanceof Uint8Array;
const failed = (reason) => ({ tag: "failed", val: reason });
const unreachable = (reason) => ({ tag: "unreachable", val: reason });
const none = (what) => () => {
  throw new Error(`this program has no ${what}`);
};

/** An error of the interface `storage`: `full` or `failed`. */
export const storageError = (tag, reason) => Object.assign(new Error(reason), { payload: { tag, val: reason } });

/** An error of the interfaces `chat` and `embed`, such as `{ tag: "rate-limited", val: 1000n }`. */
export const modelError = (payload) => Object.assign(new Error(payload.tag), { payload });

/**
 * The imports of the component. `storage` has the functions of the interface `storage`; `ask` and `texts` are those of
 * `chat` and `embed`. All may be async. Whatever they throw, and an answer that is none, becomes an error that
 * edgemem knows: outside of it, the component would be at its end.
 */
export function host({ storage, ask = none("language model"), texts = none("embedding model"), now = Date.now, bits }) {
  return {
    "edgemem:memory/chat": { ask: guarded(ask, isReply, unreachable) },
    "edgemem:memory/embed": { texts: guarded(texts, isVectors, unreachable) },
    "edgemem:memory/storage": {
      get: guarded(storage.get, (record) => record === undefined || isBytes(record), failed),
      scan: guarded(storage.scan, isRows, failed),
      commit: guarded(storage.commit, () => true, failed),
    },
    "edgemem:memory/clock": {
      now: () => BigInt(now()),
      // A program may end while this waits.
      sleep: (millis) => new Promise((done) => setTimeout(done, Number(millis)).unref()),
    },
    "edgemem:memory/random": { bits: bits ?? (() => randomFillSync(new BigUint64Array(1))[0]) },
  };
}

const isRows = (rows) => Array.isArray(rows) && rows.every((row) => isText(row?.key) && isBytes(row?.record));
const isVectors = (vectors) =>
  Array.isArray(vectors) && vectors.every((vector) => vector instanceof Float32Array || Array.isArray(vector));
const isReply = (reply) =>
  isText(reply?.content) &&
  Array.isArray(reply.toolCalls) &&
  reply.toolCalls.every((call) => isText(call?.name) && isText(call?.arguments)) &&
  ["done", "length", "refused"].includes(reply.finish);

function guarded(call, isAnswer, error) {
  return async (...words) => {
    let answer;
    try {
      answer = await call(...words);
    } catch (reason) {
      if (reason?.payload?.tag) throw reason;
      throw Object.assign(new Error("a function of the host failed"), { payload: error(String(reason?.message ?? reason)) });
    }
    if (isAnswer(answer)) return answer;
    throw Object.assign(new Error("nonsense"), { payload: error("a function of the host answered nonsense") });
  };
}
