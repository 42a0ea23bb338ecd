// The assistant's part of the chat: a model of the visitor's answers with what is remembered, or nobody does.
import { chrome } from "./place.js";
import type { Settings } from "./settings.js";

interface Turn {
  role: "user" | "assistant";
  content: string;
}

/** Whether a model in these settings can answer. */
export function canReply({ model }: Settings): boolean {
  return model === "endpoint" || model === "ollama" || model === "chrome";
}

/** An answer to the last turn, that knows what is remembered. */
export async function reply(settings: Settings, turns: Turn[], remembered: string, signal: AbortSignal): Promise<string> {
  const system = {
    role: "system" as const,
    content: `You are a helpful, brief assistant with a long-term memory. Today is ${new Date().toDateString()}.\n\nWhat you remember of the user:\n${remembered || "(nothing yet)"}`,
  };
  if (settings.model === "chrome") {
    const model = chrome();
    if (!model) throw new Error("This browser has no built-in language model. Choose another model in the settings.");
    const session = await model.create({ initialPrompts: [system, ...turns.slice(0, -1)], signal });
    try {
      return await session.prompt(turns.at(-1)?.content ?? "", { signal });
    } finally {
      session.destroy();
    }
  }
  return complete(settings, [system, ...turns], signal);
}

async function complete({ baseURL, modelName, modelKey }: Settings, messages: object[], signal: AbortSignal): Promise<string> {
  const url = `${baseURL.replace(/\/+$/, "")}/chat/completions`;
  const headers = { "content-type": "application/json", ...(modelKey && { authorization: `Bearer ${modelKey}` }) };
  let answer: Response;
  try {
    answer = await fetch(url, { method: "POST", headers, body: JSON.stringify({ model: modelName, messages }), signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`The model at ${baseURL} cannot be reached. Is it running, and does it allow this page (CORS)?`, { cause: error });
  }
  const text = await answer.text();
  if (!answer.ok) throw new Error(`The model answered with HTTP ${answer.status}: ${sentenceOf(text)}`);
  const { choices } = JSON.parse(text) as { choices?: { message?: { content?: string } }[] };
  const content = choices?.[0]?.message?.content;
  if (!content) throw new Error("The model's answer has no text.");
  return content;
}

function sentenceOf(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: string } | string };
    return (typeof error === "string" ? error : error?.message) ?? text.slice(0, 200);
  } catch {
    return text.slice(0, 200);
  }
}
