/**
 * Checks a payload whole, before it is accepted: whatever passes here, scanner and decoder read to
 * the end without an error. Walks every message that they walk, attribute values included, by the
 * tables of messages.ts, and builds nothing.
 */
import { OtlpError } from './errors.ts'
import { idsFault, idsFaultReason, VALID_IDS } from './ids.ts'
import { ANY_VALUE, KEY_VALUE, type Message, SPAN, TRACES, VALUE_DEPTH_MAX } from './messages.ts'
import {
  assertReadable,
  assertWireType,
  cursor,
  LEN,
  longLength,
  longTag,
  skipField,
  truncated
} from './wire-reader.ts'

export interface TracesCheck {
  /** All spans in the payload; the accepted are these less the rejected. */
  readonly spanCount: number
  /** Spans whose ids are not valid. The scanner passes over exactly these. */
  readonly rejectedSpans: number
  /** What is wrong with the first of them, as a sentence for the sender. */
  readonly rejectedReason?: string
}

/** Counted by the check that is running; a check never calls another. */
const spans = { count: 0, rejected: 0, firstFault: VALID_IDS }

/** @throws OtlpError when the payload is not an ExportTraceServiceRequest. */
export function checkTraces(payload: Uint8Array): TracesCheck {
  assertReadable(payload)
  spans.count = 0
  spans.rejected = 0
  spans.firstFault = VALID_IDS
  checkMessage(TRACES, payload, 0, payload.length, 0)
  const { count: spanCount, rejected: rejectedSpans } = spans
  if (rejectedSpans === 0) return { spanCount, rejectedSpans }
  return { spanCount, rejectedSpans, rejectedReason: idsFaultReason(spans.firstFault) }
}

/** @hot Once per message. `depth` counts the AnyValues around this one. */
function checkMessage(
  message: Message,
  bytes: Uint8Array,
  from: number,
  end: number,
  depth: number
): void {
  const { wireTypes, children } = message
  let at = from
  while (at < end) {
    let tag = bytes[at++]!
    if (tag > 0x7f) {
      tag = longTag(bytes, at, end, tag)
      at = cursor.at
    }
    if ((tag & 7) !== LEN || at >= end) {
      at = skipField(bytes, at, end, tag, wireTypes)
      continue
    }
    assertWireType(at, tag, wireTypes)
    let length = bytes[at++]!
    if (length > 0x7f) {
      length = longLength(bytes, at, end, length)
      at = cursor.at
    } else if (length > end - at) {
      throw truncated(end)
    }
    const field = tag >>> 3
    const child = field < children.length ? children[field] : undefined
    if (child !== undefined) checkChild(child, bytes, at, at + length, depth)
    at += length
  }
}

function checkChild(
  child: Message,
  bytes: Uint8Array,
  from: number,
  end: number,
  depth: number
): void {
  if (child === SPAN) {
    checkSpan(bytes, from, end)
  } else if (child === ANY_VALUE) {
    if (depth === VALUE_DEPTH_MAX) throw new OtlpError('OTLP_DEPTH', [from, VALUE_DEPTH_MAX])
    checkMessage(child, bytes, from, end, depth + 1)
  } else if (child !== KEY_VALUE || !isPlainKeyValue(bytes, from, end)) {
    checkMessage(child, bytes, from, end, depth)
  }
}

/**
 * @hot Most attributes: a key shorter than 128 bytes, then a string, or a bool or int below 128.
 * True only when nothing else is in there; everything else is for checkMessage to judge.
 */
function isPlainKeyValue(bytes: Uint8Array, from: number, end: number): boolean {
  if (end - from < 6 || bytes[from] !== 0x0a) return false
  const keyLength = bytes[from + 1]!
  const valueTagAt = from + 2 + keyLength
  if (keyLength > 0x7f || valueTagAt + 4 > end || bytes[valueTagAt] !== 0x12) return false
  let at = endOfLength(bytes, valueTagAt + 1, end)
  if (at < 0 || at + 2 > end) return false
  const tag = bytes[at]!
  if (tag === 0x0a) {
    at = endOfLength(bytes, at + 1, end)
    return at >= 0
  }
  return (tag === 0x18 || tag === 0x10) && bytes[at + 1]! < 0x80 && at + 2 === end
}

/** @hot The position after the length at `at` when what it measures ends at `end`; else -1. */
function endOfLength(bytes: Uint8Array, at: number, end: number): number {
  let length = bytes[at]!
  let next = at + 1
  if (length > 0x7f) {
    length = longLength(bytes, next, end, length)
    next = cursor.at
  }
  return next + length === end ? next : -1
}

/** @hot A span is a message like the others, and its ids are judged by the rule of ids.ts. */
function checkSpan(bytes: Uint8Array, from: number, end: number): void {
  const { wireTypes, children } = SPAN
  let traceAt = 0
  let traceLength = 0
  let spanAt = 0
  let spanLength = 0
  let parentLength = 0
  let at = from
  while (at < end) {
    let tag = bytes[at++]!
    if (tag > 0x7f) {
      tag = longTag(bytes, at, end, tag)
      at = cursor.at
    }
    if ((tag & 7) !== LEN || at >= end) {
      at = skipField(bytes, at, end, tag, wireTypes)
      continue
    }
    assertWireType(at, tag, wireTypes)
    let length = bytes[at++]!
    if (length > 0x7f) {
      length = longLength(bytes, at, end, length)
      at = cursor.at
    } else if (length > end - at) {
      throw truncated(end)
    }
    const field = tag >>> 3
    const child = field < children.length ? children[field] : undefined
    if (child !== undefined) {
      checkChild(child, bytes, at, at + length, 0)
    } else if (field === 1) {
      traceAt = at
      traceLength = length
    } else if (field === 2) {
      spanAt = at
      spanLength = length
    } else if (field === 4) {
      parentLength = length
    }
    at += length
  }
  spans.count++
  const fault = idsFault(bytes, traceAt, traceLength, spanAt, spanLength, parentLength)
  if (fault === VALID_IDS) return
  spans.rejected++
  if (spans.firstFault === VALID_IDS) spans.firstFault = fault
}
