/**
 * Payload → rows, in one forward pass over the bytes and without an object per span. Takes of a
 * span what stitching and span metrics need; all else stays in the payload, and the row says where.
 *
 *   request ─1→ ResourceSpans ─1→ Resource ─1→ KeyValue          service.name
 *                             ─2→ ScopeSpans ─1→ scope           its place
 *                                            ─2→ Span            one row, unless its ids are wrong
 *
 * Fields may come in any order at any level. A resource or scope that comes after its spans is
 * written into their rows afterwards. When a singular field is repeated the last one counts, for
 * messages too: protobuf would merge two resources, here the second replaces the first. (A
 * repeated status is merged, which is the same as reading its fields in turn.) Of attributes with
 * the same key the last one counts.
 *
 * The scan checks what it reads, and only that: `checkTraces` checks a payload whole. Spans whose
 * ids break the rule of ids.ts make no row; the check has told the sender about them.
 */
import {
  BOOL,
  findMember,
  INT,
  member,
  memberIsTrue,
  NOTHING,
  STRING,
  valueText
} from './any-value.ts'
import { idsFault, VALID_IDS, wordAt } from './ids.ts'
import { createKeyMatcher, type KeyMatcher } from './key-matcher.ts'
import {
  KEY_VALUE,
  RESOURCE,
  RESOURCE_SPANS,
  SCOPE_SPANS,
  SPAN,
  STATUS,
  TRACES
} from './messages.ts'
import { SERVICE_NAME } from './semconv.ts'
import {
  createSpanColumns,
  growSpanColumns,
  ROWS_KEPT_MAX,
  type SpanColumns,
  type SpanRows
} from './span-rows.ts'
import { NO_STRING, OVERFLOW_STRING, type StringTable } from './string-table.ts'
import {
  assertReadable,
  assertWireType,
  cursor,
  fixed32At,
  longLength,
  longTag,
  readLength,
  readTag,
  skipField,
  truncated,
  varint
} from './wire-reader.ts'
import { knownKind, knownStatusCode } from './words.ts'

/** What a span belongs to when its resource has no `service.name`; OpenTelemetry's word. */
export const UNKNOWN_SERVICE = 'unknown_service'

/** Ints below this have their text interned once: status codes, ports up to 1023, counts. */
const SMALL_INTS = 1024
const NOT_YET = -2

export interface Scanner {
  /**
   * The payload's spans with valid ids. Borrowed until the next scan.
   *
   * @throws OtlpError when what it reads is not OTLP.
   */
  scan(payload: Uint8Array): SpanRows
}

