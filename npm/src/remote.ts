// A server: edgemem's Worker, or whatever else speaks its API.
import { errorOf, MemoryError } from "./errors.js";
import { type Ask, changes, Listeners, type Transport } from "./transport.js";

/** Where a server is. */
export interface RemoteOptions {
  /** Its address, such as `https://memory.example.com`. */
  host: string;
  /**
   * One of its keys, or a user's token, which suits a page: it opens that user's memory alone. A function gives one
   * when it is first needed, and another one when the server refuses the last, as a token is that has expired.
   */
  apiKey?: string | (() => string | Promise<string>) | undefined;
}

/** What came back; a page comes from other servers. */
interface Answer {
  ok: boolean;
  status: number;
  isPage: boolean;
  text: string;
}

/** What can be done where the server's own words do not say it. */
const ADVICE: Record<string, string> = {
  api_key_expired: "get another one",
  token_expired: "get another one, or give apiKey as a function, which is called for it",
};

export class RemoteTransport implements Transport {
  readonly byEvents = false;
  readonly #host: string;
  readonly #apiKey: RemoteOptions["apiKey"];
  readonly #listeners = new Listeners();
  /** The last key that the function gave. */
  #last: string | undefined;
  /** The function is being asked, for all who wait. */
  #asking: Promise<string> | undefined;

  constructor({ host, apiKey }: RemoteOptions) {
    this.#host = host.replace(/\/+$/, "");
    this.#apiKey = apiKey;
  }

  async ask(ask: Ask): Promise<string> {
    const key = await this.#key();
    let answer = await this.#send(ask, key);
    if (answer.status === 401 && typeof this.#apiKey === "function") {
      // Nothing was done for a key that is refused, so it can be asked again: once, and by another key.
      const another = await this.#key(key);
      if (another !== key) answer = await this.#send(ask, another);
    }
    if (!answer.ok || answer.isPage) throw this.#failed(answer);
    if (changes(ask)) this.#listeners.tell();
    return answer.text;
  }

  /** The key to send; another one than was refused. */
  async #key(refused?: string): Promise<string | undefined> {
    if (typeof this.#apiKey !== "function") return this.#apiKey;
    // Another request may have got a new one meanwhile.
    if (this.#last !== undefined && this.#last !== refused) return this.#last;
    this.#asking ??= this.#given(this.#apiKey).finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  async #given(give: () => string | Promise<string>): Promise<string> {
    let cause: unknown = "it gave none";
    try {
      const key = await give();
      if (key) return (this.#last = key);
    } catch (error) {
      cause = error;
    }
    const message = `apiKey() gave no token: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw errorOf({ code: "token_unavailable", status: 401, message }, cause);
  }

  async #send({ method, target, body }: Ask, key: string | undefined): Promise<Answer> {
    // No header can carry others.
    if (key && !/^[\x21-\x7e]+$/.test(key)) {
      const message = "the key has blanks or letters in it that no key has: copy it anew";
      throw errorOf({ code: "invalid_api_key", status: 401, message });
    }
    const headers = { "content-type": "application/json", ...(key && { authorization: `Token ${key}` }) };
    try {
      const answer = await fetch(this.#host + target, { method, headers, ...(body !== undefined && { body }) });
      const { ok, status } = answer;
      const isPage = answer.headers.get("content-type")?.startsWith("text/html") ?? false;
      return { ok, status, isPage, text: await answer.text() };
    } catch (error) {
      const message = `${this.#host} cannot be reached: ${(error as Error).message}`;
      throw errorOf({ code: "server_unreachable", status: 503, message }, error);
    }
  }

  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  async close(): Promise<void> {}

  #failed({ ok, status, isPage, text }: Answer): MemoryError {
    if (isPage) {
      const message = `${this.#host} answers with a page (HTTP ${status}), as edgemem does not: is this its address?`;
      return errorOf({ code: ok ? "not_edgemem" : `http_${status}`, status: ok ? 502 : status, message });
    }
    try {
      const { code, error, detail } = JSON.parse(text) as Record<string, unknown>;
      const message = String(error ?? detail ?? text);
      const advice = typeof code === "string" ? ADVICE[code] : undefined;
      return errorOf({
        code: typeof code === "string" ? code : `http_${status}`,
        message: advice ? `${message}: ${advice}` : message,
        status,
      });
    } catch {
      return errorOf({ code: `http_${status}`, message: text.slice(0, 300) || `HTTP ${status}`, status });
    }
  }
}
