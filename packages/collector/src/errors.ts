/**
 * Every error a caller can meet, by code. Codes are API: match on `code`, never on the message. A
 * code starts with the stage it comes from; the message says what, where and what to do.
 */
const MESSAGES = {
  CONFIG_UNKNOWN_OPTION: (name: string, nearest: string) =>
    `Unknown option "${name}". Did you mean "${nearest}"?`,
  QUERY_BAD_CURSOR: () =>
    'The cursor is not one that this API gave. Ask again without it for the newest traces.',
  QUERY_BAD_PARAM: (sentence: string) => sentence,
  QUERY_BAD_WINDOW: () => 'The window ends before it begins: `from` must not be after `to`.',
  QUERY_TIMEOUT: (seconds: number) =>
    `The query took more than ${seconds} s and was stopped. Ask for a shorter window or fewer conditions.`,
  QUERY_TOO_MANY: () => 'Too many queries are running. Try again in a second.',
  QUERY_TRACE_NOT_FOUND: (traceId: string) =>
    `There is no trace ${traceId} in the store: it has expired, was not sampled, or its spans have not arrived.`,
  SERVE_INTERNAL: () => 'The collector failed to answer; its log says why.',
  SERVE_LISTEN_FAILED: (host: string, port: number, reason: string) =>
    `Cannot listen on ${host}:${port} for the UI and the API (${reason}). Choose another port with --ui-port.`,
  SERVE_METHOD_NOT_ALLOWED: (method: string) => `${method} is not allowed here. Use GET or HEAD.`,
  SERVE_NOT_FOUND: (path: string) => `There is nothing at ${path}.`,
  STORE_BATCH_INVALID: (reason: string) => `The store cannot read the rows of a batch: ${reason}`,
  STORE_BUSY: () => 'Too many queries are waiting for the store. Try again in a second.',
  STORE_CLOSED: () => 'The store is closed.',
  STORE_DATA_DIR_UNUSABLE: (dir: string) =>
    `The data directory ${dir} has one of * ? { } in its path, which the embedded engine reads as a pattern. Choose another with --data-dir.`,
  STORE_ENGINE_MISSING: (reason: string) =>
    `The embedded engine (npm package chdb) is not installed or does not load here: ${reason} It runs on Linux with glibc and on macOS, x64 and arm64. Install without --omit=optional.`,
  STORE_LOCKED: (dir: string) =>
    `Another process uses the data directory ${dir}. Stop it, or choose another with --data-dir.`,
  STORE_OPEN_FAILED: (reason: string) => `The embedded engine does not start: ${reason}`,
  STORE_QUERY_FAILED: (reason: string) => `The store failed to answer: ${reason}`,
  STORE_QUERY_TIMEOUT: (seconds: number) =>
    `The query took more than ${seconds} s and was stopped. Ask for a shorter window or fewer conditions.`,
  STORE_QUERY_TOO_LARGE: () =>
    'The answer needs more rows or memory than a query may take. Ask for a shorter window.',
  STORE_SCHEMA_NEWER: (found: number, known: number) =>
    `The data directory was written by a newer Spanloom (schema ${found}, this one knows ${known}). Use that version, or another --data-dir.`,
  STORE_UNAVAILABLE: (reason: string) => `The store is not available: ${reason}`
} as const

export type ErrorCode = keyof typeof MESSAGES

export class CollectorError<Code extends ErrorCode = ErrorCode> extends Error {
  readonly code: Code

  constructor(code: Code, facts: Parameters<(typeof MESSAGES)[Code]>, cause?: unknown) {
    const describe = MESSAGES[code] as (...facts: unknown[]) => string
    super(describe(...facts), cause === undefined ? undefined : { cause })
    this.name = 'CollectorError'
    this.code = code
  }
}
