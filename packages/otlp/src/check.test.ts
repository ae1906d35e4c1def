import { describe, expect, it } from 'vitest'
import { checkTraces } from './check.ts'
import { decodeResource, decodeScope, decodeSpan } from './decode.ts'
import { OtlpError, type OtlpErrorCode } from './errors.ts'
import { VALUE_DEPTH_MAX } from './messages.ts'
import { createScanner } from './scan.ts'
import { StringTable } from './string-table.ts'
import {
  encodeFreely,
  lengthDelimited,
  Random,
  ROUNDS,
  ROUNDS_TIMEOUT_MS,
  randomRequest,
  requestType,
  SEED,
  varintOf
} from './traces.testkit.ts'
import { PAYLOAD_BYTES_MAX } from './wire-reader.ts'

const LIMITS = { stringsMax: 50_000, bytesMax: 1 << 24, stringBytesMax: 4096 }

function spanBytes(...fields: number[][]): number[] {
  const traceId = lengthDelimited(1, [...new Uint8Array(15), 1])
  const spanId = lengthDelimited(2, [...new Uint8Array(7), 2])
  return [...traceId, ...spanId, ...fields.flat()]
}

function requestOf(...spans: number[][]): Uint8Array {
  const scopeSpans = spans.flatMap((span) => lengthDelimited(2, span))
  return Uint8Array.from(lengthDelimited(1, lengthDelimited(2, scopeSpans)))
}

function codeOf(run: () => unknown): OtlpErrorCode | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    if (error instanceof OtlpError) return error.code
    throw error
  }
}

function scanOf(payload: Uint8Array) {
  const strings = new StringTable(LIMITS)
  return { rows: createScanner(['http.route', 'k', ''], strings).scan(payload), strings }
}

/** All that a payload says, as text: equal bytes must read equally wherever they stand. */
function readAll(payload: Uint8Array): string {
  const { rows, strings } = scanOf(payload)
  const said: unknown[] = [rows.count]
  for (let row = 0; row < rows.count; row++) {
    said.push(
      decodeSpan(payload, rows.spanOffset[row]!, rows.spanLength[row]!),
      decodeResource(payload, rows.resourceOffset[row]!, rows.resourceLength[row]!),
      decodeScope(payload, rows.scopeOffset[row]!, rows.scopeLength[row]!),
      strings.text(rows.service[row]!),
      strings.text(rows.name[row]!),
      rows.attributes.map((column) => strings.text(column[row]!)),
      rows.startUnixMs[row],
      rows.durationNano[row]
    )
  }
  return JSON.stringify(said, (_, value) => (typeof value === 'bigint' ? `${value}` : value))
}

/** The payload inside a larger buffer, between bytes that would be noticed. */
function placed(payload: Uint8Array, before: number, filling: number): Uint8Array {
  const buffer = new Uint8Array(payload.length + before + 64).fill(filling)
  buffer.set(payload, before)
  return buffer.subarray(before, before + payload.length)
}

function damaged(payload: Uint8Array, random: Random): Uint8Array {
  const copy = Uint8Array.from(payload)
  switch (random.below(4)) {
    case 0:
      return copy.subarray(0, random.below(copy.length + 1))
    case 1: {
      const from = random.below(copy.length)
      copy.copyWithin(random.below(copy.length), from, from + random.below(40))
      return copy
    }
    default:
      for (let flips = 1 + random.below(4); flips > 0; flips--) {
        copy[random.below(copy.length)] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)])
      }
      return copy
  }
}

describe(`damaged payloads, SEED=${SEED}`, () => {
  it(
    'end in an OtlpError or are read; what the check accepts, scan and decode accept',
    () => {
      const random = new Random(SEED)
      const strings = new StringTable(LIMITS)
      const scanner = createScanner(['http.route', 'k', ''], strings)
      const outcomes = { accepted: 0, refused: 0 }
      let source: number[] = []
      for (let round = 0; round < 6_000 * ROUNDS; round++) {
        if (round % 20 === 0) {
          do source = encodeFreely(requestType, randomRequest(random), random)
          while (source.length === 0)
        }
        const payload = damaged(Uint8Array.from(source), random)
        const refused = codeOf(() => checkTraces(payload)) !== undefined
        if (refused) {
          outcomes.refused++
          codeOf(() => scanner.scan(payload))
          codeOf(() => decodeSpan(payload, 0, payload.length))
          continue
        }
        outcomes.accepted++
        const { spanCount, rejectedSpans } = checkTraces(placed(payload, 3, 0xff))
        expect(scanner.scan(payload).count).toBe(spanCount - rejectedSpans)
        // The same bytes elsewhere, among others: nothing is read from outside.
        if (round % 8 === 0) {
          expect(readAll(placed(payload, 1, 0x0a))).toBe(readAll(placed(payload, 40, 0xff)))
        }
      }
      expect(outcomes.accepted).toBeGreaterThan(500)
      expect(outcomes.refused).toBeGreaterThan(500)
    },
    ROUNDS_TIMEOUT_MS
  )

  it('are refused when cut anywhere inside a field', () => {
    const payload = requestOf(
      spanBytes(lengthDelimited(5, [65, 66]), [0x39, 1, 2, 3, 4, 5, 6, 7, 8])
    )
    expect(checkTraces(payload).spanCount).toBe(1)
    for (let length = 1; length < payload.length; length++) {
      expect(codeOf(() => checkTraces(payload.subarray(0, length)))).toBe('OTLP_TRUNCATED')
      expect(codeOf(() => readAll(payload.subarray(0, length)))).toBe('OTLP_TRUNCATED')
    }
  })
})

