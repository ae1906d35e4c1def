/** Where a list of traces goes on: behind a trace, or behind a time. Text of the API, so checked. */
import { CollectorError } from '../errors.ts'

export interface TraceCursor {
  readonly startUnixNano: string
  readonly traceId: string
}

const UINT64_MAX = 0xffff_ffff_ffff_ffffn
/** Before every trace id: a cursor with it goes on with what starts before its time. */
export const BEFORE_ALL_TRACE_IDS = '0'.repeat(32)

export function encodeCursor({ startUnixNano, traceId }: TraceCursor): string {
  return `${startUnixNano}-${traceId}`
}

/** @throws CollectorError QUERY_BAD_CURSOR */
export function decodeCursor(text: string): TraceCursor {
  const match = /^(\d{1,20})-([0-9a-f]{32})$/.exec(text)
  if (match === null || BigInt(match[1]!) > UINT64_MAX) {
    throw new CollectorError('QUERY_BAD_CURSOR', [])
  }
  return { startUnixNano: String(BigInt(match[1]!)), traceId: match[2]! }
}
