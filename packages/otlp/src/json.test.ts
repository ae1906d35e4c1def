import { describe, expect, it } from 'vitest'
import { checkTraces } from './check.ts'
import { OtlpError } from './errors.ts'
import { tracesJsonToProtobuf } from './json.ts'
import { VALUE_DEPTH_MAX } from './messages.ts'
import { decodeRequest, hexOf, normalized } from './reference.testkit.ts'
import {
  type Plain,
  Random,
  ROUNDS,
  ROUNDS_TIMEOUT_MS,
  randomRequest,
  requestType,
  SEED
} from './traces.testkit.ts'
import { SPAN_KIND_NAMES, STATUS_CODE_NAMES } from './words.ts'

const HEX_NAMES = new Set(['traceId', 'spanId', 'parentSpanId'])

/** The request as a sender's JSON, with each of the spellings that the mapping allows. */
function jsonOf(value: unknown, name: string, random: Random): unknown {
  if (value instanceof Uint8Array) {
    if (HEX_NAMES.has(name)) {
      return random.chance(0.5) ? hexOf(value) : hexOf(value).toUpperCase()
    }
    return Buffer.from(value).toString(random.chance(0.5) ? 'base64' : 'base64url')
  }
  if (typeof value === 'bigint') {
    return Number.isSafeInteger(Number(value)) && random.chance(0.5) ? Number(value) : `${value}`
  }
  if (typeof value === 'number') {
    if (name === 'kind' && random.chance(0.5)) return `SPAN_KIND_${SPAN_KIND_NAMES[value]}`
    if (name === 'code' && random.chance(0.5)) return `STATUS_CODE_${STATUS_CODE_NAMES[value]}`
    const isText = !Number.isFinite(value) || random.chance(0.2)
    return isText && name !== 'kind' && name !== 'code' ? String(value) : value
  }
  if (Array.isArray(value)) return value.map((item) => jsonOf(item, name, random))
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, item]) => [key, jsonOf(item, key, random)])
    if (random.chance(0.1)) entries.push(['fieldOfTomorrow', { a: [1] }])
    if (!('schemaUrl' in value) && random.chance(0.1)) entries.push(['schemaUrl', null])
    return Object.fromEntries(random.shuffle(entries))
  }
  return value
}

/** Ids of any length are possible in protobuf, not in JSON. */
function withHexIds(message: unknown): unknown {
  if (Array.isArray(message)) return message.map(withHexIds)
  if (typeof message !== 'object' || message === null || message instanceof Uint8Array) {
    return message
  }
  return Object.fromEntries(
    Object.entries(message).map(([name, value]) => {
      if (!HEX_NAMES.has(name)) return [name, withHexIds(value)]
      const length = name === 'traceId' ? 16 : 8
      const id = value as Uint8Array
      return [name, id.length === length || id.length === 0 ? id : new Uint8Array(length).fill(7)]
    })
  )
}

/** protobufjs takes 64-bit numbers as text. */
function withLongTexts(message: unknown): unknown {
  if (typeof message === 'bigint') return String(message)
  if (Array.isArray(message)) return message.map(withLongTexts)
  if (typeof message !== 'object' || message === null || message instanceof Uint8Array) {
    return message
  }
  return Object.fromEntries(
    Object.entries(message).map(([name, value]) => [name, withLongTexts(value)])
  )
}

function errorOf(json: unknown): string {
  try {
    tracesJsonToProtobuf(json)
  } catch (error) {
    if (error instanceof OtlpError) return `${error.code}: ${error.message}`
    throw error
  }
  return 'accepted'
}

/** A request whose fourth span has these fields. */
function withSpan(fields: Plain): Plain {
  return { resourceSpans: [{ scopeSpans: [{ spans: [{}, {}, {}, fields] }] }] }
}

function spanOf(fields: Plain): Plain {
  const request = decodeRequest(tracesJsonToProtobuf(withSpan(fields)))
  return request.resourceSpans[0].scopeSpans[0].spans[3]
}

