/**
 * Random OTLP requests, for tests that compare with protobufjs:
 *
 *   randomRequest ─→ plain objects ─ encodeFreely ─→ bytes ─→ the code under test
 *                          │                           └───→ protobufjs ─→ what must come out
 *                          └ jsonOf ─→ OTLP/JSON
 *
 * `encodeFreely` writes what a legal but unusual sender would: fields of all levels in any order,
 * unknown fields in between, scalars twice, varints longer than needed.
 */
import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'

export const root: protobuf.Root = protobuf.loadSync(
  fileURLToPath(new URL('../proto/traces.proto', import.meta.url))
)
export const requestType: protobuf.Type = root.lookupType('ExportTraceServiceRequest')

/** ROUNDS=20 looks twenty times longer than everyday tests do. */
export const ROUNDS: number = Number(process.env.ROUNDS ?? 1)
export const ROUNDS_TIMEOUT_MS: number = 60_000 * ROUNDS

/** SEED=… repeats a run. */
export const SEED: number = Number(process.env.SEED ?? Math.trunc(Math.random() * 2 ** 31))

export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** 0 … 1, exclusive (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b_79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** 0 … count - 1. */
  below(count: number): number {
    return Math.trunc(this.next() * count)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256))
  }

  shuffle<Item>(items: Item[]): Item[] {
    for (let index = items.length - 1; index > 0; index--) {
      const other = this.below(index + 1)
      ;[items[index], items[other]] = [items[other]!, items[index]!]
    }
    return items
  }
}

export type Plain = Record<string, unknown>

const KEYS = ['http.route', 'http.request.method', 'http.response.status_code', 'k', '', 'ключ']
const TEXTS = [
  '',
  'GET',
  '/orders/:id',
  'Zürich',
  '日本語',
  '😀 ok',
  'x'.repeat(130),
  '\u0000\ufeff'
]
const INTS = [0n, 1n, 200n, 1023n, 1024n, -1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]
const DOUBLES = [0, 1.5, -0.1, 1e21, 5e-324, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]
const NANOS = [0n, 1n, 1_700_000_000_123_456_789n, 1_700_000_000_123_999_999n, 2n ** 64n - 1n]

export function randomRequest(random: Random): Plain {
  return { resourceSpans: listOf(random, 3, () => randomResourceSpans(random)) }
}

function randomResourceSpans(random: Random): Plain {
  const resource: Plain = {
    attributes: [...randomAttributes(random), ...randomServiceName(random)],
    droppedAttributesCount: random.below(3)
  }
  return {
    ...(random.chance(0.85) && { resource }),
    scopeSpans: listOf(random, 3, () => randomScopeSpans(random)),
    schemaUrl: random.pick(TEXTS)
  }
}

function randomServiceName(random: Random): Plain[] {
  if (random.chance(0.2)) return []
  const value = random.chance(0.8)
    ? { stringValue: random.pick(['shop', 'cart', '']) }
    : randomValue(random, 3)
  return [{ key: 'service.name', value }]
}

function randomScopeSpans(random: Random): Plain {
  const scope = {
    name: random.pick(TEXTS),
    version: random.pick(TEXTS),
    attributes: randomAttributes(random)
  }
  return {
    ...(random.chance(0.85) && { scope }),
    spans: listOf(random, 5, () => randomSpan(random)),
    schemaUrl: random.pick(TEXTS)
  }
}

function randomSpan(random: Random): Plain {
  const parents = [8, 8, 8, 0, 0, 3]
  const span: Plain = {
    traceId: random.chance(0.9) ? random.bytes(16) : oddId(random, 16),
    spanId: random.chance(0.9) ? random.bytes(8) : oddId(random, 8),
    parentSpanId: random.chance(0.1) ? new Uint8Array(8) : random.bytes(random.pick(parents)),
    traceState: random.pick(TEXTS),
    name: random.pick(TEXTS),
    kind: random.below(6),
    startTimeUnixNano: random.pick(NANOS),
    endTimeUnixNano: random.pick(NANOS),
    attributes: randomAttributes(random),
    droppedAttributesCount: random.pick([0, 1, 2 ** 32 - 1]),
    events: listOf(random, 2, () => ({
      timeUnixNano: random.pick(NANOS),
      name: random.pick(TEXTS),
      attributes: randomAttributes(random),
      droppedAttributesCount: random.below(2)
    })),
    droppedEventsCount: random.below(2),
    links: listOf(random, 2, () => ({
      traceId: random.bytes(16),
      spanId: random.bytes(8),
      traceState: random.pick(TEXTS),
      attributes: randomAttributes(random),
      flags: random.pick([0, 257, 2 ** 32 - 1])
    })),
    droppedLinksCount: random.below(2),
    ...(random.chance(0.8) && { status: { code: random.below(3), message: random.pick(TEXTS) } }),
    flags: random.pick([0, 1, 0x301, 2 ** 32 - 1])
  }
  // Any field may be missing.
  for (const name of Object.keys(span)) if (random.chance(0.03)) delete span[name]
  return span
}

function oddId(random: Random, length: number): Uint8Array {
  return random.pick([
    new Uint8Array(length),
    new Uint8Array(0),
    random.bytes(length - 1),
    random.bytes(length + 1)
  ])
}

