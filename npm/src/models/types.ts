// The models that a memory can use.

/** A model behind an OpenAI-compatible endpoint: OpenAI, Ollama, vLLM, LM Studio, OpenRouter, … */
export interface Endpoint {
  /** The address before `/chat/completions`; `https://api.openai.com/v1` when absent. */
  baseURL?: string;
  /** Sent as `Authorization: Bearer`. In a page, everyone who uses the page can read it. */
  apiKey?: string;
  /** The model's name. */
  model: string;
  /** More headers. */
  headers?: Record<string, string>;
  /** How long one attempt may take, in seconds; 60 when absent. */
  timeout?: number;
}

/** A request to a chat model, as OpenAI's `chat/completions` takes it. */
export interface ChatRequest {
  model: string;
  messages: { role: "system" | "user" | "assistant"; content: string }[];
  /** The shape of the reply, if one JSON object is wanted. */
  response_format?: { type: "json_object" } | { type: "json_schema"; json_schema: { name: string; schema: object; strict?: boolean } };
  /** Tools of which the reply should call some. */
  tools?: { type: "function"; function: { name: string; description?: string; parameters: object } }[];
  tool_choice?: unknown;
  max_tokens?: number;
  temperature?: number;
  [more: string]: unknown;
}

/** A reply of a chat model, as OpenAI's `chat/completions` gives it. */
export interface ChatCompletion {
  choices: readonly {
    message: {
      content?: string | null;
      tool_calls?: readonly { function: { name: string; arguments: string } }[] | null;
    };
    finish_reason?: string | null;
  }[];
}

/** A chat model that is a function of the program. */
export interface ChatFunction {
  /**
   * Answers a request: with the text alone, or a whole completion. To refuse what the model cannot do (tools, schemas),
   * throw an `UnsupportedError`: the question is then put in another form.
   */
  chat(request: ChatRequest, options: { signal: AbortSignal }): Promise<string | ChatCompletion>;
  /** Its name, for messages. */
  model?: string;
  /** How long one answer may take, in seconds; 600 when absent. */
  timeout?: number;
}

/** An embedding model that is a function of the program. */
export interface EmbedFunction {
  /** A vector for each text, in order, all of one length. */
  embed(texts: string[], options: { signal: AbortSignal }): Promise<ArrayLike<number>[]>;
  /** Its name. A memory remembers it: vectors of another name are made anew. */
  model: string;
  timeout?: number;
}

/** An embedding model behind an endpoint. */
export interface EmbeddingEndpoint extends Endpoint {
  /** The length of vectors to ask for; the model's own when absent. */
  dimensions?: number;
}

/** A model as mem0's configuration names it. */
export interface Mem0Model {
  provider: string;
  config?: { model?: string; apiKey?: string; baseURL?: string; url?: string; embeddingDims?: number; [more: string]: unknown };
}

/** The LLM. */
export type Llm = Endpoint | ChatFunction | Mem0Model;
/** The embedding model. */
export type Embedder = "builtin" | EmbeddingEndpoint | EmbedFunction | Mem0Model;

/** Says that a model cannot do what it was asked for: `what` is the field of the request. */
export class UnsupportedError extends Error {
  readonly status = 400;

  constructor(what: "tools" | "response_format" | (string & {})) {
    super(`${what} is not supported`);
    this.name = "UnsupportedError";
  }
}
