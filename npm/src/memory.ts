// The class that people use: a thin translation to the HTTP API, wherever that is answered.
import { errorOf, MemoryNotFoundError } from "./errors.js";
import { LocalTransport } from "./local.js";
import { fromWire, toQuery, toWire } from "./names.js";
import { currentPlatform } from "./platform.js";
import { type RemoteOptions, RemoteTransport } from "./remote.js";
import { AheadStore } from "./storage/ahead.js";
import { encrypted, fingerprint, reencrypt } from "./storage/encrypted.js";
import { inIndexedDb } from "./storage/indexeddb.js";
import { inMemory } from "./storage/memory.js";
import type { Store } from "./storage/store.js";
import { canShare, TabTransport } from "./tabs.js";
import type { Ask, Transport } from "./transport.js";
import type {
  AddOptions, AddResult, Call, Context, ContextOptions, Contradiction, EntityView, Graph, GraphOptions, HistoryEntry,
  ListOptions, MemoryEvent, MemoryItem, MemoryOptions, Message, Page, Progress, Scope, SearchOptions, SearchResult,
  Selection, Stats, TimelineEntry, UpdateOptions,
} from "./types.js";

/** How often an event is looked at while nobody tells of a change, in milliseconds. */
const LOOK = 1_000;

/** Memories on a page of `list`. */
const PAGE = 200;

/** Long-term memory. */
export class Memory {
  readonly #scope: Scope;
  readonly #open: () => Promise<Transport>;
  #transport: Promise<Transport> | undefined;
  readonly #progress = new Set<(progress: Progress) => void>();

  /** A memory in this program. It is opened by the first call; `Memory.open` opens it at once. */
  constructor(options: MemoryOptions = {}) {
    this.#scope = scopeOf(options);
    if (options.onProgress) this.#progress.add(options.onProgress);
    this.#open = () => openHere(options, (progress) => this.#tell(progress));
  }

