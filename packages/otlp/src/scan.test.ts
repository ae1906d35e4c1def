import { describe, expect, it } from 'vitest'
import { checkTraces } from './check.ts'
import { decodeResource, decodeScope, decodeSpan } from './decode.ts'
import { spanIdOfRow, traceIdOfRow } from './ids.ts'
import {
  decodedSpanOf,
  decodeRequest,
  hasValidIds,
  hexOf,
  lastText,
  nanosOf,
  resourceTexts,
  spansOf
} from './reference.testkit.ts'
import { createScanner, UNKNOWN_SERVICE } from './scan.ts'
import { ROWS_KEPT_MAX } from './span-rows.ts'
import { NO_STRING, OVERFLOW_TEXT, StringTable } from './string-table.ts'
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

const WANTED = ['http.route', 'http.response.status_code', 'k', '', 'absent', 'http.request.method']
const LIMITS = { stringsMax: 10_000, bytesMax: 1 << 20, stringBytesMax: 4096 }

function text(value: string): number[] {
  return [...Buffer.from(value)]
}

/** A span with ids 1 and 2, and these further fields. */
function spanBytes(...fields: number[][]): number[] {
  const traceId = lengthDelimited(1, [...new Uint8Array(15), 1])
  const spanId = lengthDelimited(2, [...new Uint8Array(7), 2])
  return [...traceId, ...spanId, ...fields.flat()]
}

function keyValue(key: string, ...values: number[][]): number[] {
  const fields = values.map((value) => lengthDelimited(2, value))
  return [...lengthDelimited(1, text(key)), ...fields.flat()]
}

function requestOf(...spans: number[][]): Uint8Array {
  const scopeSpans = spans.flatMap((span) => lengthDelimited(2, span))
  return Uint8Array.from(lengthDelimited(1, lengthDelimited(2, scopeSpans)))
}

describe(`scan, decode and check against protobufjs, SEED=${SEED}`, () => {
  it(
    'say the same of random requests with fields in any order',
    () => {
      const random = new Random(SEED)
      const strings = new StringTable(LIMITS)
      const scanner = createScanner(WANTED, strings)
      let spanCount = 0
      for (let round = 0; round < 400 * ROUNDS; round++) {
        const payload = Uint8Array.from(encodeFreely(requestType, randomRequest(random), random))
        const reference = spansOf(decodeRequest(payload))
        const valid = reference.filter(hasValidIds)

        const check = checkTraces(payload)
        expect(check.spanCount).toBe(reference.length)
        expect(check.rejectedSpans).toBe(reference.length - valid.length)
        expect(check.rejectedReason === undefined).toBe(check.rejectedSpans === 0)

        const rows = scanner.scan(payload)
        expect(rows.count).toBe(valid.length)
        for (const [row, { span, resource, scope }] of valid.entries()) {
          expect(traceIdOfRow(rows.traceId, row)).toBe(hexOf(span.traceId))
          expect(spanIdOfRow(rows.spanId, row)).toBe(hexOf(span.spanId))
          const parent = hexOf(span.parentSpanId) || '0'.repeat(16)
          expect(spanIdOfRow(rows.parentSpanId, row)).toBe(parent)
          const start = nanosOf(span.startTimeUnixNano)
          expect(rows.startUnixMs[row]).toBe(Number(start) / 1e6)
          expect(rows.durationNano[row]).toBe(Number(nanosOf(span.endTimeUnixNano) - start))
          expect(rows.kind[row]).toBe(span.kind)
          expect(rows.status[row]).toBe(span.status?.code ?? 0)
          expect(rows.flags[row]).toBe(span.flags)
          expect(strings.text(rows.name[row]!)).toBe(span.name)
          const service = lastText(resource?.attributes ?? [], 'service.name') || UNKNOWN_SERVICE
          expect(strings.text(rows.service[row]!)).toBe(service)
          for (const [column, key] of WANTED.entries()) {
            const id = rows.attributes[column]![row]!
            const found = id === NO_STRING ? undefined : strings.text(id)
            expect(found).toBe(lastText(span.attributes, key))
          }
          expect(decodeSpan(payload, rows.spanOffset[row]!, rows.spanLength[row]!)).toEqual(
            decodedSpanOf(span)
          )
          const { attributes } = decodeResource(
            payload,
            rows.resourceOffset[row]!,
            rows.resourceLength[row]!
          )
          expect(attributes).toEqual(resourceTexts(resource))
          expect(decodeScope(payload, rows.scopeOffset[row]!, rows.scopeLength[row]!)).toEqual({
            name: scope?.name ?? '',
            version: scope?.version ?? ''
          })
        }
        spanCount += valid.length
      }
      // The generator has not degenerated.
      expect(spanCount).toBeGreaterThan(500)
    },
    ROUNDS_TIMEOUT_MS
  )
})

