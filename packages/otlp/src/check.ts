/**
 * Checks a payload whole, before it is accepted: whatever passes here, scanner and decoder read to
 * the end without an error. Walks every message that they walk, attribute values included, by the
 * tables of messages.ts, and builds nothing.
 */
import { OtlpError } from './errors.ts'
import { idsFault, idsFaultReason, VALID_IDS } from './ids.ts'
import { ANY_VALUE, type Message, SPAN, TRACES, VALUE_DEPTH_MAX } from './messages.ts'
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
  if (message === SPAN) checkIds(bytes, from, end)
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
    if (child !== undefined) {
      const childDepth = child === ANY_VALUE ? depth + 1 : depth
      if (childDepth > VALUE_DEPTH_MAX) throw new OtlpError('OTLP_DEPTH', [at, VALUE_DEPTH_MAX])
      checkMessage(child, bytes, at, at + length, childDepth)
    }
    at += length
  }
}

/** Applies the rule on ids to the span between `from` and `end`. */
function checkIds(bytes: Uint8Array, from: number, end: number): void {
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
      at = skipField(bytes, at, end, tag, SPAN.wireTypes)
      continue
    }
    let length = bytes[at++]!
    if (length > 0x7f) {
      length = longLength(bytes, at, end, length)
      at = cursor.at
    } else if (length > end - at) {
      throw truncated(end)
    }
    if (tag === 0x0a) {
      traceAt = at
      traceLength = length
    } else if (tag === 0x12) {
      spanAt = at
      spanLength = length
    } else if (tag === 0x22) {
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
