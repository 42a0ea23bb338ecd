// The names of fields: snake_case on the wire, camelCase here, as in mem0's TypeScript client.

/** What is the caller's own: its keys stay as they are. */
const VERBATIM = new Set(["metadata", "filters", "custom_categories", "citations", "structured_data_schema", "structured_data"]);

/** The names that answers had so far. */
const camels = new Map<string, string>();

function camel(name: string): string {
  const known = camels.get(name) ?? name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  camels.set(name, known);
  return known;
}

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** An answer with the names of this package. */
export function fromWire(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromWire);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [camel(name), VERBATIM.has(name) ? inner : fromWire(inner)]),
  );
}

/** The fields of a request with the names of the wire. Absent ones are left out, and so are functions and signals. */
export function toWire(fields: object): Record<string, unknown> {
  const kept = Object.entries(fields).filter(
    ([name, value]) => value !== undefined && typeof value !== "function" && name !== "signal",
  );
  return Object.fromEntries(kept.map(([name, value]) => [snake(name), value instanceof Date ? value.toISOString() : value]));
}

/** The same as a query string, with its question mark; empty when there are none. */
export function toQuery(fields: object): string {
  const pairs = Object.entries(toWire(fields)).filter(([, value]) => value !== null);
  const query = new URLSearchParams(
    pairs.map(([name, value]) => [name, typeof value === "object" ? JSON.stringify(value) : String(value)]),
  );
  return query.size > 0 ? `?${query}` : "";
}
