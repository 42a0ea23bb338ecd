// What a memory talks to: an engine in this program, the tab that has it, or a server.

/** A request of the HTTP API. */
export interface Ask {
  method: string;
  /** Path and query. */
  target: string;
  /** JSON. */
  body?: string;
}

/** Something that answers requests of the HTTP API. */
export interface Transport {
  /** Whether an add is to be waited for by its event, rather than within the request. */
  readonly byEvents: boolean;
  /** The text of the answer. Rejects with a `MemoryError`. */
  ask(ask: Ask): Promise<string>;
  /** Calls back whenever something was changed, here or in another tab; returns what ends that. */
  onChange(listener: () => void): () => void;
  /** Waits for what is being written, and lets go of everything. */
  close(): Promise<void>;
}

/** Whether asking twice does no more than asking once. */
export function isRepeatable({ method, target }: Ask): boolean {
  return method === "GET" || method === "PUT" || !changes({ method, target });
}

/** Whether a request changes anything. */
export function changes({ method, target }: Ask): boolean {
  if (method === "GET") return false;
  const path = target.split("?", 1)[0] ?? "";
  return !(method === "POST" && ["/v3/memories/search/", "/v3/memories/", "/v1/context/"].includes(path));
}

/** Those who want to know of changes. */
export class Listeners {
  readonly #listeners = new Set<() => void>();

  add(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