function randomAttributes(random: Random): Plain[] {
  return listOf(random, 6, () => ({
    key: random.pick(KEYS),
    ...(random.chance(0.95) && { value: randomValue(random, 3) })
  }))
}

function randomValue(random: Random, deeper: number): Plain {
  switch (random.below(deeper > 0 ? 9 : 6)) {
    case 0:
      return { boolValue: random.chance(0.5) }
    case 1:
      return { intValue: random.pick(INTS) }
    case 2:
      return { doubleValue: random.pick(DOUBLES) }
    case 3:
      return { bytesValue: random.bytes(random.below(5)) }
    case 4:
      return {}
    case 6:
      return { arrayValue: { values: listOf(random, 3, () => randomValue(random, deeper - 1)) } }
    case 7:
      return {
        kvlistValue: {
          values: listOf(random, 3, () => ({
            key: random.pick(KEYS),
            value: randomValue(random, deeper - 1)
          }))
        }
      }
    default:
      return { stringValue: random.pick(TEXTS) }
  }
}

function listOf(random: Random, countMax: number, make: () => Plain): Plain[] {
  return Array.from({ length: random.below(countMax + 1) }, make)
}

/** The bytes of `message`, written as freely as protobuf allows. */
export function encodeFreely(type: protobuf.Type, message: Plain, random: Random): number[] {
  const pieces: number[][] = []
  for (const field of type.fieldsArray) {
    field.resolve()
    const value = message[field.name]
    if (value === undefined) continue
    const items = field.repeated ? (value as unknown[]) : [value]
    for (const item of items) pieces.push(encodeField(field, item, random))
    // A second, other value: which one is last is up to the shuffle.
    if (field.type === 'string' && random.chance(0.05)) {
      pieces.push(encodeField(field, random.pick(TEXTS), random))
    }
  }
  if (random.chance(0.1)) pieces.push(unknownField(random))
  return random.shuffle(pieces).flat()
}

function encodeField(field: protobuf.Field, value: unknown, random: Random): number[] {
  const content = contentOf(field, value, random)
  const wireType = { fixed64: 1, double: 1, fixed32: 5 }[field.type]
  if (wireType !== undefined) return [...tagOf(field.id, wireType, random), ...content]
  const isVarint =
    field.resolvedType instanceof protobuf.Enum || ['bool', 'int64', 'uint32'].includes(field.type)
  if (isVarint) return [...tagOf(field.id, 0, random), ...content]
  return [
    ...tagOf(field.id, 2, random),
    ...freeVarint(BigInt(content.length), random, 5),
    ...content
  ]
}

function contentOf(field: protobuf.Field, value: unknown, random: Random): number[] {
  if (field.resolvedType instanceof protobuf.Type) {
    return encodeFreely(field.resolvedType, value as Plain, random)
  }
  const view = new DataView(new ArrayBuffer(8))
  switch (field.type) {
    case 'string':
      return [...Buffer.from(value as string)]
    case 'bytes':
      return [...(value as Uint8Array)]
    case 'fixed64':
      view.setBigUint64(0, value as bigint, true)
      return [...new Uint8Array(view.buffer)]
    case 'double':
      view.setFloat64(0, value as number, true)
      return [...new Uint8Array(view.buffer)]
    case 'fixed32':
      view.setUint32(0, value as number, true)
      return [...new Uint8Array(view.buffer, 0, 4)]
    default:
      return freeVarint(BigInt.asUintN(64, BigInt(value as number | bigint | boolean)), random)
  }
}

function tagOf(field: number, wireType: number, random: Random): number[] {
  return freeVarint(BigInt((field << 3) | wireType), random, 5)
}

/** protobufjs reads tags and lengths of up to five bytes; all other numbers may have ten. */
function freeVarint(value: bigint, random: Random, bytesMax = 10): number[] {
  const encoded = varintOf(value)
  if (random.chance(0.9)) return encoded
  const length = encoded.length + random.below(bytesMax + 1 - encoded.length)
  while (encoded.length < length) {
    encoded[encoded.length - 1]! |= 0x80
    encoded.push(0)
  }
  return encoded
}

/** The shortest varint. */
export function varintOf(value: bigint | number): number[] {
  const encoded: number[] = []
  let rest = BigInt(value)
  do {
    const more = rest > 0x7fn
    encoded.push(Number(rest & 0x7fn) | (more ? 0x80 : 0))
    rest >>= 7n
  } while (rest > 0n)
  return encoded
}

/** A length-delimited field around `content`. */
export function lengthDelimited(field: number, content: readonly number[]): number[] {
  return [...varintOf((field << 3) | 2), ...varintOf(content.length), ...content]
}

function unknownField(random: Random): number[] {
  const field = 100 + random.below(20_000)
  switch (random.below(4)) {
    case 0:
      return [...varintOf(field << 3), ...varintOf(random.pick([0n, 300n, 2n ** 64n - 1n]))]
    case 1:
      return [...varintOf((field << 3) | 1), ...random.bytes(8)]
    case 2:
      return lengthDelimited(field, [...random.bytes(random.below(200))])
    default:
      return [...varintOf((field << 3) | 5), ...random.bytes(4)]
  }
}
