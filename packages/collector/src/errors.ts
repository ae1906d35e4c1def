/**
 * Every error a caller can meet, by code. Codes are API: match on `code`, never on the message. A
 * code starts with the stage it comes from; the message says what, where and what to do.
 */
const MESSAGES = {
  CONFIG_UNKNOWN_OPTION: (name: string, nearest: string) =>
    `Unknown option "${name}". Did you mean "${nearest}"?`,
  PIPELINE_RECORD_ORDER: (expected: number, position: number) =>
    `The shard expected journal record ${expected} and got ${position}. Was a segment removed by hand?`,
  PIPELINE_REPLAY_INCOMPLETE: (missing: number) =>
    `The checkpoint needs ${missing} journal records that did not come. Was the journal trimmed by hand?`,
  PIPELINE_STATE_DAMAGED: () =>
    "A shard's checkpoint does not check. Remove it: the shard then starts from the oldest journal record.",
  PIPELINE_STATE_VERSION: (version: number, known: number) =>
    `A shard's checkpoint has version ${version}; this collector reads version ${known}. Start the version that wrote it.`
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
