/**
 * A span that stands for several calls, which were alike in all but their times: how the sender packs
 * these, and how a receiver that counts calls gets each of them back.
 *
 *   spanloom.collapsed.count         how many
 *   spanloom.collapsed.duration_ms   of all of them together
 *   spanloom.collapsed.calls         bytes: for each call, in the order of their ends,
 *                                      varint   start, nanoseconds after the span's start
 *                                      varint   duration in nanoseconds
 *
 * A receiver that knows nothing of it sees one span from the first start to the last end. Numbers are below
 * 2^53; more than CALLS_MAX calls, or bytes that end in the middle of one, are no calls at all: the span is
 * then one.
 */
import { BYTES, findMember, member } from './any-value.ts'
import { createKeyMatcher, matchedValue, matchKeyValue } from './key-matcher.ts'
import { SPAN } from './messages.ts'
import { COLLAPSED_CALLS } from './semconv.ts'
import { cursor, LEN, readLength, readTag, skipField } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

export const COLLAPSED_CALLS_MAX = 1_000

export interface CollapsedCalls {
  readonly count: number
  /** After the span's start. */
  readonly startNano: Float64Array
  readonly durationNano: Float64Array
}

const TAG_ATTRIBUTES = (9 << 3) | LEN
const keys = createKeyMatcher([COLLAPSED_CALLS])

/** Pairs of start and duration, one after the other. */
export function packCollapsedCalls(pairsNano: readonly number[]): Uint8Array {
  const writer = new WireWriter(pairsNano.length * 4)
  for (const nano of pairsNano) writer.varint(nano)
  return new Uint8Array(writer.bytes.subarray(0, writer.length))
}

/** The calls of the span in this range of the payload; undefined when it is one call like any other. */
export function readCollapsedCalls(
  payload: Uint8Array,
  offset: number,
  length: number
): CollapsedCalls | undefined {
  let calls: CollapsedCalls | undefined
  const end = offset + length
  for (let at = offset; at < end; ) {
    const tag = readTag(payload, at, end)
    at = cursor.at
    if (tag !== TAG_ATTRIBUTES) {
      at = skipField(payload, at, end, tag, SPAN.wireTypes)
      continue
    }
    const fieldLength = readLength(payload, at, end)
    at = cursor.at + fieldLength
    if (matchKeyValue(payload, cursor.at, at, keys) < 0) continue
    const valueEnd = matchedValue.at + matchedValue.length
    if (findMember(payload, matchedValue.at, valueEnd) === BYTES) {
      calls = unpack(payload, member.at, member.at + member.length)
    }
  }
  return calls
}

function unpack(bytes: Uint8Array, from: number, end: number): CollapsedCalls | undefined {
  const numbers: number[] = []
  for (let at = from; at < end; ) {
    let number = 0
    let scale = 1
    let byte: number
    do {
      if (at === end || scale > 2 ** 49) return undefined
      byte = bytes[at++]!
      number += (byte & 0x7f) * scale
      scale *= 128
    } while (byte > 0x7f)
    if (number > Number.MAX_SAFE_INTEGER) return undefined
    if (numbers.push(number) > COLLAPSED_CALLS_MAX * 2) return undefined
  }
  const count = numbers.length / 2
  if (!Number.isInteger(count) || count < 2) return undefined
  return {
    count,
    startNano: Float64Array.from({ length: count }, (_, call) => numbers[call * 2]!),
    durationNano: Float64Array.from({ length: count }, (_, call) => numbers[call * 2 + 1]!)
  }
}
