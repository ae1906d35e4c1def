/**
 * Every error a caller can meet, by code. Codes are API: match on `code`, never on the message. A
 * code starts with the stage it comes from; the message says what, where and what to do.
 */
const MESSAGES = {
  CONFIG_UNKNOWN_OPTION: (name: string, nearest: string) =>
    `Unknown option "${name}". Did you mean "${nearest}"?`
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
