// Errors have the names that mem0's clients know, and a stable code.

/** Why edgemem did not do what was asked. `code` is stable, the message is for people. */
export class MemoryError extends Error {
  /** A stable code, such as `memory_not_found`. */
  readonly code: string;
  /** The HTTP status that says the same. */
  readonly status: number;

  constructor(code: string, message: string, status = 500, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.status = status;
  }
}

/** What was asked makes no sense: nothing was changed. */
export class ValidationError extends MemoryError {}
/** The server does not know the key. */
export class AuthenticationError extends MemoryError {}
/** There is no such memory, entity, event or contradiction. */
export class MemoryNotFoundError extends MemoryError {}
/** No room is left, in the browser's quota, on the disk or in the indexes. What was there stays. */
export class MemoryQuotaExceededError extends MemoryError {}
/** A model or a server asks us to slow down. */
export class RateLimitError extends MemoryError {}
/** A model or a server cannot be reached, or failed. */
export class NetworkError extends MemoryError {}
/** The database failed, is refused by the browser, locked by its key or by another program. */
export class StorageError extends MemoryError {}

/** A problem as it travels: from the engine, a server, or another tab. */
export interface Problem {
  code: string;
  message: string;
  status: number;
}

/** The error of a problem. */
export function errorOf({ code, message, status }: Problem, cause?: unknown): MemoryError {
  const kind = kindOf(code, status);
  return new kind(code, message, status, cause === undefined ? undefined : { cause });
}

/** The problem of anything that was thrown. */
export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof MemoryError) {
    return { code: thrown.code, message: thrown.message, status: thrown.status };
  }
  const message = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return { code: "internal_error", message, status: 500 };
}

function kindOf(code: string, status: number): typeof MemoryError {
  if (status === 413 || status === 507) return MemoryQuotaExceededError;
  if (code.startsWith("storage_")) return StorageError;
  if (status === 429 || code === "model_rate_limited") return RateLimitError;
  if (status === 401 || status === 403) return AuthenticationError;
  if (status === 404) return MemoryNotFoundError;
  if (status === 408 || (status >= 502 && status <= 504)) return NetworkError;
  if (status >= 400 && status < 500) return ValidationError;
  return MemoryError;
}

/** What a failure of a database means. */
export function storageError(cause: unknown, doing: string): MemoryError {
  if (cause instanceof MemoryError) return cause;
  const { name, message } = cause instanceof Error || cause instanceof DOMException ? cause : new Error(String(cause));
  const [code, status, advice] =
    name === "QuotaExceededError"
      ? ["storage_full", 507, "the browser gives this site no more room: delete what is no longer needed; nothing was lost"]
      : name === "VersionError"
        ? ["storage_newer", 409, "the database was made by a newer edgemem: load the newer version of this app"]
        : name === "SecurityError" || name === "InvalidStateError" || name === "NotAllowedError"
          ? ["storage_unavailable", 503, "the browser refuses to store anything here (a private window, or blocked by its settings): allow it, or open the memory with persistence: \"none\""]
          : ["storage_failed", 500, message];
  return errorOf({ code, status, message: `${doing}: ${advice}${advice === message ? "" : ` (${name}: ${message})`}` } as Problem, cause);
}