describe('scan', () => {
  const strings = new StringTable(LIMITS)
  const scanner = createScanner(WANTED, strings)
  const route = WANTED.indexOf('http.route')

  it('reads an empty payload as no spans', () => {
    expect(scanner.scan(new Uint8Array(0)).count).toBe(0)
    expect(checkTraces(new Uint8Array(0))).toEqual({ spanCount: 0, rejectedSpans: 0 })
  })

  it('takes the last of repeated resources, scopes, attributes, values and members', () => {
    const resource = (name: string) => {
      return lengthDelimited(
        1,
        lengthDelimited(1, keyValue('service.name', lengthDelimited(1, text(name))))
      )
    }
    const scope = (name: string) => lengthDelimited(1, lengthDelimited(1, text(name)))
    const span = spanBytes(
      lengthDelimited(9, keyValue('http.route', lengthDelimited(1, text('a')))),
      lengthDelimited(
        9,
        keyValue('http.route', lengthDelimited(1, text('b')), [
          ...lengthDelimited(1, text('c')),
          ...[0x18, 5]
        ])
      )
    )
    const scopeSpans = [...scope('one'), ...lengthDelimited(2, span), ...scope('two')]
    const payload = Uint8Array.from(
      lengthDelimited(1, [
        ...resource('first'),
        ...lengthDelimited(2, scopeSpans),
        ...resource('last')
      ])
    )
    expect(checkTraces(payload).spanCount).toBe(1)
    const rows = scanner.scan(payload)
    expect(strings.text(rows.service[0]!)).toBe('last')
    expect(strings.text(rows.attributes[route]![0]!)).toBe('5')
    expect(decodeScope(payload, rows.scopeOffset[0]!, rows.scopeLength[0]!).name).toBe('two')
    const decoded = decodeSpan(payload, rows.spanOffset[0]!, rows.spanLength[0]!)
    expect(decoded.attributes.map((attribute) => attribute.text)).toEqual(['a', '5'])
  })

  it('does not carry anything from one scan to the next', () => {
    const full = spanBytes(
      lengthDelimited(4, [...new Uint8Array(7), 9]),
      lengthDelimited(5, text('full')),
      [0x30, 2],
      lengthDelimited(9, keyValue('http.route', lengthDelimited(1, text('/x')))),
      lengthDelimited(15, [0x18, 2])
    )
    expect(scanner.scan(requestOf(full)).status[0]).toBe(2)
    const rows = scanner.scan(requestOf(spanBytes()))
    expect(rows.count).toBe(1)
    expect(rows.parentSpanId[1]).toBe(0)
    expect(strings.text(rows.name[0]!)).toBe('')
    expect(rows.kind[0]).toBe(0)
    expect(rows.status[0]).toBe(0)
    expect(rows.flags[0]).toBe(0)
    expect(rows.durationNano[0]).toBe(0)
    expect(rows.attributes[route]![0]).toBe(NO_STRING)
  })

  it('reads kinds and status codes that OTLP does not know as 0, as the decoder does', () => {
    for (const [number, known] of [
      [5, 5],
      [6, 0],
      [257, 0],
      [-1, 0]
    ] as const) {
      const payload = requestOf(spanBytes([0x30, ...varintOf(BigInt.asUintN(64, BigInt(number)))]))
      const rows = scanner.scan(payload)
      expect(rows.kind[0]).toBe(known)
      expect(decodeSpan(payload, rows.spanOffset[0]!, rows.spanLength[0]!).kind).toBe(known)
    }
    for (const [number, known] of [
      [2, 2],
      [3, 0]
    ] as const) {
      const payload = requestOf(spanBytes(lengthDelimited(15, [0x18, number])))
      expect(scanner.scan(payload).status[0]).toBe(known)
    }
  })

  it('grows with the payload, and lets go of what only a huge one needed', () => {
    const spans = Array.from({ length: ROWS_KEPT_MAX + 1 }, () => spanBytes())
    const rows = scanner.scan(requestOf(...spans))
    expect(rows.count).toBe(ROWS_KEPT_MAX + 1)
    expect(traceIdOfRow(rows.traceId, ROWS_KEPT_MAX)).toBe(`${'0'.repeat(31)}1`)
    expect(rows.attributes[route]![ROWS_KEPT_MAX]).toBe(NO_STRING)
    expect(scanner.scan(requestOf(spanBytes())).name.length).toBeLessThan(ROWS_KEPT_MAX)
  })

  it('says overflow for names that found no room, and counts each', () => {
    const few = new StringTable({ stringsMax: 5, bytesMax: 1000, stringBytesMax: 100 })
    const bounded = createScanner(['k'], few)
    const span = (name: string, int: number) => {
      return spanBytes(
        lengthDelimited(5, text(name)),
        lengthDelimited(9, keyValue('k', [0x18, ...varintOf(int)]))
      )
    }
    // The overflow text, '', 'unknown_service', '7'; 'a' is the last one in.
    const rows = bounded.scan(requestOf(span('a', 7), span('b', 7), span('a', 1024)))
    expect([0, 1, 2].map((row) => few.text(rows.name[row]!))).toEqual(['a', OVERFLOW_TEXT, 'a'])
    const attributes = [0, 1, 2].map((row) => few.text(rows.attributes[0]![row]!))
    expect(attributes).toEqual(['7', '7', OVERFLOW_TEXT])
    expect(few.overflowed).toBe(2)
    bounded.scan(requestOf(span('a', 8), span('a', 8)))
    expect(few.overflowed).toBe(4)
  })

  it('refuses a key that is wanted twice', () => {
    expect(() => createScanner(['a', 'b', 'a'], strings)).toThrow(RangeError)
  })
})
