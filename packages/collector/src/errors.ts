/**
 * Every error a caller can meet, by code. Codes are API: match on `code`, never on the message. A
 * code starts with the stage it comes from; the message says what, where and what to do.
 */
const MESSAGES = {
  // config
  CONFIG_BAD_VALUE: (flag: string, value: string, wanted: string) =>
    `${flag} is "${value}", but must be ${wanted}.`,
  CONFIG_DATA_DIR_LOCKED: (dataDir: string, pid: number) =>
    `Another collector (process ${pid}) runs on ${dataDir}. Stop it, or use --data-dir for another directory.`,
  CONFIG_DATA_DIR_UNWRITABLE: (dataDir: string, reason: string) =>
    `The data directory ${dataDir} cannot be written (${reason}). Use --data-dir for another one.`,
  CONFIG_HOST_UNUSABLE: (host: string, reason: string) =>
    `Cannot listen on ${host} (${reason}). Use --host for an address of this machine.`,
  CONFIG_PORT_TAKEN: (port: number, flag: string) =>
    `Port ${port} is taken. Stop what listens there, or use ${flag} for another port.`,
  CONFIG_UNKNOWN_OPTION: (name: string, nearest: string) =>
    `Unknown option "${name}". Did you mean "${nearest}"?`,

  // receive
  RECEIVE_BODY_TOO_LARGE: (bytesMax: number) =>
    `The body is larger than ${bytesMax} bytes. Send smaller batches, or raise --receive-body-bytes-max.`,
  RECEIVE_BUSY: (bytesMax: number) =>
    `Bodies of ${bytesMax} bytes in all are being received already. Send this one again later.`,
  RECEIVE_COMPRESSION_DAMAGED: (byteCount: number, compression: string, reason: string) =>
    `The body of ${byteCount} bytes is not whole ${compression}: ${reason}.`,
  RECEIVE_CONTENT_ENCODING_UNSUPPORTED: (encoding: string) =>
    `Content-Encoding "${encoding}" is not supported. Use zstd, gzip or identity.`,
  RECEIVE_CONTENT_TYPE_UNSUPPORTED: (type: string) =>
    `Content-Type "${type}" is not supported. Use application/x-protobuf or application/json.`,
  RECEIVE_INFLATED_TOO_LARGE: (bytesMax: number) =>
    `The body inflates to more than ${bytesMax} bytes. Send smaller batches, or raise --receive-inflated-bytes-max.`,
  RECEIVE_METHOD_UNSUPPORTED: (method: string) => `Method ${method} is not supported. Use POST.`,
  RECEIVE_PATH_UNKNOWN: (path: string) =>
    `There is nothing at ${path}. Traces go to /v1/traces, metrics to /v1/metrics.`,
  RECEIVE_PAYLOAD_MALFORMED: (reason: string) => reason,
  RECEIVE_SIGNAL_UNSUPPORTED: (path: string) =>
    `${path} is not served: this receiver takes traces on /v1/traces and metrics on /v1/metrics.`,

  // journal
  JOURNAL_CLOSED: () => 'The journal is closed. Was a payload accepted after stop()?',
  JOURNAL_DAMAGED: (file: string, byte: number, reason: string) =>
    `The journal is damaged: ${file}, byte ${byte}: ${reason}. Restore the data directory from a copy, or start with another --data-dir.`,
  JOURNAL_FULL: (bytesMax: number) =>
    `The journal holds ${bytesMax} bytes, its limit, because the store has not taken them yet. Send again later, or raise --journal-bytes-max.`,
  JOURNAL_WRITE_FAILED: (file: string, reason: string) =>
    `The journal could not be written (${file}: ${reason}). Nothing was accepted. Is the disk full?`,

  // pipeline
  PIPELINE_CHECKPOINT_DAMAGED: (file: string, reason: string) =>
    `The checkpoint ${file} is damaged: ${reason}. Restore the data directory from a copy, or start with another --data-dir.`,
  PIPELINE_CHECKPOINT_MISMATCH: (reason: string) =>
    `Checkpoints and journal do not belong together: ${reason}. Restore the data directory from a copy, or start with another --data-dir.`,
  PIPELINE_FULL: (bytesMax: number) =>
    `${bytesMax} bytes wait to be processed, which is the limit. Send again later, or raise --pipeline-waiting-bytes-max.`,
  PIPELINE_NOT_OPEN: (state: string) => `The collector is ${state}. Send again later.`,
  PIPELINE_RECORD_ORDER: (expected: number, position: number) =>
    `The shard expected journal record ${expected} and got ${position}. Was a segment removed by hand?`,
  PIPELINE_REPLAY_INCOMPLETE: (missing: number) =>
    `The checkpoint needs ${missing} journal records that did not come. Was the journal trimmed by hand?`,
  PIPELINE_STATE_DAMAGED: () =>
    "A shard's checkpoint does not check. Remove it: the shard then starts from the oldest journal record.",
  PIPELINE_STATE_VERSION: (version: number, known: number) =>
    `A shard's checkpoint has version ${version}; this collector reads version ${known}. Start the version that wrote it.`,
  PIPELINE_SHARD_DIED: (shard: number, reason: string) =>
    `Shard ${shard} died: ${reason}. Start the collector again: it repeats what the shard had not finished.`,

  // store
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
  STORE_UNAVAILABLE: (reason: string) => `The store is not available: ${reason}`,

  // query
  QUERY_BAD_CURSOR: () =>
    'The cursor is not one that this API gave. Ask again without it for the newest traces.',
  QUERY_BAD_PARAM: (sentence: string) => sentence,
  QUERY_BAD_WINDOW: () => 'The window ends before it begins: `from` must not be after `to`.',
  QUERY_TIMEOUT: (seconds: number) =>
    `The query took more than ${seconds} s and was stopped. Ask for a shorter window or fewer conditions.`,
  QUERY_TOO_MANY: () => 'Too many queries are running. Try again in a second.',
  QUERY_TRACE_NOT_FOUND: (traceId: string) =>
    `There is no trace ${traceId} in the store: it has expired, was not sampled, or its spans have not arrived.`,

  // serve
  SERVE_INTERNAL: () => 'The collector failed to answer; its log says why.',
  SERVE_LISTEN_FAILED: (host: string, port: number, reason: string) =>
    `Cannot listen on ${host}:${port} for the UI and the API (${reason}). Choose another port with --ui-port.`,
  SERVE_METHOD_NOT_ALLOWED: (method: string) => `${method} is not allowed here. Use GET or HEAD.`,
  SERVE_NOT_FOUND: (path: string) => `There is nothing at ${path}.`
} as const

export type ErrorCode = keyof typeof MESSAGES

export const ERROR_CODES = Object.keys(MESSAGES) as readonly ErrorCode[]

export class CollectorError<Code extends ErrorCode = ErrorCode> extends Error {
  readonly code: Code

  constructor(code: Code, facts: Parameters<(typeof MESSAGES)[Code]>, cause?: unknown) {
    const describe = MESSAGES[code] as (...facts: unknown[]) => string
    super(describe(...facts), cause === undefined ? undefined : { cause })
    this.name = 'CollectorError'
    this.code = code
  }
}

/** What an unknown error says, for a message: its code when it has one, else its words. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = (error as NodeJS.ErrnoException).code
  return code === undefined || error.message.includes(code)
    ? error.message
    : `${code}: ${error.message}`
}
