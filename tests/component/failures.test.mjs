// A host that fails, stalls or answers nonsense gets an error with a type, and nothing that was acknowledged is lost.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { modelError, storageError } from "../../examples/component/node/host.mjs";
import { inFile } from "../../examples/component/node/storage.mjs";
import { builtin, component, says } from "./harness.mjs";

// What stalls here would let the program end.
const awake = setInterval(() => {}, 1000);
after(() => clearInterval(awake));

const alice = { userId: "alice" };
const never = () => new Promise(() => {});
const fails = (tag, code) => ({ payload }) => {
  assert.equal(payload?.tag, tag, JSON.stringify(payload));
  if (code) assert.equal(payload.val.code, code, payload.val.message);
  return true;
};
const texts = async (space) => {
  const { val } = await space.apply({ tag: "list", val: { transcript: true } });
  return val.memories.map(({ text }) => text).sort();
};

/** A space on storage whose functions a test can replace. */
async function open(functions = {}, options = {}) {
  const storage = { ...inFile() };
  const kept = { ...storage };
  const calls = { get: (...a) => storage.get(...a), scan: (...a) => storage.scan(...a), commit: (...a) => storage.commit(...a) };
  const memory = await component({ storage: calls, ...functions });
  const opening = { embedder: builtin, timeLimit: 300n, ...options };
  const space = await memory.Space.open(alice, opening);
  return { memory, space, storage, kept, reopen: () => memory.Space.open(alice, opening) };
}

const broken = {
  "throws what its interface knows": () => {
    throw storageError("failed", "the disk is gone");
  },
  "throws anything": async () => {
    throw new TypeError("undefined is not a function");
  },
  "throws nothing": () => Promise.reject(undefined),
};
for (const [how, commit] of Object.entries(broken)) {
  test(`a commit that ${how}`, async () => {
    const { space, storage, kept, reopen } = await open();
    await space.remember([says("I play the cello")]);
    storage.commit = commit;
    await assert.rejects(space.remember([says("I live in Oakland")]), fails("storage", "storage_failed"));
    assert.deepEqual(await texts(space), ["I play the cello"]);
    storage.commit = kept.commit;
    await space.remember([says("I have a cat")]);
    assert.deepEqual(await texts(space), ["I have a cat", "I play the cello"]);
    assert.deepEqual(await texts(await reopen()), ["I have a cat", "I play the cello"]);
  });
}

test("a storage that is full says so", async () => {
  const { space, storage } = await open();
  storage.commit = () => {
    throw storageError("full", "no room");
  };
  await assert.rejects(space.remember([says("I play the cello")]), fails("storage", "storage_full"));
});

test("a commit that stalls: what it did or did not is read again", async () => {
  for (const done of [true, false]) {
    const { space, storage, kept } = await open();
    await space.remember([says("I play the cello")]);
    storage.commit = (...words) => {
      if (done) kept.commit(...words);
      return never();
    };
    await assert.rejects(space.remember([says("I live in Oakland")]), fails("storage", "storage_failed"));
    storage.commit = kept.commit;
    await space.remember([says("I have a cat")]);
    const expected = ["I have a cat", ...(done ? ["I live in Oakland"] : []), "I play the cello"];
    assert.deepEqual(await texts(space), expected);
    assert.equal((await space.recall("Which animal?", 5)).some(({ memory }) => memory.text === "I have a cat"), true);
  }
});

test("reads that are nonsense", async () => {
  const nonsense = {
    "no rows": () => "rows",
    "rows without records": () => [{ key: "a" }],
    "the same rows again and again": () => Array.from({ length: 1000 }, (_, i) => ({ key: String(i % 7), record: new Uint8Array() })),
    "records that are none": () => [{ key: "a", record: new Uint8Array([250, 1, 2]) }],
    "rows that stall": never,
  };
  for (const [what, scan] of Object.entries(nonsense)) {
    const { space, storage, kept, reopen } = await open();
    await space.remember([says("I play the cello")]);
    storage.scan = scan;
    await assert.rejects(reopen(), ({ payload }) => ["storage", "damaged"].includes(payload?.tag), what);
    storage.scan = kept.scan;
    assert.deepEqual(await texts(await reopen()), ["I play the cello"], what);
  }
});

const models = {
  "is down": [() => Promise.reject(new Error("ECONNREFUSED")), "model_unreachable"],
  "asks to wait": [() => Promise.reject(modelError({ tag: "rate-limited", val: 5000n })), "model_rate_limited"],
  "fails": [() => Promise.reject(modelError({ tag: "unavailable", val: { status: 503, reason: "busy" } })), "model_unavailable"],
  "stalls": [never, "model_timeout"],
  "answers something else": [async () => ({ text: "hello" }), "model_unreachable"],
  "answers prose": [async () => ({ content: "I am a teapot.", toolCalls: [], finish: "done" }), "model_unreadable"],
};
for (const [how, [ask, code]] of Object.entries(models)) {
  test(`a language model that ${how}: the messages are kept and the job is tried again`, async () => {
    let answer = ask;
    const { space } = await open({ ask: (request) => answer(request) }, { chat: "a model" });
    const event = await space.remember([says("I play the cello")]);
    assert.equal(event.status, "pending");
    assert.equal(event.error.code, code, event.error.message);
    // jco makes a promise of it.
    assert.equal(await space.nextDue(), event.retryAt);
    assert.deepEqual(await texts(space), ["I play the cello"]);
    answer = async () => ({ content: '{"facts": []}', toolCalls: [], finish: "done" });
    await space.apply({ tag: "run-jobs", val: event.id });
    assert.equal((await space.apply({ tag: "event", val: event.id })).val.status, "succeeded");
  });
}

