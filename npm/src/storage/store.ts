// Where the databases of one memory are.
import type { Backend, Write } from "../host.js";

export type { Backend, Write };

/** The tables of a space, and one for what belongs to the database itself, which no `clear` reaches. */
export const TABLES = [
  "space", "memories", "vectors", "history", "entities", "relations",
  "contradictions", "events", "jobs", "summaries", "exports", "outbox", "directory", "index",
] as const;
export const META = "meta";

/** A database that can be closed. */
export interface Database extends Backend {
  close(): void;
}

/** The databases of one memory: one for each owner. */
export interface Store {
  /** Whether other tabs open the same databases. */
  readonly shared: boolean;
  /** The database of a space. It is made by its first write, so that to ask leaves no trace. */
  open(space: string): Promise<Database>;
  /** The spaces that have a database, where that is quickly told. */
  spaces?(): Promise<string[]>;
}
