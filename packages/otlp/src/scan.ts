/**
 * Payload → rows, in one forward pass over the bytes and without an object per span. Takes of a
 * span what stitching and span metrics need; all else stays in the payload, and the row says where.
 *
 *   request ─1→ ResourceSpans ─1→ Resource ─1→ KeyValue          service.name, spans.counted
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
import { createKeyMatcher, matchedValue, matchKeyValue } from './key-matcher.ts'
import { RESOURCE, RESOURCE_SPANS, SCOPE_SPANS, SPAN, STATUS, TRACES } from './messages.ts'
import { SERVICE_NAME } from './semconv.ts'
import {
  createSpanColumns,
  growSpanColumns,
  ROWS_KEPT_MAX,
  type SpanColumns,
  type SpanRows
} from './span-rows.ts'
import { SPANS_COUNTED } from './span-stats.ts'
import { NO_STRING, OVERFLOW_STRING, type StringTable } from './string-table.ts'
import {
  assertReadable,
  assertWireType,
  cursor,
  fixed32At,
  I32,
  I64,
  LEN,
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
  const resourceKeys = createKeyMatcher([SERVICE_NAME, SPANS_COUNTED])
  let resourceIsCounted = 0
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
    rows.counted.fill(resourceIsCounted, firstRow, rows.count)
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
    resourceIsCounted = 0
    let at = from
    while (at < end) {
      const tag = readTag(bytes, at, end)
      at = cursor.at
      if (tag === 0x0a) {
        const length = readLength(bytes, at, end)
        at = cursor.at + length
        const key = matchKeyValue(bytes, cursor.at, at, resourceKeys)
        const valueEnd = matchedValue.at + matchedValue.length
        if (key === 0) service = valueId(bytes, matchedValue.at, valueEnd)
        else if (key === 1) resourceIsCounted = isTrue(bytes, matchedValue.at, valueEnd) ? 1 : 0
      } else {
        at = skipField(bytes, at, end, tag, RESOURCE.wireTypes)
      }
    }
    return service === NO_STRING || service === emptyName ? unknownService : service
  }

  /** @hot Once per span: notes where its fields are, then writes a row. */
  function scanSpan(bytes: Uint8Array, from: number, end: number): void {
    if (rows.count === rows.name.length) growSpanColumns(rows)
    for (const column of rows.attributes) column[rows.count] = NO_STRING
    span.traceLength = 0
    span.spanLength = 0
    span.parentLength = 0
    span.nameLength = 0
    span.startAt = NOWHERE
    span.endAt = NOWHERE
    span.flagsAt = NOWHERE
    span.kind = 0
    span.status = 0

    let at = from
    while (at < end) {
      let tag = bytes[at++]!
      if (tag > 0x7f) {
        tag = longTag(bytes, at, end, tag)
        at = cursor.at
      }
      if ((tag & 7) !== LEN || at >= end) {
        at = scanNumber(bytes, tag, at, end)
        continue
      }
      let length = bytes[at++]!
      if (length > 0x7f) {
        length = longLength(bytes, at, end, length)
        at = cursor.at
      } else if (length > end - at) {
        throw truncated(end)
      }
      if (tag === TAG_ATTRIBUTES) scanAttribute(bytes, at, at + length)
      else noteField(bytes, tag, at, length)
      at += length
    }
    const { traceAt, traceLength, spanAt, spanLength, parentLength } = span
    if (idsFault(bytes, traceAt, traceLength, spanAt, spanLength, parentLength) === VALID_IDS) {
      writeRow(bytes, from, end)
    }
  }

  /** @hot Once per attribute. */
  function scanAttribute(bytes: Uint8Array, from: number, end: number): void {
    const key = matchKeyValue(bytes, from, end, spanKeys)
    if (key < 0) return
    rows.attributes[key]![rows.count] = valueId(
      bytes,
      matchedValue.at,
      matchedValue.at + matchedValue.length
    )
  }

  /** @hot Once per span. */
  function writeRow(bytes: Uint8Array, from: number, end: number): void {
    const row = rows.count
    const { traceId, spanId, parentSpanId } = rows
    const { traceAt, spanAt, parentAt, startAt, endAt } = span
    traceId[row * 4] = wordAt(bytes, traceAt)
    traceId[row * 4 + 1] = wordAt(bytes, traceAt + 4)
    traceId[row * 4 + 2] = wordAt(bytes, traceAt + 8)
    traceId[row * 4 + 3] = wordAt(bytes, traceAt + 12)
    spanId[row * 2] = wordAt(bytes, spanAt)
    spanId[row * 2 + 1] = wordAt(bytes, spanAt + 4)
    parentSpanId[row * 2] = span.parentLength === 0 ? 0 : wordAt(bytes, parentAt)
    parentSpanId[row * 2 + 1] = span.parentLength === 0 ? 0 : wordAt(bytes, parentAt + 4)

    const startLow = startAt === NOWHERE ? 0 : fixed32At(bytes, startAt)
    const startHigh = startAt === NOWHERE ? 0 : fixed32At(bytes, startAt + 4)
    const endLow = endAt === NOWHERE ? 0 : fixed32At(bytes, endAt)
    const endHigh = endAt === NOWHERE ? 0 : fixed32At(bytes, endAt + 4)
    rows.startUnixMs[row] = (startHigh * 0x1_0000_0000 + startLow) / 1e6
    // Halves first: each difference is exact, and so is their sum up to 2^53.
    rows.durationNano[row] = (endHigh - startHigh) * 0x1_0000_0000 + (endLow - startLow)

    rows.kind[row] = knownKind(span.kind)
    rows.status[row] = knownStatusCode(span.status)
    rows.flags[row] = span.flagsAt === NOWHERE ? 0 : fixed32At(bytes, span.flagsAt)
    const { nameAt, nameLength } = span
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

function isTrue(bytes: Uint8Array, from: number, end: number): boolean {
  return findMember(bytes, from, end) === BOOL && memberIsTrue()
}

const NOWHERE = -1

/** Field number << 3 | wire type. */
const TAG_ATTRIBUTES = (9 << 3) | LEN
const TAG_KIND = 6 << 3
const TAG_START = (7 << 3) | I64
const TAG_END = (8 << 3) | I64
const TAG_FLAGS = (16 << 3) | I32

/** Where the fields of the span that is being scanned are. */
const span = {
  traceAt: 0,
  traceLength: 0,
  spanAt: 0,
  spanLength: 0,
  parentAt: 0,
  parentLength: 0,
  nameAt: 0,
  nameLength: 0,
  startAt: NOWHERE,
  endAt: NOWHERE,
  flagsAt: NOWHERE,
  kind: 0,
  status: 0
}

/** @hot The fields of a span that are not length-delimited. Returns the position after the field. */
function scanNumber(bytes: Uint8Array, tag: number, at: number, end: number): number {
  switch (tag) {
    case TAG_KIND:
      span.kind = varint(bytes, at, end)
      return cursor.at
    case TAG_START:
      if (at + 8 > end) throw truncated(end)
      span.startAt = at
      return at + 8
    case TAG_END:
      if (at + 8 > end) throw truncated(end)
      span.endAt = at
      return at + 8
    case TAG_FLAGS:
      if (at + 4 > end) throw truncated(end)
      span.flagsAt = at
      return at + 4
    default:
      return skipField(bytes, at, end, tag, SPAN.wireTypes)
  }
}

/** @hot The length-delimited fields of a span, attributes excepted. */
function noteField(bytes: Uint8Array, tag: number, at: number, length: number): void {
  switch (tag >>> 3) {
    case 1:
      span.traceAt = at
      span.traceLength = length
      break
    case 2:
      span.spanAt = at
      span.spanLength = length
      break
    case 4:
      span.parentAt = at
      span.parentLength = length
      break
    case 5:
      span.nameAt = at
      span.nameLength = length
      break
    case 15:
      span.status = scanStatus(bytes, at, at + length, span.status)
      break
    default:
      assertWireType(at, tag, SPAN.wireTypes)
  }
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
