// A language model behind an OpenAI-compatible endpoint, as the component asks for it.
import { modelError } from "./host.mjs";

/** The function `ask` of the interface `chat`. */
export function openai({ baseURL, apiKey, model }) {
  return async ({ system, turns, output, maxTokens }) => {
    const body = {
      model,
      max_completion_tokens: maxTokens,
      messages: [
        { role: "system", content: system },
        ...turns.map(({ from, text }) => ({ role: from, content: text })),
      ],
      ...shape(output),
    };
    const headers = { "content-type": "application/json", authorization: `Bearer ${apiKey}` };
    const answer = await fetch(`${baseURL}/chat/completions`, { method: "POST", headers, body: JSON.stringify(body) });
    const text = await answer.text();
    if (answer.status === 429) throw modelError({ tag: "rate-limited", val: undefined });
    if (!answer.ok) {
      const failure = { status: answer.status, reason: text.slice(0, 300) };
      throw modelError({ tag: answer.status < 500 ? "rejected" : "unavailable", val: failure });
    }
    const [{ message, finish_reason: finish }] = JSON.parse(text).choices;
    if (message.refusal) throw modelError({ tag: "refused" });
    return {
      content: message.content ?? "",
      toolCalls: (message.tool_calls ?? []).map(({ function: call }) => ({ name: call.name, arguments: call.arguments })),
      finish: { length: "length", content_filter: "refused" }[finish] ?? "done",
    };
  };
}

function shape({ tag, val }) {
  if (tag === "json") {
    const schema = { name: val.name, strict: true, schema: JSON.parse(val.schema) };
    return { response_format: { type: "json_schema", json_schema: schema } };
  }
  if (tag !== "tools") return {};
  const tools = val.map(({ name, description, parameters }) => ({
    type: "function",
    function: { name, description, strict: true, parameters: JSON.parse(parameters) },
  }));
  return { tools, tool_choice: "required" };
}
