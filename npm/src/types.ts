// What a memory is asked and what it answers. Names and shapes are those of mem0's TypeScript client, where it has them.
import type { Embedder, EmbeddingEndpoint, Endpoint, Llm } from "./models/types.js";
import type { Encryption } from "./storage/encrypted.js";
import type { Store } from "./storage/store.js";

/** Whose memory it is: a user's, else an agent's, an app's or a run's. */
export interface Scope {
  userId?: string | undefined;
  agentId?: string | undefined;
  appId?: string | undefined;
  runId?: string | undefined;
}

/** What is being done. */
export type Progress =
  /** The program and its tables are being loaded. */
  | { phase: "loading" }
  /** The memory can be used. */
  | { phase: "ready" }
  /** The messages are stored: nothing can lose them now. */
  | { phase: "stored"; eventId: string }
  /** The LLM was asked something. */
  | { phase: "thinking" }
  /** The facts are remembered. */
  | { phase: "done"; eventId: string };

/** What every call takes. */
export interface Call {
  /** Ends the waiting. What was accepted already goes on. */
  signal?: AbortSignal | undefined;
}

/** Where memories are kept. */
export type Persistence =
  /** In IndexedDB, the way of browsers. */
  | "indexeddb"
  /** Nowhere: they are gone when the program ends. */
  | "none"
  /** In SQLite files in a folder; in Node. */
  | { directory: string }
  /** Wherever the program says. */
  | { store: Store };

/** How to open a memory. */
export interface MemoryOptions extends Scope {
  /** Names the databases: memories of different names know nothing of each other. `edgemem` when absent. */
  name?: string | undefined;
  /** The LLM that extracts facts; without one, messages are remembered word for word. */
  llm?: Llm | null | undefined;
  /** The embedding model; the builtin one when absent. */
  embedder?: Embedder | undefined;
  /** A model behind `POST {baseURL}/rerank` that orders the hits of searches with `rerank: true`. */
  reranker?: Endpoint | undefined;
  /** IndexedDB in browsers, the folder `.edgemem` in Node, nowhere in Workers, unless told otherwise. */
  persistence?: Persistence | undefined;
  /** Encrypts everything that is stored. */
  encryption?: Encryption | undefined;
  /** Which vector index serves; `auto` when absent. */
  vectorIndex?: "auto" | "flat" | "hnsw" | undefined;
  /** How much memory the indexes of one owner may take; 64 when absent. */
  megabytes?: number | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Told of what mended itself; the console when absent. */
  onWarning?: ((message: string) => void) | undefined;
}

/** A part of a turn: `{ type: "text", text }`, or a file such as `{ type: "image_url", image_url: { url } }`. */
export interface MessagePart {
  type: string;
  text?: string;
  [more: string]: unknown;
}

/** One turn of a conversation. */
export interface Message {
  role: "user" | "assistant" | "system" | (string & {});
  /** Words, or parts: `text`, `image_url`, `pdf_url`, `txt_url`, `mdx_url`. Only a server reads images, documents and addresses. */
  content: string | MessagePart | MessagePart[];
  /** Who speaks, when several do. */
  name?: string;
  /** When it was said. */
  timestamp?: number | string;
}

/** A condition on memories: fields, the operators `eq ne gt gte lt lte in nin contains icontains`, `AND`, `OR`, `NOT`. */
export type Filters = Record<string, unknown>;

export interface AddOptions extends Scope, Call {
  metadata?: Record<string, unknown>;
  /** Whether the LLM extracts facts (the default), or the messages are kept as they are. */
  infer?: boolean;
  /** When the conversation took place. */
  timestamp?: number | string | Date;
  /** The last day on which what comes of it is shown, `YYYY-MM-DD`. */
  expirationDate?: string;
  immutable?: boolean;
  customInstructions?: string;
  includes?: string;
  excludes?: string;
  customCategories?: Record<string, string>[];
  /** A JSON schema: each fact is also given in its shape, as `structuredData`, as far as it tells it. */
  structuredDataSchema?: Record<string, unknown>;
  filters?: Filters;
  /** Answer as soon as the messages are stored, and extract afterwards. */
  asyncMode?: boolean;
  onProgress?: (progress: Progress) => void;
}