  /** A memory in this program, opened. Rejects with a `MemoryError` that says what stands in the way. */
  static async open(options: MemoryOptions & Call = {}): Promise<Memory> {
    const { signal } = options;
    const memory = new Memory(options);
    try {
      await orAborted(memory.#ready(), signal);
      // Loads what is remembered, and goes on with what was not finished.
      if (Object.values(memory.#scope).some((id) => id !== undefined)) await memory.stats({ signal });
      return memory;
    } catch (error) {
      await memory.close();
      throw error;
    }
  }

  /** The same class over a server: edgemem's Worker, or whatever speaks its API. */
  static connect(options: Scope & RemoteOptions): Memory {
    const memory = new Memory(scopeOf(options));
    memory.#transport = Promise.resolve(new RemoteTransport(options));
    return memory;
  }

  /** Remembers a conversation. Resolves with what was decided; with `asyncMode` as soon as the messages are stored. */
  async add(messages: string | Message | Message[], options: AddOptions = {}): Promise<AddResult> {
    const { onProgress, signal, asyncMode = false, ...fields } = options;
    const transport = await orAborted(this.#ready(), signal);
    if (onProgress) this.#progress.add(onProgress);
    try {
      const list = typeof messages === "string" || Array.isArray(messages) ? messages : [messages];
      // With a server the request waits; here, what is stored is acknowledged before the LLM is asked.
      const wait = !asyncMode && !transport.byEvents;
      const body = { ...this.#scoped(fields), messages: list, asyncMode: !wait };
      const added = await this.#ask<AddResult>("POST", "/v3/memories/add/", body, { signal });
      const { eventId } = added;
      onProgress?.({ phase: "stored", eventId });
      let { status } = added;
      const waits = !asyncMode && (status === "PENDING" || status === "RUNNING") && added.error === undefined;
      const result = waits ? resultOf(await this.#done(transport, eventId, signal), added.note) : added;
      ({ status } = result);
      if (status === "SUCCEEDED" || status === "FAILED") onProgress?.({ phase: "done", eventId });
      return { ...result, results: result.results ?? [], relations: result.relations ?? [] };
    } finally {
      if (onProgress) this.#progress.delete(onProgress);
    }
  }

  /** Finds what answers a question, best first. No model is asked but the embedder. */
  async search(query: string, options: SearchOptions = {}): Promise<SearchResult> {
    return this.#ask("POST", "/v3/memories/search/", { ...this.#selecting(options), query }, options);
  }

  /** A page of memories, newest first. */
  async getAll(options: ListOptions = {}): Promise<Page> {
    const { page, pageSize, topK, ...fields } = options;
    const query = toQuery({ page, pageSize: pageSize ?? topK });
    return this.#ask("POST", `/v3/memories/${query}`, this.#selecting(fields), options);
  }

  /** All memories, newest first, read page by page: `for await (const item of memory.list())`. */
  async *list(options: Omit<ListOptions, "page" | "topK"> = {}): AsyncGenerator<MemoryItem, void, undefined> {
    const pageSize = options.pageSize ?? PAGE;
    for (let page = 1; ; page++) {
      const { results, next } = await this.getAll({ ...options, page, pageSize });
      yield* results;
      if (next === null) return;
    }
  }

  /** One memory; `null` when there is none of this id. */
  async get(memoryId: string, options: Call = {}): Promise<MemoryItem | null> {
    try {
      return await this.#ask<MemoryItem>("GET", `/v1/memories/${encodeURIComponent(memoryId)}/`, undefined, options);
    } catch (error) {
      if (error instanceof MemoryNotFoundError) return null;
      throw error;
    }
  }

  /** Changes a memory by hand: its text alone, or what is given. */
  async update(memoryId: string, change: string | UpdateOptions): Promise<MemoryItem> {
    const fields = typeof change === "string" ? { text: change } : change;
    const { signal } = typeof change === "string" ? {} : change;
    return this.#ask("PUT", `/v1/memories/${encodeURIComponent(memoryId)}/`, fields, { signal });
  }

  /** Erases a memory and what was derived from it. */
  async delete(memoryId: string, options: Call = {}): Promise<{ message: string }> {
    return this.#ask("DELETE", `/v1/memories/${encodeURIComponent(memoryId)}/`, undefined, options);
  }

  /** Erases all memories of an owner that the selection selects. */
  async deleteAll(options: Selection = {}): Promise<{ message: string; count: number }> {
    return this.#ask("DELETE", "/v1/memories/", this.#scoped(options), options);
  }

  /** What happened to a memory, oldest first. */
  async history(memoryId: string, options: Call = {}): Promise<HistoryEntry[]> {
    return this.#ask("GET", `/v1/memories/${encodeURIComponent(memoryId)}/history/`, undefined, options);
  }

  /** What became of an add. */
  async event(eventId: string, options: Call = {}): Promise<MemoryEvent> {
    return this.#ask("GET", `/v1/event/${encodeURIComponent(eventId)}/`, undefined, options);
  }

  /** Entities and relations, a page at a time. */
  async graph(options: GraphOptions = {}): Promise<Graph> {
    return this.#ask("GET", `/v1/graph/${toQuery(this.#scoped(options))}`, undefined, options);
  }

  /** The whole graph in a format of other programs. */
  async exportGraph(format: "json-ld" | "graphml" | "cypher", options: Selection = {}): Promise<string> {
    return this.#text("GET", `/v1/graph/export/${toQuery({ ...this.#scoped(options), format })}`, undefined, options);
  }

  /** An entity, by its id or any of its names, with all that is known of it. */
  async entity(idOrName: string, options: Scope & Call = {}): Promise<EntityView> {
    return this.#ask("GET", `${entityPath(idOrName)}${toQuery(this.#scoped(options))}`, undefined, options);
  }

  /** Says that two entities are one: the first becomes the second. */
  async mergeEntities(from: string, into: string, options: Scope & Call = {}): Promise<EntityView> {
    return this.#ask("POST", `${entityPath(from)}merge/`, { ...this.#scoped(options), into }, options);
  }

  /** Says that some memories of an entity are about another one, which is made. */
  async splitEntity(entity: string, name: string, memoryIds: string[], options: Scope & Call = {}): Promise<EntityView> {
    return this.#ask("POST", `${entityPath(entity)}split/`, { ...this.#scoped(options), name, memoryIds }, options);
  }

  /** How two entities hang together, over at most three relations. */
  async path(from: string, to: string, options: Scope & Call & { asOf?: string | Date } = {}): Promise<{
    entities: { id: string; name: string }[];
    paths: { text: string; steps: unknown[] }[];
  }> {
    return this.#ask("GET", `/v1/graph/path/${toQuery({ ...this.#scoped(options), from, to })}`, undefined, options);
  }

  /** What belongs into the prompt of an agent that answers this, within a budget of tokens. */
  async context(query: string, options: ContextOptions = {}): Promise<Context> {
    return this.#ask("POST", "/v1/context/", { ...this.#selecting(options), query }, options);
  }

  /** The story of an entity, a topic or the owner, in the order of its time. */
  async timeline(
    options: Selection & { entity?: string; query?: string; from?: string | Date; to?: string | Date } = {},
  ): Promise<{ count: number; results: TimelineEntry[] }> {
    return this.#ask("GET", `/v1/timeline/${toQuery(this.#scoped(options))}`, undefined, options);
  }

  /** What cannot all be true, until somebody says what is. */
  async contradictions(options: Scope & Call & { resolved?: boolean } = {}): Promise<{ count: number; results: Contradiction[] }> {
    return this.#ask("GET", `/v1/contradictions/${toQuery(this.#scoped(options))}`, undefined, options);
  }

  /** Says which side of a contradiction is true: one of its claims, or the id of a memory that one rests on. */
  async resolve(contradictionId: string, keep: unknown, options: Scope & Call = {}): Promise<Contradiction> {
    const path = `/v1/contradictions/${encodeURIComponent(contradictionId)}/resolve/`;
    return this.#ask("POST", path, { ...this.#scoped(options), keep }, options);
  }

  /** Counts and sizes; with `digest` also a hash of what is stored, for which all of it is read. */
  async stats(options: Scope & Call & { digest?: boolean } = {}): Promise<Stats> {
    return this.#ask("GET", `/v1/stats/${toQuery(this.#scoped(options))}`, undefined, options);
  }

  /** Everything that is remembered for an owner, as the text of a file that `import` reads. */
  async export(options: Scope & Call = {}): Promise<string> {
    return this.#text("GET", `/backup/${toQuery(this.#scoped(options))}`, undefined, options);
  }

  /** Takes over what `export` gave; `replace` forgets what is there. All of it, or nothing. */
  async import(file: string, options: Scope & Call & { replace?: boolean } = {}): Promise<void> {
    const { replace, ...fields } = options;
    const query = toQuery({ ...this.#scoped(fields), ...(replace && { replace }) });
    await this.#text("POST", `/backup/${query}`, file, options);
  }

  /**
   * Encrypts what is stored of an owner in this program by another passphrase, or no longer (`null`). All of it, or nothing:
   * until it is done, the memory is stored as it was. Then close it, and open it with the passphrase.
   */
  async encrypt(encryption: { passphrase: string } | null, options: Scope & Call = {}): Promise<void> {
    const body = JSON.stringify(encryption ?? {});
    await this.#text("POST", `/encryption/${toQuery(this.#scoped(options))}`, body, options);
  }

  /** Calls back whenever something has changed, here or in another tab. Returns what ends that. */
  onChange(listener: () => void): () => void {
    let end: (() => void) | undefined;
    let ended = false;
    this.#ready().then(
      (transport) => {
        if (!ended) end = transport.onChange(listener);
      },
      // Whoever asks for something is told.
      () => {},
    );
    return () => {
      ended = true;
      end?.();
    };
  }

  /** Waits for what is being written, and lets go of everything. */
  async close(): Promise<void> {
    const transport = this.#transport ?? this.#rejected();
    this.#transport = this.#rejected();
    this.#transport.catch(() => {});
    await (await transport.catch(() => undefined))?.close();
  }

  async #rejected(): Promise<Transport> {
    throw errorOf({ code: "closed", status: 409, message: "the memory is closed" });
  }

  #ready(): Promise<Transport> {
    if (!this.#transport) {
      const opening = this.#open();
      this.#transport = opening;
      // Who asks after a failure tries again.
      opening.catch(() => {
        if (this.#transport === opening) this.#transport = undefined;
      });
    }
    return this.#transport;
  }

  #tell(progress: Progress): void {
    for (const listener of [...this.#progress]) listener(progress);
  }

  /** The fields with this memory's own ids, when they name no owner. */
  #scoped<Fields extends Scope & { filters?: unknown }>(fields: Fields): Fields & Scope {
    const names = ["userId", "agentId", "appId", "runId"] as const;
    const named = names.some((name) => fields[name] !== undefined) || mentionsOwner(fields.filters);
    return named ? fields : { ...this.#scope, ...fields };
  }

  /** The same, with the ids among the filters, where all servers read them. */
  #selecting<Fields extends Selection>(fields: Fields): Omit<Fields, keyof Scope> {
    const { userId, agentId, appId, runId, filters, ...rest } = this.#scoped(fields);
    const ids = toWire({ userId, agentId, appId, runId });
    const both = Object.keys(ids).length === 0 ? filters : filters ? { AND: [ids, filters] } : ids;
    return { ...rest, ...(both && { filters: both }) } as Omit<Fields, keyof Scope>;
  }

  async #text(method: string, target: string, body: string | undefined, { signal }: Call): Promise<string> {
    signal?.throwIfAborted();
    const transport = await orAborted(this.#ready(), signal);
    const ask: Ask = { method, target, ...(body !== undefined && { body }) };
    return orAborted(transport.ask(ask), signal);
  }

  async #ask<T>(method: string, target: string, fields: object | undefined, call: Call): Promise<T> {
    const body = fields && JSON.stringify(toWire(fields));
    return fromWire(JSON.parse(await this.#text(method, target, body, call))) as T;
  }

  /** An add's event, once it is done or has failed for now. */
  async #done(transport: Transport, eventId: string, signal: AbortSignal | undefined): Promise<MemoryEvent> {
    for (;;) {
      const changed = nextChange(transport);
      try {
        const event = await this.event(eventId, { signal });
        if (event.status === "SUCCEEDED" || event.status === "FAILED" || event.error !== null) return event;
        await orAborted(changed.promise, signal);
      } finally {
        changed.end();
      }
    }
  }
}

function entityPath(idOrName: string): string {
  return `/v1/graph/entities/${encodeURIComponent(idOrName)}/`;
}

function scopeOf({ userId, agentId, appId, runId }: Scope): Scope {
  return { userId, agentId, appId, runId };
}

/** Whether filters name an owner. */
function mentionsOwner(filters: unknown): boolean {
  if (Array.isArray(filters)) return filters.some(mentionsOwner);
  if (filters === null || typeof filters !== "object") return false;
  return Object.entries(filters).some(
    ([name, value]) => /^(user|agent|app|run|session)(_id|Id)$/.test(name) || (/^(AND|OR)$/i.test(name) && mentionsOwner(value)),
  );
}

/** The answer of an add, from its event. */
function resultOf(event: MemoryEvent, note: string | undefined): AddResult {
  const { id: eventId, status, results, relations, error, errorCode, retryAt } = event;
  const told = note ?? event.note;
  return {
    results,
    relations,
    eventId,
    status,
    ...(error !== null && { error: { code: errorCode ?? "internal_error", message: error } }),
    ...(retryAt !== null && { retryAt }),
    ...(told != null && { note: told }),
  };
}

/** Resolves with the next change, or when it is time to look anyway. */
function nextChange(transport: Transport): { promise: Promise<void>; end: () => void } {
  let end = (): void => {};
  const promise = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, LOOK);
    const stop = transport.onChange(resolve);
    end = () => {
      clearTimeout(timer);
      stop();
    };
  });
  return { promise, end: () => end() };
}

/** The promise, unless the waiting is ended before. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  promise.catch(() => {});
  signal.throwIfAborted();
  let stop = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    const listener = (): void => reject(signal.reason);
    signal.addEventListener("abort", listener, { once: true });
    stop = () => signal.removeEventListener("abort", listener);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    stop();
  }
}

/** Opens a memory in this program, or finds the tab that has it open. */
async function openHere(options: MemoryOptions, tell: (progress: Progress) => void): Promise<Transport> {
  const { name = "edgemem", llm, embedder, reranker, vectorIndex, megabytes, onWarning } = options;
  const platform = currentPlatform();
  const { encryption } = options;
  const stored = storeOf(options, name);
  const ahead = new AheadStore(stored);
  const store = encrypted(ahead, encryption);
  const open = (): Promise<Transport> =>
    LocalTransport.open({
      platform,
      store,
      ahead,
      reencrypt: (space, passphrase) => reencrypt(stored, space, encryption, passphrase === undefined ? undefined : { passphrase }),
      models: { llm, embedder, reranker },
      vectorIndex,
      megabytes,
      warn: onWarning ?? ((message) => console.warn(`edgemem: ${message}`)),
      progress: (phase) => tell({ phase }),
    });
  if (!store.shared || !canShare()) return open();
  // Tabs that have another key, or none, are told nothing by those that have it.
  return TabTransport.open(encryption ? `${name}/${await fingerprint(encryption)}` : name, open);
}

function storeOf({ persistence }: MemoryOptions, name: string): Store {
  const platform = currentPlatform();
  if (persistence === undefined) return platform.store(name);
  if (persistence === "none") return inMemory();
  if (persistence === "indexeddb") return inIndexedDb(name);
  if ("store" in persistence) return persistence.store;
  if (platform.files) return platform.files(persistence.directory, name);
  const message = "a folder can be given in Node only";
  throw errorOf({ code: "bad_configuration", status: 400, message });
}
