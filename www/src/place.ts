// Where memories are: the one interface behind which a browser's memory and a server's are the same to the page.
import { chromeModel, type ChromeLanguageModel, init, type Llm, Memory, type MemoryItem } from "./edgemem.js";
import type { Settings } from "./settings.js";

export interface Place {
  readonly kind: "browser" | "server";
  readonly memory: Memory;
  /** Everything as the text of a file, and the file's name. */
  save(): Promise<{ name: string; text: string }>;
  /** Takes over a file; says what was done. */
  load(text: string): Promise<string>;
}

/** How long a server may take to answer at all, in milliseconds. */
const ANSWERS = 20_000;

declare const LanguageModel: ChromeLanguageModel | undefined;

/** Chrome's model, where there is one. */
export const chrome = (): ChromeLanguageModel | undefined => (typeof LanguageModel === "undefined" ? undefined : LanguageModel);

let ready: Promise<void> | undefined;

/** Loads the program, once; a failure is tried again. */
function load(): Promise<void> {
  ready ??= init({
    wasm: new URL("edgemem_bg.wasm", import.meta.url),
    table: async () => {
      const answer = await fetch(new URL("builtin.bin", import.meta.url));
      if (!answer.ok) throw new Error(`the embedder's table cannot be loaded (HTTP ${answer.status})`);
      return new Uint8Array(await answer.arrayBuffer());
    },
  }).catch((error: unknown) => {
    ready = undefined;
    throw error;
  });
  return ready;
}

/** The model that extracts facts in this page. */
async function llmOf({ model, baseURL, modelKey, modelName }: Settings): Promise<Llm | null> {
  if (model === "none") return null;
  if (model === "sample") return (await import("./sample/sample.js")).model;
  if (model === "chrome") {
    const builtin = chrome();
    if (!builtin) throw new Error("This browser has no built-in language model. Choose another model in the settings.");
    return chromeModel(builtin);
  }
  return { baseURL, model: modelName, ...(modelKey && { apiKey: modelKey }) };
}

/** Opens the memory that the settings name; one that is stored encrypted by its passphrase. */
export async function openPlace(settings: Settings, passphrase: string | undefined): Promise<Place> {
  return settings.place === "server" ? server(settings) : browser(settings, passphrase);
}

async function browser(settings: Settings, passphrase: string | undefined): Promise<Place> {
  await load();
  const { userId } = settings;
  const encryption = passphrase === undefined ? undefined : { passphrase };
  const memory = await Memory.open({ name: "edgemem-app", userId, llm: await llmOf(settings), encryption });
  return {
    kind: "browser",
    memory,
    save: async () => ({ name: `edgemem-${userId}.json`, text: await memory.export() }),
    async load(text) {
      await memory.import(text, { replace: true });
      return "The memory is what the file says.";
    },
  };
}

/** What a server's memory looks like as a file. */
interface ServerFile {
  format: "edgemem-memories";
  userId: string;
  memories: MemoryItem[];
}

function fileOf(text: string): Partial<ServerFile> {
  try {
    return JSON.parse(text) as Partial<ServerFile>;
  } catch (cause) {
    throw new Error("This file is no export of a memory. Choose one that “Export” wrote.", { cause });
  }
}

async function server({ host, serverKey, userId }: Settings): Promise<Place> {
  const memory = Memory.connect({ host, apiKey: serverKey, userId });
  await memory.stats({ signal: AbortSignal.timeout(ANSWERS) }).catch((cause: unknown) => {
    if ((cause as Error).name !== "TimeoutError") throw cause;
    throw new Error(`${host} does not answer. Check the address in the settings, or try again.`, { cause });
  });
  return {
    kind: "server",
    memory,
    async save() {
      const current = new Set<string>();
      for await (const { id } of memory.list()) current.add(id);
      const memories: MemoryItem[] = [];
      for await (const item of memory.list({ showPast: true })) {
        memories.push({ ...item, lifecycleState: current.has(item.id) ? "active" : "retired" });
      }
      const file: ServerFile = { format: "edgemem-memories", userId, memories };
      return { name: `edgemem-${userId}-memories.json`, text: JSON.stringify(file, null, 1) };
    },
    async load(text) {
      const { format, memories } = fileOf(text);
      if (format !== "edgemem-memories" || !memories) {
        throw new Error("A server takes files that were exported from a server. Open this file with a memory in the browser.");
      }
      const active = memories.filter(({ lifecycleState }) => lifecycleState !== "retired");
      for (const { memory: content, createdAt, categories } of active) {
        await memory.add([{ role: "user", content }], { infer: false, timestamp: createdAt, metadata: { categories } });
      }
      const left = memories.length - active.length;
      return `${active.length} memories were added word for word.${left > 0 ? ` ${left} that are no longer true were left out.` : ""}`;
    },
  };
}