/** One decision of an add. */
export interface AddedMemory {
  id: string;
  memory: string;
  event: "ADD" | "UPDATE" | "DELETE" | "NONE";
  /** The text before an UPDATE or DELETE. */
  oldMemory?: string;
  data: { memory: string };
}

/** A relation in words. */
export interface Triple {
  source: string;
  relationship: string;
  target: string;
}

export interface AddResult {
  /** What was decided; empty while it is pending. */
  results: AddedMemory[];
  relations: Triple[];
  eventId: string;
  /** `PENDING` with an error: the messages are stored, and what failed is tried again at `retryAt`. */
  status: "PENDING" | "RUNNING" | "SUCCEEDED" | "FAILED";
  error?: { code: string; message: string };
  retryAt?: string;
  /** Something that the caller should know. */
  note?: string;
}

/** A memory. */
export interface MemoryItem {
  id: string;
  memory: string;
  hash: string;
  kind: "fact" | "message";
  userId: string | null;
  agentId: string | null;
  appId: string | null;
  runId: string | null;
  role: string | null;
  actorId: string | null;
  attributedTo: string | null;
  /** An instruction or a preference that always applies. */
  standing: boolean;
  immutable: boolean;
  metadata: Record<string, unknown>;
  categories: string[];
  /** What it says in the shape of an add's `structuredDataSchema`; only when one asked for it. */
  structuredData?: Record<string, unknown>;
  expirationDate: string | null;
  validFrom: string | null;
  validTo: string | null;
  /** The messages that it came from. */
  sources: string[];
  createdAt: string;
  updatedAt: string;
  lifecycleState?: "active" | "retired";
}

/** A memory that a search found. */
export interface SearchHit extends MemoryItem {
  /** How well it answers, 0 to 1. */
  score: number;
  scoreBreakdown: { semantic: number; bm25: number; entity: number };
  /** Memories that cannot be true together with it. */
  contradicts: string[];
  rerankScore?: number;
  /** Why it was found, when asked to `explain`. */
  receipt?: {
    channels: { channel: string; rank: number; raw: number; score: number }[];
    sources: string[];
    path: { by: string; backwards: boolean; to: Record<string, string>; name: string }[];
  };
}

/** Which memories. */
export interface Selection extends Scope, Call {
  filters?: Filters;
  categories?: string[];
  keywords?: string[];
  startDate?: string;
  endDate?: string;
}

export interface SearchOptions extends Selection {
  /** The most hits, 1 to 1000; 10 when absent. */
  topK?: number;
  /** The same, as older clients call it. */
  limit?: number;
  /** The lowest score; 0.1 when absent. */
  threshold?: number;
  showExpired?: boolean;
  rerank?: boolean;
  explain?: boolean;
  /** Also give the relations at what the hits mention. */
  enableGraph?: boolean;
  /** Which verbatim messages may answer beside facts. */
  transcript?: "never" | "fill" | "always";
  /** Answer from what held at this moment. */
  asOf?: string | Date;
  /** Answer from what was believed at this moment. */
  knownAt?: string | Date;
  /** The moment to take for now. */
  referenceDate?: string | Date;
}

export interface SearchResult {
  results: SearchHit[];
  relations?: Triple[];
}

export interface ListOptions extends Selection {
  /** From 1. */
  page?: number;
  /** 1 to 1000; 100 when absent. */
  pageSize?: number;
  topK?: number;
  showExpired?: boolean;
  /** Also what is no longer true. */
  showPast?: boolean;
  /** Also the messages kept beside the facts. */
  transcript?: boolean;
}

export interface Page {
  results: MemoryItem[];
  /** How many there are on all pages. */
  count: number;
  next: string | null;
  previous: string | null;
}