describe('checkTraces', () => {
  it('counts spans whose ids are wrong, and says what is wrong with the first', () => {
    const traceId = (length: number, last = 1) =>
      lengthDelimited(1, [...new Uint8Array(length - 1), last])
    const spanId = (length: number, last = 1) =>
      lengthDelimited(2, [...new Uint8Array(length - 1), last])
    const parent = (length: number) => lengthDelimited(4, [...new Uint8Array(length)])
    const cases: Array<[span: number[], reason: RegExp | undefined]> = [
      [[...traceId(16), ...spanId(8)], undefined],
      [[...spanId(8)], /^A trace id/],
      [[...traceId(15), ...spanId(8)], /^A trace id/],
      [[...traceId(17), ...spanId(8)], /^A trace id/],
      [[...traceId(16, 0), ...spanId(8)], /^A trace id/],
      [[...traceId(16)], /^A span id/],
      [[...traceId(16), ...spanId(7)], /^A span id/],
      [[...traceId(16), ...spanId(9)], /^A span id/],
      [[...traceId(16), ...spanId(8, 0)], /^A span id/],
      [[...traceId(16), ...spanId(8), ...parent(7)], /^A parent span id/],
      [[...traceId(16), ...spanId(8), ...parent(9)], /^A parent span id/],
      [[...traceId(16), ...spanId(8), ...parent(8)], undefined],
      [[...traceId(16), ...spanId(8), ...parent(0)], undefined],
      [[...traceId(3), ...traceId(16), ...spanId(8)], undefined]
    ]
    for (const [span, reason] of cases) {
      const check = checkTraces(requestOf(spanBytes(), span))
      expect(check.spanCount).toBe(2)
      expect(check.rejectedSpans).toBe(reason === undefined ? 0 : 1)
      if (reason !== undefined) expect(check.rejectedReason).toMatch(reason)
    }
  })

  it('accepts values as deep as the limit and refuses one deeper', () => {
    /** A string value in `depth` - 1 arrays. */
    function nested(depth: number): number[] {
      let value = lengthDelimited(1, [65])
      for (let around = 1; around < depth; around++) {
        value = lengthDelimited(5, lengthDelimited(1, value))
      }
      return value
    }
    const payload = (depth: number) => {
      const attribute = [...lengthDelimited(1, [107]), ...lengthDelimited(2, nested(depth))]
      return requestOf(spanBytes(lengthDelimited(9, attribute)))
    }
    expect(checkTraces(payload(VALUE_DEPTH_MAX)).spanCount).toBe(1)
    expect(readAll(payload(VALUE_DEPTH_MAX))).toContain('[\\"A\\"]')
    expect(codeOf(() => checkTraces(payload(VALUE_DEPTH_MAX + 1)))).toBe('OTLP_DEPTH')
    expect(codeOf(() => readAll(payload(VALUE_DEPTH_MAX + 1)))).toBe('OTLP_DEPTH')
    expect(codeOf(() => checkTraces(payload(200)))).toBe('OTLP_DEPTH')
  })

  it('accepts varints of up to ten bytes', () => {
    const zeros = (count: number) => [...new Array(count - 1).fill(0x80), 0]
    const payload = (count: number) => requestOf(spanBytes([0x30, ...zeros(count)]))
    expect(checkTraces(payload(10)).spanCount).toBe(1)
    expect(readAll(payload(10))).toBe(readAll(payload(10)))
    expect(codeOf(() => checkTraces(payload(11)))).toBe('OTLP_VARINT')
    expect(codeOf(() => readAll(payload(11)))).toBe('OTLP_VARINT')
  })

  it.each([
    ['a group', [0x0b, 0x0c], 'OTLP_WIRE_TYPE'],
    ['an unknown group', [0xa3, 0x06, 0xa4, 0x06], 'OTLP_WIRE_TYPE'],
    ['wire type 7', [0x0f], 'OTLP_WIRE_TYPE'],
    ['a known field with another wire type', [0x08, 0x01], 'OTLP_WIRE_TYPE'],
    ['field number 0', [0x02, 0x00], 'OTLP_TAG'],
    ['a tag beyond 32 bits', [0x8a, 0x80, 0x80, 0x80, 0x10, 0x00], 'OTLP_TAG'],
    ['a length beyond the end', [0x0a, 0x01], 'OTLP_TRUNCATED'],
    ['a length beyond 2^31', [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f], 'OTLP_TRUNCATED'],
    ['a length beyond 2^32', [0x0a, 0x80, 0x80, 0x80, 0x80, 0x10], 'OTLP_TRUNCATED']
  ] as const)('refuses %s', (_, bytes, code) => {
    expect(codeOf(() => checkTraces(Uint8Array.from(bytes)))).toBe(code)
    expect(codeOf(() => readAll(Uint8Array.from(bytes)))).toBe(code)
  })

  it('refuses lengths that leave their message by one byte, in any encoding and at any level', () => {
    /** `length` as a varint of `byteCount` bytes. */
    const padded = (length: number, byteCount: number) =>
      Array.from({ length: byteCount }, (_, index) =>
        index === byteCount - 1 ? length >> (7 * index) : ((length >> (7 * index)) & 0x7f) | 0x80
      )
    const field = (number: number, content: number[], byteCount: number, extra = 0) => [
      (number << 3) | 2,
      ...padded(content.length + extra, byteCount),
      ...content
    ]
    // From the inside: a string, its value, attribute, span, scope and resource.
    const levels = [1, 2, 9, 2, 2, 1]
    const payload = (wrongLevel: number, byteCount: number, extra: number) => {
      let content = [65, 66, 67, 68]
      for (const [level, number] of levels.entries()) {
        content = field(number, content, byteCount, level === wrongLevel ? extra : 0)
        if (number === 9) content.unshift(...spanBytes())
      }
      // What follows lets the wrong length stay inside the payload.
      return Uint8Array.from([...content, ...field(15, [], 1)])
    }
    for (let level = 0; level < levels.length - 1; level++) {
      for (let byteCount = 1; byteCount <= 5; byteCount++) {
        expect(codeOf(() => checkTraces(payload(level, byteCount, 0)))).toBeUndefined()
        expect(codeOf(() => checkTraces(payload(level, byteCount, 1)))).toBe('OTLP_TRUNCATED')
        expect(codeOf(() => readAll(payload(level, byteCount, 1)))).toBe('OTLP_TRUNCATED')
      }
    }
  })

  it('refuses fields that reach from one span into the next', () => {
    for (const field of [
      [0x2a, 2, 65],
      [0x39, 0, 0, 0, 0, 0, 0, 0],
      [0x30, 0x80],
      [0x7a, 1]
    ]) {
      const payload = requestOf(spanBytes(field), spanBytes())
      expect(codeOf(() => checkTraces(payload))).toBe('OTLP_TRUNCATED')
      expect(codeOf(() => scanOf(payload))).toBe('OTLP_TRUNCATED')
      expect(codeOf(() => readAll(payload))).toBe('OTLP_TRUNCATED')
    }
  })

  it.each([
    ['a number cut in two', [0x18, 0x80], 'OTLP_TRUNCATED'],
    ['a group after a number', [0x18, 5, 0x0b], 'OTLP_WIRE_TYPE'],
    ['a group after a bool', [0x10, 1, 0x0b], 'OTLP_WIRE_TYPE'],
    ['a group after a string', [0x0a, 1, 65, 0x0b], 'OTLP_WIRE_TYPE'],
    ['a double cut short', [0x21, 1, 2, 3], 'OTLP_TRUNCATED'],
    ['a tag alone', [0x0a], 'OTLP_TRUNCATED']
  ] as const)('refuses an attribute value with %s', (_, value, code) => {
    const attribute = [...lengthDelimited(1, [107]), ...lengthDelimited(2, [...value])]
    const payload = requestOf(spanBytes(lengthDelimited(9, attribute)))
    expect(codeOf(() => checkTraces(payload))).toBe(code)
    expect(codeOf(() => readAll(payload))).toBe(code)
  })

  it('refuses known span fields with another wire type, as scan and decode do', () => {
    for (let field = 1; field <= 16; field++) {
      for (const [wireType, content] of [
        [0, [0]],
        [1, new Array(8).fill(0)],
        [2, [0]],
        [5, new Array(4).fill(0)]
      ] as const) {
        const span = spanBytes([...varintOf((field << 3) | wireType), ...content])
        const code = codeOf(() => checkTraces(requestOf(span)))
        expect(codeOf(() => readAll(requestOf(span)))).toBe(code)
        const right = { 6: 0, 10: 0, 12: 0, 14: 0, 7: 1, 8: 1, 16: 5 }[field] ?? 2
        expect(code).toBe(wireType === right ? undefined : 'OTLP_WIRE_TYPE')
      }
    }
  })

  it('refuses a payload that is larger than positions can say', () => {
    // Not allocated: only the length is looked at.
    const huge = { length: PAYLOAD_BYTES_MAX + 1 } as Uint8Array
    expect(codeOf(() => checkTraces(huge))).toBe('OTLP_TOO_LARGE')
  })
})
