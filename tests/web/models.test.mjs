// The adapters of edgemem/models, each on an object like the one that it takes: what that is asked, what comes back.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { npm } from "./harness.mjs";

const { chromeModel, ollama, ollamaEmbedder, transformersChat, transformersEmbedder, UnsupportedError, webLlm } = await import(
  join(npm, "dist/models/index.js")
);

const schema = { type: "object", properties: { facts: { type: "array" } } };
const question = {
  model: "m",
  messages: [
    { role: "system", content: "Find the facts" },
    { role: "user", content: "I play the cello" },
  ],
  response_format: { type: "json_schema", json_schema: { name: "facts", schema } },
  max_tokens: 100,
};
const tools = [{ type: "function", function: { name: "add_memory", parameters: { type: "object" } } }];
const { signal } = new AbortController();

test("Chrome's model gets instructions, the question and a constraint, in a session that is given back", async () => {
  const seen = [];
  const model = chromeModel({
    create: async ({ initialPrompts }) => {
      seen.push(initialPrompts);
      return { prompt: async (text, { responseConstraint }) => (seen.push(text, responseConstraint), "{}"), destroy: () => seen.push("gone") };
    },
  });
  assert.equal(await model.chat(question, { signal }), "{}");
  assert.deepEqual(seen, [[question.messages[0]], "I play the cello", schema, "gone"]);
  await assert.rejects(model.chat({ ...question, tools }, { signal }), UnsupportedError);
});

test("WebLLM gets the schema as it takes it", async () => {
  let asked;
  const completion = { choices: [{ message: { content: "{}" }, finish_reason: "stop" }] };
  const model = webLlm({ chat: { completions: { create: async (request) => ((asked = request), completion) } } }, "qwen");
  assert.equal(await model.chat(question, { signal }), completion);
  assert.deepEqual(asked.response_format, { type: "json_object", schema: JSON.stringify(schema) });
  assert.equal(asked.max_tokens, 100);
  await assert.rejects(model.chat({ ...question, tools }, { signal }), UnsupportedError);
});

test("transformers.js embeds and generates", async () => {
  const extract = async (texts, { pooling, normalize }) => ({ tolist: () => texts.map((text) => [text.length, pooling === "mean" && normalize ? 1 : 0]) });
  assert.deepEqual(await transformersEmbedder(extract, "minilm").embed(["ab", "c"], { signal }), [[2, 1], [1, 1]]);
  const generate = async (messages) => [{ generated_text: [...messages, { role: "assistant", content: "a text" }] }];
  const { response_format: format, ...plain } = question;
  const model = transformersChat(generate, "smol");
  assert.equal(await model.chat(plain, { signal }), "a text");
  await assert.rejects(model.chat({ ...plain, response_format: format }, { signal }), UnsupportedError);
});

test("Ollama's own client is asked in its way, and its calls come back as OpenAI writes them", async () => {
  let asked;
  const client = {
    chat: async (request) => {
      asked = request;
      return { message: { content: "", tool_calls: [{ function: { name: "add_memory", arguments: { fact: 1 } } }] } };
    },
    embed: async ({ input }) => ({ embeddings: input.map(() => [1, 0]) }),
  };
  const { choices } = await ollama(client, "qwen3").chat({ ...question, response_format: undefined, tools }, { signal });
  assert.deepEqual(asked.tools, tools);
  assert.deepEqual(choices[0].message.tool_calls, [{ function: { name: "add_memory", arguments: '{"fact":1}' } }]);
  await ollama(client, "qwen3").chat(question, { signal });
  assert.deepEqual(asked.format, schema);
  assert.deepEqual(await ollamaEmbedder(client, "nomic").embed(["a"], { signal }), [[1, 0]]);
});
