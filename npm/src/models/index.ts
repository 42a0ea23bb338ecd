// Ready adapters for models that run beside the memory. Each takes the object that the caller already has, described
// here by the little of it that is used: nothing is installed for them.
import { type ChatFunction, type ChatRequest, type EmbedFunction, UnsupportedError } from "./types.js";

export { UnsupportedError } from "./types.js";
export type {
  ChatCompletion, ChatFunction, ChatRequest, Embedder, EmbeddingEndpoint, EmbedFunction, Endpoint, Llm, Mem0Model,
} from "./types.js";

/** The part of Chrome's `LanguageModel` (the Prompt API) that is used. */
export interface ChromeLanguageModel {
  create(options: {
    initialPrompts: { role: "system" | "user" | "assistant"; content: string }[];
    signal?: AbortSignal;
  }): Promise<{
    prompt(text: string, options?: { responseConstraint?: object; signal?: AbortSignal }): Promise<string>;
    destroy(): void;
  }>;
}

/** Chrome's built-in model: `chromeModel(LanguageModel)`. Each question gets a session of its own. */
export function chromeModel(languageModel: ChromeLanguageModel): ChatFunction {
  return {
    model: "chrome-built-in",
    async chat(request, { signal }) {
      if (request.tools) throw new UnsupportedError("tools");
      const turns = request.messages;
      const last = turns.at(-1)?.content ?? "";
      const session = await languageModel.create({ initialPrompts: turns.slice(0, -1), signal });
      try {
        const schema = schemaOf(request);
        return await session.prompt(last, schema ? { responseConstraint: schema, signal } : { signal });
      } finally {
        session.destroy();
      }
    },
  };
}

/** The part of WebLLM's engine that is used. */
export interface WebLlmEngine {
  chat: { completions: { create(request: never): Promise<unknown> } };
}

/** WebLLM: `webLlm(await CreateMLCEngine(model), model)`. */
export function webLlm(engine: WebLlmEngine, model = "web-llm"): ChatFunction {
  return {
    model,
    async chat(request) {
      // Tools are for few of its models; all take a grammar of JSON.
      if (request.tools) throw new UnsupportedError("tools");
      const schema = schemaOf(request);
      const { messages, temperature, max_tokens } = request;
      const format = request.response_format && {
        response_format: { type: "json_object", ...(schema && { schema: JSON.stringify(schema) }) },
      };
      const asked = { messages, stream: false, ...(temperature !== undefined && { temperature }), ...(max_tokens !== undefined && { max_tokens }), ...format };
      return (await engine.chat.completions.create(asked as never)) as never;
    },
  };
}

/** The part of a tensor of transformers.js that is used. */
interface Tensor {
  tolist(): number[][];
}

/** A pipeline of transformers.js for `feature-extraction`. */
export type FeatureExtraction = (texts: string[], options: { pooling: "mean" | "cls"; normalize: boolean }) => Promise<Tensor>;

/** Embeddings by transformers.js: `transformersEmbedder(await pipeline("feature-extraction", model), model)`. */
export function transformersEmbedder(extract: FeatureExtraction, model: string, pooling: "mean" | "cls" = "mean"): EmbedFunction {
  return { model, embed: async (texts) => (await extract(texts, { pooling, normalize: true })).tolist() };
}

/** A pipeline of transformers.js for `text-generation`. */
export type TextGeneration = (
  messages: { role: string; content: string }[],
  options: { max_new_tokens: number },
) => Promise<unknown>;

/** A chat model by transformers.js: `transformersChat(await pipeline("text-generation", model), model)`. */
export function transformersChat(generate: TextGeneration, model: string): ChatFunction {
  return {
    model,
    async chat(request) {
      if (request.tools) throw new UnsupportedError("tools");
      if (request.response_format) throw new UnsupportedError("response_format");
      const [generated] = (await generate(request.messages, { max_new_tokens: request.max_tokens ?? 2048 })) as {
        generated_text: string | { content: string }[];
      }[];
      const text = generated?.generated_text;
      return typeof text === "string" ? text : (text?.at(-1)?.content ?? "");
    },
  };
}

/** The part of the client of the package `ollama` that is used. */
export interface OllamaClient {
  chat(request: never): Promise<unknown>;
  embed(request: { model: string; input: string[] }): Promise<{ embeddings: number[][] }>;
}

/** Ollama by its own client: `ollama(new Ollama(), "qwen3:8b")`. Without one, give its address as `baseURL`. */
export function ollama(client: OllamaClient, model: string): ChatFunction {
  return {
    model,
    async chat(request) {
      const { messages, tools } = request;
      const format = schemaOf(request) ?? (request.response_format ? "json" : undefined);
      const asked = { model, messages, stream: false, ...(tools && { tools }), ...(format && { format }) };
      const { message } = (await client.chat(asked as never)) as {
        message: { content: string; tool_calls?: { function: { name: string; arguments: object } }[] };
      };
      const calls = message.tool_calls?.map((call) => ({
        function: { name: call.function.name, arguments: JSON.stringify(call.function.arguments) },
      }));
      return { choices: [{ message: { content: message.content, ...(calls && { tool_calls: calls }) }, finish_reason: "stop" }] };
    },
  };
}

/** Embeddings by Ollama's own client. */
export function ollamaEmbedder(client: OllamaClient, model: string): EmbedFunction {
  return { model, embed: async (texts) => (await client.embed({ model, input: texts })).embeddings };
}

/** The schema that a reply should follow, if one is asked for. */
function schemaOf({ response_format: format }: ChatRequest): object | undefined {
  return format?.type === "json_schema" ? format.json_schema.schema : undefined;
}
