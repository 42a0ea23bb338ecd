// A server: edgemem's Worker, or whatever else speaks its API.
import { errorOf, MemoryError } from "./errors.js";
import { type Ask, changes, Listeners, type Transport } from "./transport.js";

/** Where a server is. */
export interface RemoteOptions {
  /** Its address, such as `https://memory.example.com`. */
  host: string;
  /** One of its keys, or a user's token, which suits a page: it opens that user's memory alone. Sent as `Authorization: Token`. */
  apiKey?: string | undefined;
}

export class RemoteTransport implements Transport {
  readonly byEvents = false;
  readonly #host: string;
  readonly #headers: Record<string, string>;
  readonly #listeners = new Listeners();

  constructor({ host, apiKey }: RemoteOptions) {
    this.#host = host.replace(/\/+$/, "");
    this.#headers = { "content-type": "application/json", ...(apiKey && { authorization: `Token ${apiKey}` }) };
  }

  async ask(ask: Ask): Promise<string> {
    const { method, target, body } = ask;
    try {
      const answer = await fetch(this.#host + target, { method, headers: this.#headers, ...(body !== undefined && { body }) });
      const text = await answer.text();
      if (!answer.ok) throw failed(answer.status, text);
      if (changes(ask)) this.#listeners.tell();
      return text;
    } catch (error) {
      if (error instanceof MemoryError) throw error;
      const message = `${this.#host} cannot be reached: ${(error as Error).message}`;
      throw errorOf({ code: "server_unreachable", status: 503, message }, error);
    }
  }

  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  async close(): Promise<void> {}
}

function failed(status: number, text: string): MemoryError {
  try {
    const { code, error, detail } = JSON.parse(text) as Record<string, unknown>;
    const message = String(error ?? detail ?? text);
    return errorOf({ code: typeof code === "string" ? code : `http_${status}`, message, status });
  } catch {
    return errorOf({ code: `http_${status}`, message: text.slice(0, 300) || `HTTP ${status}`, status });
  }
}
