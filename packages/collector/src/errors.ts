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
  RECEIVE_CONTENT_ENCODING_UNSUPPORTED: (encoding: string) =>
    `Content-Encoding "${encoding}" is not supported. Use gzip or identity.`,
  RECEIVE_CONTENT_TYPE_UNSUPPORTED: (type: string) =>
    `Content-Type "${type}" is not supported. Use application/x-protobuf or application/json.`,
  RECEIVE_GZIP_DAMAGED: (byteCount: number, reason: string) =>
    `The body of ${byteCount} bytes is not whole gzip: ${reason}.`,
  RECEIVE_INFLATED_TOO_LARGE: (bytesMax: number) =>
    `The body inflates to more than ${bytesMax} bytes. Send smaller batches, or raise --receive-inflated-bytes-max.`,
  RECEIVE_METHOD_UNSUPPORTED: (method: string) => `Method ${method} is not supported. Use POST.`,
  RECEIVE_PATH_UNKNOWN: (path: string) => `There is nothing at ${path}. Traces go to /v1/traces.`,
  RECEIVE_PAYLOAD_MALFORMED: (reason: string) => reason,
  RECEIVE_SIGNAL_UNSUPPORTED: (path: string) =>
    `${path} is not served: this receiver takes only traces yet, on /v1/traces.`,

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
  STORE_CLOSED: () => 'The span store is closed. Was a batch written after close()?',
  STORE_UNAVAILABLE: (reason: string) => `The span store does not answer: ${reason}`
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
