// What the engine asks of the program around it; crates/web/src/host.rs is the other end.

/** One change to a table. `clear` without a table removes everything. */
export type Write =
  | ["put", table: string, key: string, record: Uint8Array]
  | ["delete", table: string, key: string]
  | ["clear", table?: string];

/** Ordered tables with an atomic commit. Keys are ordered by the bytes of their UTF-8. */
export interface Backend {
  /** One record. */
  get(table: string, key: string): Promise<Uint8Array | undefined>;
  /** Up to so many records in the order of their keys, from a key on, or after it: keys and records in turn. The engine may keep the records. */
  scan(table: string, from: string | undefined, inclusive: boolean, limit: number): Promise<(string | Uint8Array)[]>;
  /** Applies the writes in order: all of them, or none. An error with the code `storage_full` means that no room is left. */
  commit(writes: Write[]): Promise<void>;
}

/** Status, header names and values in turn, body. */
export type Answer = [status: number, headers: string[], body: Uint8Array];

/** What the engine needs. */
export interface Host {
  /** The storage of a space, by the 16 hex digits of its hash. */
  storage(space: string): Promise<Backend>;
  /** Sends a request of a model and reads the whole answer; rejects with the code `timeout` after so many milliseconds. */
  send(
    model: string,
    method: string,
    url: string,
    headers: string[],
    body: Uint8Array,
    timeout: number,
  ): Promise<Answer>;
  /** Waits, in milliseconds. */
  sleep(milliseconds: number): Promise<void>;
  /** Milliseconds since 1970. */
  now(): number;
  /** 64 random bits. */
  random(): bigint;
  /** Tells of something that mended itself. */
  warn(message: string): void;
  /** A task can make another step: but not within this call. */
  wake(task: number): void;
  /** A task has its answer. */
  done(task: number, answer: string): void;
  /** A task has failed: with JSON of a problem, or with what this host threw. */
  failed(task: number, error: unknown): void;
}