test("an embedder that answers nonsense: an add waits, a question fails", async () => {
  const good = (list) => list.map((text) => new Float32Array([text.length, 1]));
  const bad = [async () => [], async () => "vectors", (list) => list.map(() => new Float32Array([NaN, 1])), never];
  for (const answer of bad) {
    let texts = good;
    const { space } = await open({ texts: (list) => texts(list) }, { embedder: { tag: "host", val: "lengths" } });
    await space.remember([says("I play the cello")]);
    texts = answer;
    await assert.rejects(space.recall("cello", 3), fails("model"));
    const event = await space.remember([says("I have a cat")]);
    assert.equal(event.status, "pending");
    texts = good;
    await space.apply({ tag: "run-jobs", val: event.id });
    assert.equal((await space.recall("cat", 3)).some(({ memory }) => memory.text === "I have a cat"), true);
  }
});

test("a stalled call can be cancelled, and the space goes on", async () => {
  let ask = never;
  const { space } = await open({ ask: (request) => ask(request) }, { chat: "a model", timeLimit: 0n });
  const stalled = space.remember([says("I play the cello")]);
  await new Promise((done) => setTimeout(done, 50));
  assert.deepEqual(await texts(space), ["I play the cello"]);
  space.cancel();
  await assert.rejects(stalled, fails("cancelled"));
  assert.deepEqual(await texts(space), ["I play the cello"]);
  ask = async () => ({ content: '{"facts": []}', toolCalls: [], finish: "done" });
  await space.apply({ tag: "run-jobs", val: undefined });
  assert.equal((await space.apply({ tag: "stats" })).val.jobs, 0);
});

test("calls at the same time", async () => {
  const all = Array.from({ length: 8 }, (_, number) => `Fact number ${number}`);
  for (let round = 0; round < 5; round++) {
    const { space, storage, kept } = await open();
    storage.commit = async (...words) => {
      await new Promise((done) => setTimeout(done, 5));
      return kept.commit(...words);
    };
    await Promise.all([...all.map((text) => space.remember([says(text)])), space.recall("fact", 3)]);
    assert.deepEqual(await texts(space), all);
  }
});

test("in a storm of failures, stalls and cancelled calls nothing acknowledged is lost", async () => {
  let seed = 1;
  const chance = () => (seed = (seed * 1103515245 + 12345) % 2 ** 31) / 2 ** 31;
  const some = (millis) => new Promise((done) => setTimeout(done, chance() * millis));
  for (let round = 0; round < 4; round++) {
    const { space, storage, kept, reopen } = await open();
    // One after the other, as the interface asks, whether anybody still waits for it or not.
    let turn = Promise.resolve();
    const inTurn = (call) => {
      const answer = turn.then(call);
      turn = answer.catch(() => {});
      return answer;
    };
    storage.get = (...words) => inTurn(() => kept.get(...words));
    storage.scan = (...words) => inTurn(() => kept.scan(...words));
    storage.commit = async (...words) => {
      const luck = chance();
      await inTurn(async () => {
        await some(8);
        if (luck < 0.05) throw new Error("the disk is gone");
        kept.commit(...words);
      });
      if (luck > 0.97) await never();
    };
    const acknowledged = [];
    const remember = async (_, number) => {
      await some(60);
      if (chance() < 0.1) space.cancel();
      const text = `Fact number ${number}`;
      await space.remember([says(text)]).then(
        () => acknowledged.push(text),
        ({ payload }) => assert.ok(["storage", "cancelled"].includes(payload?.tag), JSON.stringify(payload)),
      );
    };
    await Promise.all(Array.from({ length: 12 }, remember));
    await turn;
    Object.assign(storage, kept);
    const stored = await texts(await reopen());
    assert.deepEqual(acknowledged.filter((text) => !stored.includes(text)), []);
    assert.deepEqual(await texts(space), stored);
  }
});

test("what makes no sense is refused in words", async () => {
  const { memory, space } = await open();
  await assert.rejects(memory.Space.open({}, { embedder: builtin }), fails("invalid", "scope_required"));
  await assert.rejects(
    memory.Space.open(alice, { embedder: { tag: "builtin", val: new Uint8Array(9) } }),
    fails("invalid", "bad_embedder"),
  );
  await assert.rejects(space.recall(" ", 3), fails("invalid", "empty_query"));
  await assert.rejects(space.recall("a", 0), fails("invalid", "out_of_range"));
  await assert.rejects(space.remember([]), fails("invalid", "no_messages"));
  await assert.rejects(space.apply({ tag: "get", val: "seven" }), fails("invalid", "unreadable_request"));
  await assert.rejects(space.apply({ tag: "list", val: { filter: "{" } }), fails("invalid", "unreadable_request"));
});
