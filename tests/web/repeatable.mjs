// The host that samples/digest.json is about, in a page or in Node: a clock that stands still and random bits that
// repeat. The package asks for both as anything does; only what it asks of is replaced here.

/** Replaces them, and returns the function that sets the clock, in milliseconds since 1970. It is sent into pages as its text. */
export function repeatable() {
  let time = 0;
  let state = 7n;
  Date.now = () => time;
  const real = crypto.getRandomValues.bind(crypto);
  crypto.getRandomValues = (array) => {
    if (!(array instanceof BigUint64Array)) return real(array);
    for (const place of array.keys()) {
      state = BigInt.asUintN(64, BigInt.asUintN(64, state * 6364136223846793005n) + 1n);
      array[place] = state;
    }
    return array;
  };
  return (now) => (time = now);
}

/** Tells a memory the sample, and returns the hash of what it then has stored. It is sent into pages as its text, too. */
export async function told(memory, sessions, setTime) {
  for (const { time, messages } of sessions) {
    setTime(Date.parse(time));
    const { status } = await memory.add(messages, { timestamp: time });
    if (status !== "SUCCEEDED") throw new Error(status);
    // What the add left to do, such as a summary, is done before the clock goes on.
    while ((await memory.stats()).pendingJobs > 0) await new Promise((done) => setTimeout(done, 5));
  }
  return (await memory.stats({ digest: true })).digest;
}
