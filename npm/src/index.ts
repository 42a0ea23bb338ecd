// What every entry exports.
export {
  AuthenticationError, MemoryError, MemoryNotFoundError, MemoryQuotaExceededError, NetworkError, RateLimitError, StorageError,
  ValidationError,
} from "./errors.js";
export { Memory } from "./memory.js";
export type { RemoteOptions } from "./remote.js";
export { inIndexedDb } from "./storage/indexeddb.js";
export { inMemory } from "./storage/memory.js";
export type { Backend, Database, Write } from "./storage/store.js";
export type * from "./types.js";