/** `wantedKeys` are keys of span attributes; column k of the rows is that of key k. */
export function createScanner(wantedKeys: readonly string[], strings: StringTable): Scanner {
  const spanKeys = createKeyMatcher(wantedKeys)
  const resourceKeys = createKeyMatcher([SERVICE_NAME])
  const emptyName = strings.internText('')
  const unknownService = strings.internText(UNKNOWN_SERVICE)
  const smallInts = new Int32Array(SMALL_INTS).fill(NOT_YET)
  const attributeCount = wantedKeys.length
  let rows: SpanColumns = createSpanColumns(attributeCount)

  return { scan }

  function scan(payload: Uint8Array): SpanRows {
    assertReadable(payload)
    if (rows.name.length > ROWS_KEPT_MAX) rows = createSpanColumns(attributeCount)
    rows.count = 0
    const end = payload.length
    let at = 0
    while (at < end) {
      const tag = readTag(payload, at, end)
      at = cursor.at
      if (tag === 0x0a) {
        const length = readLength(payload, at, end)
        at = cursor.at
        scanResourceSpans(payload, at, at + length)
        at += length
      } else {
        at = skipField(payload, at, end, tag, TRACES.wireTypes)
      }
    }
    return rows
  }

  function scanResourceSpans(bytes: Uint8Array, from: number, end: number): void {
    const firstRow = rows.count
    let resourceOffset = from
    let resourceLength = 0
    let at = from
    while (at < end) {
      const tag = readTag(bytes, at, end)
      at = cursor.at
      if (tag === 0x0a) {
        resourceLength = readLength(bytes, at, end)
        resourceOffset = cursor.at
        at = resourceOffset + resourceLength
      } else if (tag === 0x12) {
        const length = readLength(bytes, at, end)
        at = cursor.at
        scanScopeSpans(bytes, at, at + length)
        at += length
      } else {
        at = skipField(bytes, at, end, tag, RESOURCE_SPANS.wireTypes)
      }
    }
    const service = serviceOf(bytes, resourceOffset, resourceOffset + resourceLength)
    rows.service.fill(service, firstRow, rows.count)
    rows.resourceOffset.fill(resourceOffset, firstRow, rows.count)
    rows.resourceLength.fill(resourceLength, firstRow, rows.count)
  }

  function scanScopeSpans(bytes: Uint8Array, from: number, end: number): void {
    const firstRow = rows.count
    let scopeOffset = from
    let scopeLength = 0
    let at = from
    while (at < end) {
      const tag = readTag(bytes, at, end)
      at = cursor.at
      if (tag === 0x12) {
        const length = readLength(bytes, at, end)
        at = cursor.at
        scanSpan(bytes, at, at + length)
        at += length
      } else if (tag === 0x0a) {
        scopeLength = readLength(bytes, at, end)
        scopeOffset = cursor.at
        at = scopeOffset + scopeLength
      } else {
        at = skipField(bytes, at, end, tag, SCOPE_SPANS.wireTypes)
      }
    }
    rows.scopeOffset.fill(scopeOffset, firstRow, rows.count)
    rows.scopeLength.fill(scopeLength, firstRow, rows.count)
  }

  function serviceOf(bytes: Uint8Array, from: number, end: number): number {
    let service = NO_STRING
    let at = from
    while (at < end) {
      const tag = readTag(bytes, at, end)
      at = cursor.at
      if (tag === 0x0a) {
        const length = readLength(bytes, at, end)
        at = cursor.at + length
        if (matchKeyValue(bytes, cursor.at, at, resourceKeys) >= 0) {
          service = valueId(bytes, value.at, value.at + value.length)
        }
      } else {
        at = skipField(bytes, at, end, tag, RESOURCE.wireTypes)
      }
    }
    return service === NO_STRING || service === emptyName ? unknownService : service
  }

  /** @hot Once per span. */
  function scanSpan(bytes: Uint8Array, from: number, end: number): void {
    if (rows.count === rows.name.length) growSpanColumns(rows)
    const row = rows.count
    const attributes = rows.attributes
    for (let key = 0; key < attributes.length; key++) attributes[key]![row] = NO_STRING
    let traceAt = 0
    let traceLength = 0
    let spanAt = 0
    let spanLength = 0
    let parentAt = 0
    let parentLength = 0
    let nameAt = 0
    let nameLength = 0
    let startAt = -1
    let endAt = -1
    let flagsAt = -1
    let kind = 0
    let status = 0

    let at = from
    while (at < end) {
      let tag = bytes[at++]!
      if (tag > 0x7f) {
        tag = longTag(bytes, at, end, tag)
        at = cursor.at
      }
      switch (tag) {
        case 0x39: // 7 start_time_unix_nano
          if (at + 8 > end) throw truncated(end)
          startAt = at
          at += 8
          continue
        case 0x41: // 8 end_time_unix_nano
          if (at + 8 > end) throw truncated(end)
          endAt = at
          at += 8
          continue
        case 0x30: // 6 kind
          kind = varint(bytes, at, end)
          at = cursor.at
          continue
        case 0x85: // 16 flags
          if (at + 4 > end) throw truncated(end)
          flagsAt = at
          at += 4
          continue
      }
      if ((tag & 7) !== 2 || at >= end) {
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
      const next = at + length
      switch (tag) {
        case 0x4a: {
          // 9 attributes
          const key = matchKeyValue(bytes, at, next, spanKeys)
          if (key >= 0) attributes[key]![row] = valueId(bytes, value.at, value.at + value.length)
          break
        }
        case 0x0a: // 1 trace_id
          traceAt = at
          traceLength = length
          break
        case 0x12: // 2 span_id
          spanAt = at
          spanLength = length
          break
        case 0x22: // 4 parent_span_id
          parentAt = at
          parentLength = length
          break
        case 0x2a: // 5 name
          nameAt = at
          nameLength = length
          break
        case 0x7a: // 15 status
          status = scanStatus(bytes, at, next, status)
          break
        case 0x1a: // 3 trace_state
        case 0x5a: // 11 events
        case 0x6a: // 13 links
          break
        default:
          assertWireType(at, tag, SPAN.wireTypes)
      }
      at = next
    }
    if (idsFault(bytes, traceAt, traceLength, spanAt, spanLength, parentLength) !== VALID_IDS) {
      return
    }

    const { traceId, spanId, parentSpanId } = rows
    traceId[row * 4] = wordAt(bytes, traceAt)
    traceId[row * 4 + 1] = wordAt(bytes, traceAt + 4)
    traceId[row * 4 + 2] = wordAt(bytes, traceAt + 8)
    traceId[row * 4 + 3] = wordAt(bytes, traceAt + 12)
    spanId[row * 2] = wordAt(bytes, spanAt)
    spanId[row * 2 + 1] = wordAt(bytes, spanAt + 4)
    parentSpanId[row * 2] = parentLength === 0 ? 0 : wordAt(bytes, parentAt)
    parentSpanId[row * 2 + 1] = parentLength === 0 ? 0 : wordAt(bytes, parentAt + 4)
    const startLow = startAt < 0 ? 0 : fixed32At(bytes, startAt)
    const startHigh = startAt < 0 ? 0 : fixed32At(bytes, startAt + 4)
    const endLow = endAt < 0 ? 0 : fixed32At(bytes, endAt)
    const endHigh = endAt < 0 ? 0 : fixed32At(bytes, endAt + 4)
    rows.startUnixMs[row] = (startHigh * 0x1_0000_0000 + startLow) / 1e6
    rows.durationNano[row] = (endHigh - startHigh) * 0x1_0000_0000 + (endLow - startLow)
    rows.kind[row] = knownKind(kind)
    rows.status[row] = knownStatusCode(status)
    rows.flags[row] = flagsAt < 0 ? 0 : fixed32At(bytes, flagsAt)
    rows.name[row] = nameLength === 0 ? emptyName : strings.intern(bytes, nameAt, nameLength)
    rows.spanOffset[row] = from
    rows.spanLength[row] = end - from
    rows.count = row + 1
  }

  /** The id of the value's text; NO_STRING when the value is not set. */
  function valueId(bytes: Uint8Array, from: number, end: number): number {
    switch (findMember(bytes, from, end)) {
      case STRING:
        return strings.intern(bytes, member.at, member.length)
      case INT:
        if (member.high === 0 && member.low >= 0 && member.low < SMALL_INTS) {
          return smallIntId(member.low)
        }
        break
      case BOOL:
        return strings.internText(memberIsTrue() ? 'true' : 'false')
      case NOTHING:
        return NO_STRING
    }
    return strings.internText(valueText(bytes, from, end)!.text)
  }

  function smallIntId(int: number): number {
    const known = smallInts[int]!
    if (known !== NOT_YET) return known
    const id = strings.internText(String(int))
    // An overflow is not remembered, so that each one is counted.
    if (id !== OVERFLOW_STRING) smallInts[int] = id
    return id
  }
}

/** Where the value of the last matched KeyValue is; valid until the next match. */
const value = { at: 0, length: 0 }

/** @hot Once per attribute: which wanted key it has, or -1. The value's place is in `value`. */
function matchKeyValue(bytes: Uint8Array, from: number, end: number, keys: KeyMatcher): number {
  // Nearly all: a key shorter than 128 bytes, then the value, and nothing else.
  if (end - from >= 4 && bytes[from] === 0x0a) {
    const keyLength = bytes[from + 1]!
    const at = from + 2 + keyLength
    if (keyLength < 0x80 && at + 2 <= end && bytes[at] === 0x12) {
      let valueLength = bytes[at + 1]!
      let valueAt = at + 2
      if (valueLength > 0x7f) {
        valueLength = longLength(bytes, valueAt, end, valueLength)
        valueAt = cursor.at
      }
      if (valueAt + valueLength === end) {
        value.at = valueAt
        value.length = valueLength
        return keys.match(bytes, from + 2, keyLength)
      }
    }
  }
  return matchAnyKeyValue(bytes, from, end, keys)
}

/** Any KeyValue: fields in any order, twice, or not at all. */
function matchAnyKeyValue(bytes: Uint8Array, from: number, end: number, keys: KeyMatcher): number {
  let keyAt = from
  let keyLength = 0
  value.at = from
  value.length = 0
  let at = from
  while (at < end) {
    let tag = bytes[at++]!
    if (tag > 0x7f) {
      tag = longTag(bytes, at, end, tag)
      at = cursor.at
    }
    if ((tag !== 0x0a && tag !== 0x12) || at >= end) {
      at = skipField(bytes, at, end, tag, KEY_VALUE.wireTypes)
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
      keyAt = at
      keyLength = length
    } else {
      value.at = at
      value.length = length
    }
    at += length
  }
  return keys.match(bytes, keyAt, keyLength)
}

function scanStatus(bytes: Uint8Array, from: number, end: number, before: number): number {
  let code = before
  let at = from
  while (at < end) {
    const tag = readTag(bytes, at, end)
    at = cursor.at
    if (tag === 0x18) {
      code = varint(bytes, at, end)
      at = cursor.at
    } else {
      at = skipField(bytes, at, end, tag, STATUS.wireTypes)
    }
  }
  return code
}
