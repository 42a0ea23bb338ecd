// What was known at a moment: memories as their histories tell.
import type { HistoryEntry, Memory, MemoryItem } from "./edgemem.js";

/** A memory with what happened to it, oldest first; nothing when it is as it was told. */
export interface Told {
  item: MemoryItem;
  /** Whether it holds, or happened, as far as is known now. */
  current: boolean;
  history: HistoryEntry[];
}

/** A memory as it was. */
export interface Shown {
  item: MemoryItem;
  text: string;
  /** Not true any more at that moment. */
  over: boolean;
  /** How many texts it had by then. */
  versions: number;
}

const known = new Map<string, HistoryEntry[]>();
/** How many histories are asked for at once. */
const AT_ONCE = 8;

/** All facts and messages remembered, with the histories of those that changed, each asked for once. */
export async function tell(memory: Memory, transcript: boolean): Promise<Told[]> {
  const items: MemoryItem[] = [];
  const current = new Set<string>();
  for await (const item of memory.list({ showPast: true, transcript })) items.push(item);
  for await (const { id } of memory.list({ transcript })) current.add(id);
  const told: Told[] = [];
  for (let from = 0; from < items.length; from += AT_ONCE) {
    const some = items.slice(from, from + AT_ONCE).map(async (item): Promise<Told> => {
      const holds = current.has(item.id);
      if (holds && item.updatedAt === item.createdAt) return { item, history: [], current: true };
      const name = `${item.id} ${item.updatedAt} ${item.memory}`;
      const history = known.get(name) ?? (await memory.history(item.id));
      known.set(name, history);
      return { item, history, current: holds };
    });
    told.push(...(await Promise.all(some)));
  }
  return told;
}

/** The days on which something changed, in order. */
export function daysOf(told: Told[]): string[] {
  const days = told.flatMap(({ item, history }) => [item.createdAt, ...history.map(({ createdAt }) => createdAt)]);
  return [...new Set(days.map((moment) => moment.slice(0, 10)))].sort();
}

/** What was known at the end of a day, or is known now, newest first. */
export function knownOn(told: Told[], day: string | undefined, now = new Date().toISOString()): Shown[] {
  const shown: Shown[] = [];
  const until = day === undefined ? now : `${day}T23:59:59.999Z`;
  for (const { item, history, current } of told) {
    if (item.createdAt > until) continue;
    const past = history.filter(({ createdAt }) => createdAt <= until);
    const last = past.at(-1);
    const ended = last?.event === "DELETE";
    const text = (day === undefined ? item.memory : past.findLast(({ newMemory }) => newMemory)?.newMemory) ?? item.memory;
    // That it ended was not known before the change that told it.
    const over = ended || (!current && item.updatedAt <= until);
    shown.push({ item, text, over, versions: Math.max(1, past.filter(({ newMemory }) => newMemory).length) });
  }
  return shown;
}