function attributeOf(value: unknown): Plain {
  return (spanOf({ attributes: [{ key: 'k', value }] }).attributes as Plain[])[0]!.value as Plain
}

const SPAN = 'resourceSpans[0].scopeSpans[0].spans[3]'

describe(`tracesJsonToProtobuf, SEED=${SEED}`, () => {
  it(
    'says what protobufjs says of random requests, in every spelling',
    () => {
      const random = new Random(SEED)
      for (let round = 0; round < 400 * ROUNDS; round++) {
        const request = withHexIds(randomRequest(random)) as Plain
        // Through text, as it comes from the wire.
        const json = JSON.parse(JSON.stringify(jsonOf(request, '', random)))
        const payload = tracesJsonToProtobuf(json)
        const expected = requestType
          .encode(requestType.fromObject(withLongTexts(request) as Plain))
          .finish()
        expect(normalized(decodeRequest(payload))).toEqual(normalized(decodeRequest(expected)))
        expect(checkTraces(payload)).toEqual(checkTraces(expected))
      }
    },
    ROUNDS_TIMEOUT_MS
  )

  it('reads an empty object as no spans, and null as absent', () => {
    expect(checkTraces(tracesJsonToProtobuf({})).spanCount).toBe(0)
    expect(checkTraces(tracesJsonToProtobuf({ resourceSpans: null })).spanCount).toBe(0)
    expect(
      checkTraces(tracesJsonToProtobuf(withSpan({ status: null, name: null }))).spanCount
    ).toBe(4)
  })

  it.each([
    [{ traceId: 'abc' }, `${SPAN}.traceId must be 32 hex digits.`],
    [{ traceId: 'g'.repeat(32) }, `${SPAN}.traceId must be 32 hex digits.`],
    [{ traceId: 'a'.repeat(31) }, `${SPAN}.traceId must be 32 hex digits.`],
    [{ traceId: 'a'.repeat(33) }, `${SPAN}.traceId must be 32 hex digits.`],
    [{ traceId: 5 }, `${SPAN}.traceId must be 32 hex digits.`],
    [{ spanId: 'a'.repeat(32) }, `${SPAN}.spanId must be 16 hex digits.`],
    [{ parentSpanId: 'a' }, `${SPAN}.parentSpanId must be 16 hex digits.`],
    [{ name: 5 }, `${SPAN}.name must be a string.`],
    [
      { kind: 'SERVER' },
      `${SPAN}.kind must be an integer, or a name such as "SPAN_KIND_CONSUMER".`
    ],
    [{ kind: 1.5 }, `${SPAN}.kind must be an integer, or a name such as "SPAN_KIND_CONSUMER".`],
    [
      { startTimeUnixNano: '1.5' },
      `${SPAN}.startTimeUnixNano must be an integer of 0 to 2^64 - 1.`
    ],
    [{ startTimeUnixNano: '' }, `${SPAN}.startTimeUnixNano must be an integer of 0 to 2^64 - 1.`],
    [{ startTimeUnixNano: -1 }, `${SPAN}.startTimeUnixNano must be an integer of 0 to 2^64 - 1.`],
    [
      { startTimeUnixNano: '0x10' },
      `${SPAN}.startTimeUnixNano must be an integer of 0 to 2^64 - 1.`
    ],
    [
      { endTimeUnixNano: '18446744073709551616' },
      `${SPAN}.endTimeUnixNano must be an integer of 0 to 2^64 - 1.`
    ],
    [{ flags: 2 ** 32 }, `${SPAN}.flags must be an integer of 0 to 2^32 - 1.`],
    [{ attributes: {} }, `${SPAN}.attributes must be an array.`],
    [{ attributes: [null] }, `${SPAN}.attributes[0] must be an object.`],
    [{ events: [{}, { name: [] }] }, `${SPAN}.events[1].name must be a string.`],
    [{ status: 2 }, `${SPAN}.status must be an object.`],
    [
      { attributes: [{ key: 'k', value: 'text' }] },
      `${SPAN}.attributes[0].value must be an object such as {"stringValue": "…"}.`
    ],
    [
      { attributes: [{ value: { intValue: '9223372036854775808' } }] },
      `${SPAN}.attributes[0].value.intValue must be a 64-bit integer, best as a string.`
    ],
    [
      { attributes: [{ value: { intValue: 1.5 } }] },
      `${SPAN}.attributes[0].value.intValue must be a 64-bit integer, best as a string.`
    ],
    [
      { attributes: [{ value: { boolValue: 'true' } }] },
      `${SPAN}.attributes[0].value.boolValue must be true or false.`
    ],
    [
      { attributes: [{ value: { doubleValue: 'many' } }] },
      `${SPAN}.attributes[0].value.doubleValue must be a number, "NaN", "Infinity" or "-Infinity".`
    ],
    [
      { attributes: [{ value: { bytesValue: 'a*' } }] },
      `${SPAN}.attributes[0].value.bytesValue must be base64.`
    ],
    [
      { attributes: [{ value: { arrayValue: { values: [{ bytesValue: 'abcde' }] } } }] },
      `${SPAN}.attributes[0].value.arrayValue.values[0].bytesValue must be base64.`
    ]
  ])('refuses %j with its path', (fields, message) => {
    expect(errorOf(withSpan(fields))).toBe(`OTLP_JSON_VALUE: ${message}`)
  })

  it.each([[null], [[]], ['{}'], [5], [undefined]])('refuses a body that is %j', (body) => {
    expect(errorOf(body)).toBe('OTLP_JSON_VALUE: The body must be a JSON object.')
  })

  it('accepts the last 64-bit numbers of each kind', () => {
    const span = spanOf({
      startTimeUnixNano: '18446744073709551615',
      endTimeUnixNano: 1_700_000_000_000_000_000,
      flags: 2 ** 32 - 1
    })
    expect(String(span.startTimeUnixNano)).toBe('18446744073709551615')
    expect(String(span.endTimeUnixNano)).toBe('1700000000000000000')
    expect(span.flags).toBe(2 ** 32 - 1)
    expect(String(attributeOf({ intValue: '9223372036854775807' }).intValue)).toBe(
      '9223372036854775807'
    )
    expect(String(attributeOf({ intValue: '-9223372036854775808' }).intValue)).toBe(
      '-9223372036854775808'
    )
    expect(attributeOf({ doubleValue: '-1.5e3' }).doubleValue).toBe(-1500)
  })

  it('writes lone surrogates as U+FFFD, so that the text stays UTF-8', () => {
    expect(attributeOf({ stringValue: 'a\ud800b' }).stringValue).toBe('a\ufffdb')
  })

  it('takes empty ids for absent ones, which the check then counts', () => {
    const payload = tracesJsonToProtobuf(withSpan({ traceId: '', spanId: '', parentSpanId: '' }))
    expect(checkTraces(payload)).toMatchObject({ spanCount: 4, rejectedSpans: 4 })
  })

  it('accepts values as deep as the limit and refuses one deeper', () => {
    const nested = (depth: number): Plain => {
      if (depth === 1) return { stringValue: 'x' }
      return depth % 2 === 0
        ? { arrayValue: { values: [nested(depth - 1)] } }
        : { kvlistValue: { values: [{ key: 'k', value: nested(depth - 1) }] } }
    }
    const json = (depth: number) => withSpan({ attributes: [{ value: nested(depth) }] })
    expect(checkTraces(tracesJsonToProtobuf(json(VALUE_DEPTH_MAX))).spanCount).toBe(4)
    expect(errorOf(json(VALUE_DEPTH_MAX + 1))).toMatch(
      /^OTLP_JSON_DEPTH: .*arrayValue\.values\[0\] is nested deeper than 32\. Flatten it\.$/
    )
    expect(errorOf(json(1000))).toMatch(/^OTLP_JSON_DEPTH/)
  })
})