export interface UpdateOptions extends Call {
  text?: string;
  /** Fields to set; a null removes one. */
  metadata?: Record<string, unknown>;
  timestamp?: number | string | Date;
  /** `null` clears it. */
  expirationDate?: string | null;
}

export interface HistoryEntry {
  id: string;
  memoryId: string;
  event: "ADD" | "UPDATE" | "DELETE" | (string & {});
  oldMemory: string | null;
  newMemory: string | null;
  /** The messages that caused it. */
  input: { role: string; content: string; name?: string }[];
  categories: string[];
  metadata: Record<string, unknown>;
  /** What the memory said after the change, in the shape that an add asked for. */
  structuredData?: Record<string, unknown>;
  createdAt: string;
  updatedAt: string;
}

export interface GraphEntity {
  id: string;
  name: string;
  type: string;
  aliases: string[];
  createdAt: string;
}

export interface GraphRelation extends Triple {
  sourceId: string;
  targetId: string | null;
  validFrom: string | null;
  validTo: string | null;
  knownFrom: string;
  knownTo: string | null;
  confidence: number;
  /** The memories that it rests on. */
  memories: string[];
  messages: string[];
}

export interface GraphOptions extends Selection {
  page?: number;
  pageSize?: number;
  /** Also what no longer holds. */
  past?: boolean;
  asOf?: string | Date;
  knownAt?: string | Date;
}

export interface Graph {
  count: number;
  next: string | null;
  previous: string | null;
  entities: GraphEntity[];
  relations: GraphRelation[];
}

export interface TimelineEntry {
  from: string;
  to: string | null;
  text: string;
  current: boolean;
  memories: string[];
  relation: { sourceId: string; relationship: string; targetId: string | null } | null;
}

export interface EntityView extends GraphEntity {
  relations: GraphRelation[];
  memories: MemoryItem[];
  timeline: TimelineEntry[];
  history: { event: string; at: string; names: string[] }[];
}

export interface ContextOptions extends Selection {
  /** The most tokens, about; 1500 when absent. */
  budgetTokens?: number;
  asOf?: string | Date;
  referenceDate?: string | Date;
}

export interface Context {
  /** A text for a prompt, whose lines end with the numbers of the memories that they rest on. */
  context: string;
  tokens: number;
  truncated: boolean;
  /** The memories by those numbers. */
  citations: Record<string, string>;
}

export interface Contradiction {
  id: string;
  foundAt: string;
  sides: { claim: unknown; text: string; memories: string[]; saidAt: string | null }[];
  resolved: { at: string; kept: unknown; by: unknown } | null;
}

/** What became of an add. */
export interface MemoryEvent {
  id: string;
  status: AddResult["status"];
  results: AddedMemory[];
  relations: Triple[];
  createdAt: string;
  updatedAt: string;
  attempts: number;
  error: string | null;
  errorCode: string | null;
  retryAt: string | null;
  note: string | null;
}

export interface Stats {
  totalMemories: number;
  totalMessages: number;
  totalEntities: number;
  totalRelations: number;
  openContradictions: number;
  pendingJobs: number;
  embedder: string | null;
  vectors: string;
  memoryBytes: number;
  memoryBudgetBytes: number;
  moduleBytes: number | null;
  /** Two memories with the same one are the same, to the byte; null when it was not asked for. */
  digest: string | null;
  /** What the LLM cost the owner, where a server counts it. */
  llm?: { today: LlmUsage; earlier: LlmUsage[]; dailyCalls: number | null; dailyTokens: number | null };
}

/** What the LLM was asked on one day (UTC). */
export interface LlmUsage {
  day: string;
  calls: number;
  inputTokens: number;
  outputTokens: number;
  /** Of how many calls the tokens are estimated, as the provider did not say. */
  estimated: number;
}

export type { Embedder, EmbeddingEndpoint, Encryption, Endpoint, Llm, Store };
