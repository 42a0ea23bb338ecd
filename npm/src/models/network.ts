// How the engine reaches its models: by fetch, or by a function that answers as an endpoint would.
import type { Answer } from "../host.js";
import { errorOf } from "../errors.js";
import type { ChatFunction, ChatRequest, Embedder, EmbedFunction, Endpoint, Llm, Mem0Model } from "./types.js";

const OPENAI = "https://api.openai.com/v1";
/** Stands for the address of a function; nothing is ever sent there. */
const FUNCTION = "https://function.invalid/v1";
const FUNCTION_TIMEOUT = 600;

/** The models of a memory. */
export interface Models {
  llm?: Llm | null | undefined;
  embedder?: Embedder | undefined;
  reranker?: Endpoint | undefined;
}

/** What the engine is told of a model. */
interface Told extends Endpoint {
  baseURL: string;
  dimensions?: number;
}

const bad = (message: string) => errorOf({ code: "bad_configuration", status: 400, message });

/** What an endpoint of mem0's configuration is here. */
function fromMem0({ provider, config = {} }: Mem0Model, kind: "llm" | "embedder"): Endpoint & { dimensions?: number } {
  const { model, apiKey, embeddingDims } = config;
  const url = config.baseURL ?? config.url;
  const shared = {
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(embeddingDims === undefined || provider === "ollama" ? {} : { dimensions: embeddingDims }),
  };
  if (provider === "openai") {
    const named = model ?? (kind === "llm" ? "gpt-5-mini" : "text-embedding-3-small");
    const key = apiKey ?? globalThis.process?.env?.["OPENAI_API_KEY"];
    return { ...shared, model: named, baseURL: url ?? OPENAI, ...(key === undefined ? {} : { apiKey: key }) };
  }
  if (provider === "ollama" || provider === "lmstudio") {
    const standard = provider === "ollama" ? "http://localhost:11434" : "http://localhost:1234";
    const base = (url ?? standard).replace(/\/+$/, "");
    if (!model) throw bad(`${kind}.config.model is missing`);
    return { ...shared, model, baseURL: base.endsWith("/v1") ? base : `${base}/v1` };
  }
  if (url === undefined || !model) {
    throw bad(`${kind}: of the provider ${JSON.stringify(provider)}, give the address of its OpenAI-compatible endpoint as config.baseURL, and config.model`);
  }
  return { ...shared, model, baseURL: url };
}

/** What the engine is told of a model: a function is an endpoint that is never reached. */
function told(model: Llm | Exclude<Embedder, "builtin">, kind: "llm" | "embedder"): Told {
  if ("provider" in model) return told(fromMem0(model, kind), kind);
  if ("chat" in model || "embed" in model) {
    const { model: name = "the given function", timeout = FUNCTION_TIMEOUT } = model;
    return { baseURL: FUNCTION, model: name, timeout };
  }
  return { ...model, baseURL: model.baseURL ?? OPENAI };
}

/** The engine's part of the configuration. */
export function configOf({ llm, embedder, reranker }: Models): object {
  return {
    llm: llm ? told(llm, "llm") : null,
    embedder: usesTable(embedder) ? null : told(embedder as Exclude<Embedder, "builtin">, "embedder"),
    reranker: reranker ? { ...reranker, baseURL: reranker.baseURL ?? OPENAI } : null,
  };
}

/** Whether the builtin embedder serves, and so its table is needed. */
export function usesTable(embedder: Embedder | undefined): boolean {
  return embedder === undefined || embedder === "builtin";
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Sends a request of a model, unless it is stopped. */
export async function send(
  stop: AbortSignal,
  models: Models,
  which: string,
  method: string,
  url: string,
  headers: string[],
  body: Uint8Array,
  timeout: number,
): Promise<Answer> {
  const late = AbortSignal.timeout(timeout);
  const signal = AbortSignal.any([late, stop]);
  const model = which === "llm" ? models.llm : which === "embedder" ? models.embedder : undefined;
  try {
    if (model && typeof model === "object" && ("chat" in model || "embed" in model)) {
      return await call(model, JSON.parse(decoder.decode(body)), signal);
    }
    const pairs = Array.from({ length: headers.length / 2 }, (_, place): [string, string] => [
      headers[2 * place] ?? "",
      headers[2 * place + 1] ?? "",
    ]);
    const answer = await fetch(url, { method, headers: pairs, body: body.slice(), signal });
    return [answer.status, [...answer.headers].flat(), new Uint8Array(await answer.arrayBuffer())];
  } catch (error) {
    if (late.aborted) throw errorOf({ code: "timeout", status: 408, message: "no answer in time" }, error);
    throw error;
  }
}

/** Lets a function answer as an endpoint would. */
async function call(model: ChatFunction | EmbedFunction, request: unknown, signal: AbortSignal): Promise<Answer> {
  try {
    const asked = "chat" in model ? chat(model, request as ChatRequest, signal) : embed(model, request as { input: string[] }, signal);
    return [200, [], encoder.encode(JSON.stringify(await until(asked, signal)))];
  } catch (error) {
    const { status, message } = error as { status?: unknown; message?: unknown };
    if (typeof status !== "number" || status < 400 || status > 599) throw error;
    return [status, [], encoder.encode(JSON.stringify({ error: { message: String(message) } }))];
  }
}

/** The promise, unless the time runs out before. */
function until<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    promise.then(resolve, reject);
  });
}

async function chat(model: ChatFunction, request: ChatRequest, signal: AbortSignal): Promise<object> {
  const reply = await model.chat(request, { signal });
  if (typeof reply !== "string") return reply;
  return { choices: [{ message: { role: "assistant", content: reply }, finish_reason: "stop" }] };
}

async function embed(model: EmbedFunction, { input }: { input: string[] }, signal: AbortSignal): Promise<object> {
  const vectors = await model.embed(input, { signal });
  return { data: vectors.map((vector, index) => ({ index, embedding: Array.from(vector) })) };
}
