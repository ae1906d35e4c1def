/**
 * Trace and span ids: which are valid, and hex. In rows an id is big-endian 32-bit words, four for
 * a trace id, two for a span id.
 */
export const TRACE_ID_BYTES = 16
export const SPAN_ID_BYTES = 8
export const TRACE_ID_WORDS = 4
export const SPAN_ID_WORDS = 2

/** What is wrong with a span's ids, or VALID_IDS. */
export const VALID_IDS = 0
const REASONS = [
  '',
  'A trace id must be 16 bytes that are not all zero.',
  'A span id must be 8 bytes that are not all zero.',
  'A parent span id must be 8 bytes, or absent.'
] as const

/**
 * @hot The one rule on which spans are accepted: the check counts the others as rejected, and the
 * scanner passes over them. A parent id of any other length is refused, and not read as "no
 * parent", because that would make a root of a span that is none. All zeros do mean no parent.
 */
export function idsFault(
  bytes: Uint8Array,
  traceIdAt: number,
  traceIdLength: number,
  spanIdAt: number,
  spanIdLength: number,
  parentLength: number
): number {
  if (traceIdLength !== TRACE_ID_BYTES || isZero(bytes, traceIdAt, TRACE_ID_BYTES)) return 1
  if (spanIdLength !== SPAN_ID_BYTES || isZero(bytes, spanIdAt, SPAN_ID_BYTES)) return 2
  if (parentLength !== 0 && parentLength !== SPAN_ID_BYTES) return 3
  return VALID_IDS
}

/** `fault` as a sentence for the sender. */
export function idsFaultReason(fault: number): string {
  return REASONS[fault] ?? ''
}

export function isZero(bytes: Uint8Array, at: number, length: number): boolean {
  for (let index = 0; index < length; index++) {
    if (bytes[at + index] !== 0) return false
  }
  return true
}

/** @hot Four big-endian bytes as a signed word; typed arrays of words make it unsigned. */
export function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}

const HEX_DIGITS = Buffer.from('0123456789abcdef')
const digits = Buffer.alloc(TRACE_ID_WORDS * 8)

/**
 * @hot Up to four words from index `first` on, in lower-case hex, eight digits each. Through a
 * buffer it takes 165 ns for a trace id; joined from a table of byte pairs, 270.
 */
export function hexOfWords(words: Uint32Array, first: number, wordCount: number): string {
  if (wordCount > TRACE_ID_WORDS) throw new RangeError(`An id has no ${wordCount} words.`)
  let at = 0
  for (let index = first; index < first + wordCount; index++) {
    const word = words[index]!
    for (let shift = 28; shift >= 0; shift -= 4) digits[at++] = HEX_DIGITS[(word >>> shift) & 15]!
  }
  return digits.toString('latin1', 0, at)
}

/** The trace id of a row. */
export function traceIdOfRow(traceIds: Uint32Array, row: number): string {
  return hexOfWords(traceIds, row * TRACE_ID_WORDS, TRACE_ID_WORDS)
}

/** The span id of a row; for a parent's column sixteen zeros when there is none. */
export function spanIdOfRow(spanIds: Uint32Array, row: number): string {
  return hexOfWords(spanIds, row * SPAN_ID_WORDS, SPAN_ID_WORDS)
}

/** Hex of either case into `words` from index `first` on; false when it is not such hex. */
export function wordsOfHex(hex: string, words: Uint32Array, first: number): boolean {
  if (hex.length % 8 !== 0 || !/^[0-9a-fA-F]*$/.test(hex)) return false
  for (let at = 0; at < hex.length; at += 8) {
    words[first + at / 8] = Number.parseInt(hex.slice(at, at + 8), 16)
  }
  return true
}
