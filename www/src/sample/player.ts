// Replies that were written by hand, found by what a prompt says: the player of samples/cassettes for a page, as
// tests/model-server is for the Worker. No model answers here, and the page says so.
import type { ChatCompletion, ChatFunction, ChatRequest } from "../../../npm/dist/models/index.js";

interface Call {
  name: string;
  arguments: Record<string, unknown>;
}

export interface Entry {
  match: { task: string; contains?: string[] };
  reply: { json?: unknown; calls?: Call[]; text?: string };
}

type Task = "extract" | "update" | "summary" | "chat";
type Line = [label: number, text: string];

const NEW_MESSAGES = "## New messages";
const NEW_FACTS = "## New facts";
const KNOWN_MEMORIES = "## Known memories";

/** Why there is no reply; endpoints say it by this status. */
class NoReply extends Error {
  readonly status = 404;
}

/** A chat model that knows only these replies. */
export function player(entries: Entry[]): ChatFunction & { knows(message: string): boolean } {
  return {
    model: "replayed",
    chat: async (request) => completion(answer(entries, request), (request.tools ?? []).length > 0),
    /** Whether a message alone has a reply. */
    knows: (message) =>
      entries.some(
        ({ match }) => match.task === "extract" && match.contains?.length && match.contains.every((text) => message.includes(text)),
      ),
  };
}

function answer(entries: Entry[], request: ChatRequest): Entry["reply"] {
  const task = taskOf(request);
  const heading = task === "extract" ? NEW_MESSAGES : task === "update" ? NEW_FACTS : undefined;
  const users = request.messages.filter(({ role }) => role === "user").map(({ content }) => content);
  const holding = heading && users.findLast((turn) => section(turn, heading) !== undefined);
  const prompt = holding ?? users.at(-1) ?? "";
  const subject = (heading && section(prompt, heading)) ?? (heading ? "" : prompt);
  const matching = entries.filter(
    ({ match }) => match.task === task && (match.contains ?? []).every((text) => subject.includes(text)),
  );
  const fill = filler(prompt);
  if (task === "update") return decisions(matching, fill);
  const [first] = matching;
  if (!first) throw new NoReply("the sample has no reply for this text");
  const { reply } = first;
  return reply.json === undefined ? reply : { json: fill(reply.json) };
}

function taskOf({ tools = [], response_format: format, messages }: ChatRequest): Task {
  const names = tools.map((tool) => tool.function.name);
  const schema = format?.type === "json_schema" ? format.json_schema.name : undefined;
  if (schema === "extraction" || names.includes("extraction")) return "extract";
  if (names.includes("add_memory")) return "update";
  const system = messages.find(({ role }) => role === "system")?.content ?? "";
  if (system.trimStart().startsWith("Summarise")) return "summary";
  const says = (heading: string) => messages.some(({ role, content }) => role === "user" && section(content, heading) !== undefined);
  return says(NEW_FACTS) ? "update" : says(NEW_MESSAGES) ? "extract" : "chat";
}

/** The calls for the facts that the prompt lists, in its order; the first entry that names a fact decides it. */
function decisions(entries: Entry[], fill: (value: unknown) => unknown): Entry["reply"] {
  const decidedBy = new Map<number, number>();
  const calls: { fact: number; call: Call }[] = [];
  entries.forEach(({ reply }, number) => {
    for (const call of reply.calls ?? []) {
      let fact: number;
      try {
        fact = fill(call.arguments["fact"]) as number;
      } catch {
        continue; // The prompt does not list it.
      }
      const first = decidedBy.get(fact) ?? number;
      if (first !== number) continue;
      decidedBy.set(fact, number);
      calls.push({ fact, call: { name: call.name, arguments: fill(call.arguments) as Record<string, unknown> } });
    }
  });
  if (calls.length === 0) throw new NoReply("the sample has no decision for these facts");
  return { calls: calls.sort((one, other) => one.fact - other.fact).map(({ call }) => call) };
}

/** Puts the prompt's numbers where a reply names its lines: `{{message:TEXT}}`, `{{fact:TEXT}}`, `{{memory:TEXT}}`. */
function filler(prompt: string): (value: unknown) => unknown {
  const [messages, facts, memories] = [NEW_MESSAGES, NEW_FACTS, KNOWN_MEMORIES].map((heading) => labelled(section(prompt, heading) ?? "")) as [Line[], Line[], Line[]];
  const find = (kind: string, text: string): number => {
    const says = ([, line]: Line) => line.trimEnd() === text || withoutNote(line) === text;
    const found =
      kind === "message" ? messages.find(([, line]) => line.includes(text)) : (kind === "fact" ? facts : memories).find(says);
    if (!found) throw new NoReply(`the sample's reply needs a ${kind} that says: ${text}`);
    return found[0];
  };
  const fill = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(fill);
    if (value !== null && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, fill(inner)]));
    }
    const named = typeof value === "string" ? /^\{\{(message|fact|memory):(.*)\}\}$/s.exec(value) : null;
    return named ? find(named[1] ?? "", named[2] ?? "") : value;
  };
  return fill;
}

/** The lines below a heading, until the next of its level. */
function section(prompt: string, heading: string): string | undefined {
  const lines = prompt.split("\n");
  const start = lines.findIndex((line) => line.trimEnd() === heading);
  if (start < 0) return undefined;
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => line.startsWith("## "));
  return (end < 0 ? rest : rest.slice(0, end)).join("\n");
}

/** The numbered lines `[1] text`, each with the lines that continue it. */
function labelled(text: string): Line[] {
  const lines: Line[] = [];
  for (const line of text.split("\n")) {
    const found = /^\[(\d+)\] (.*)$/.exec(line);
    const last = lines.at(-1);
    if (found) lines.push([Number(found[1]), found[2] ?? ""]);
    else if (last) last[1] += `\n${line}`;
  }
  return lines;
}

const withoutNote = (line: string): string => line.trimEnd().replace(/ \(since [^)]*\)$/, "");

function completion({ json, calls, text }: Entry["reply"], tools: boolean): ChatCompletion {
  if (calls && tools) {
    const tool_calls = calls.map((call) => ({ function: { name: call.name, arguments: JSON.stringify(call.arguments) } }));
    return { choices: [{ message: { tool_calls }, finish_reason: "tool_calls" }] };
  }
  const content = text ?? JSON.stringify(json ?? { calls });
  return { choices: [{ message: { content }, finish_reason: "stop" }] };
}
