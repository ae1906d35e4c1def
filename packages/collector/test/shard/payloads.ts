/** Spans as plain objects, and OTLP payloads of them, for tests of the shard. */
import {
  cellOf,
  METRIC_OVERFLOW,
  packCells,
  SPAN_KIND,
  SPAN_KIND_NAMES,
  SPAN_NAME,
  SPAN_STATS_METRIC,
  SPANS_COUNTED,
  STATS_CELLS,
  STATS_SEQUENCE,
  STATS_STREAM,
  STATUS_CODE,
  STATUS_CODE_NAMES,
  Temporality,
  WireWriter
} from '@spanloom/otlp'

export const KIND = { INTERNAL: 1, SERVER: 2, CLIENT: 3, PRODUCER: 4, CONSUMER: 5 } as const

export interface TestSpan {
  /** 32 hex digits. */
  readonly traceId: string
  /** 16 hex digits. */
  readonly spanId: string
  readonly parentSpanId?: string
  readonly service: string
  readonly name: string
  readonly kind: number
  readonly status?: number
  readonly startUnixMs: number
  readonly durationMs: number
  readonly attributes?: Readonly<Record<string, string | number | Uint8Array>>
  /** Its resource says that it was counted in its process. All spans of a service are of one mind. */
  readonly counted?: boolean
  /** Its parent is in another process. */
  readonly remoteParent?: boolean
}

/** One ResourceSpans for each service, in the order of the spans. */
export function encodePayload(spans: readonly TestSpan[]): Uint8Array {
  const writer = new WireWriter(4096)
  for (const service of new Set(spans.map((span) => span.service))) {
    message(writer, 1, () => {
      const own = spans.filter((span) => span.service === service)
      message(writer, 1, () => {
        attribute(writer, 1, 'service.name', service)
        if (own[0]!.counted !== undefined) attribute(writer, 1, SPANS_COUNTED, own[0]!.counted)
      })
      message(writer, 2, () => {
        message(writer, 1, () => text(writer, 1, 'test'))
        for (const span of own) message(writer, 2, () => writeSpan(writer, span))
      })
    })
  }
  return writer.take().slice()
}

function writeSpan(writer: WireWriter, span: TestSpan): void {
  bytes(writer, 1, hexBytes(span.traceId))
  bytes(writer, 2, hexBytes(span.spanId))
  if (span.parentSpanId !== undefined) bytes(writer, 4, hexBytes(span.parentSpanId))
  text(writer, 5, span.name)
  writer.tag(6, 0)
  writer.varint(span.kind)
  const start = BigInt(Math.round(span.startUnixMs * 1000)) * 1000n
  time(writer, 7, start)
  time(writer, 8, start + BigInt(Math.round(span.durationMs * 1e6)))
  for (const [key, value] of Object.entries(span.attributes ?? {})) attribute(writer, 9, key, value)
  if (span.status !== undefined) {
    message(writer, 15, () => {
      writer.tag(3, 0)
      writer.varint(span.status!)
    })
  }
  if (span.remoteParent !== undefined) {
    writer.tag(16, 5)
    writer.fixed32(0x100 | (span.remoteParent ? 0x200 : 0))
  }
}

export interface TestPoint {
  readonly name: string
  readonly kind: number
  readonly status?: number
  readonly overflow?: boolean
  readonly startUnixMs: number
  readonly durationsNano: readonly number[]
}

/** A payload of spans that their process has counted. */
export function encodeStats(
  service: string,
  stream: string,
  sequence: number,
  points: readonly TestPoint[]
): Uint8Array {
  const writer = new WireWriter(4096)
  message(writer, 1, () => {
    message(writer, 1, () => attribute(writer, 1, 'service.name', service))
    message(writer, 2, () => {
      message(writer, 2, () => {
        text(writer, 1, SPAN_STATS_METRIC)
        message(writer, 10, () => {
          for (const point of points) message(writer, 1, () => writePoint(writer, point))
          writer.tag(2, 0)
          writer.varint(Temporality.DELTA)
        })
        attribute(writer, 12, STATS_STREAM, stream)
        attribute(writer, 12, STATS_SEQUENCE, sequence)
        attribute(writer, 12, STATS_CELLS, packCells(points.map(cellsOf)))
      })
    })
  })
  return writer.take().slice()
}

function writePoint(writer: WireWriter, point: TestPoint): void {
  const { name, kind, status = 0, overflow = false, startUnixMs, durationsNano } = point
  if (overflow) attribute(writer, 1, METRIC_OVERFLOW, true)
  else attribute(writer, 1, SPAN_NAME, name)
  attribute(writer, 1, SPAN_KIND, `SPAN_KIND_${SPAN_KIND_NAMES[kind]}`)
  attribute(writer, 1, STATUS_CODE, `STATUS_CODE_${STATUS_CODE_NAMES[status]}`)
  time(writer, 2, BigInt(startUnixMs) * 1_000_000n)
  time(writer, 4, BigInt(durationsNano.length))
  writer.tag(5, 1)
  writer.double(durationsNano.reduce((sum, nano) => sum + nano, 0) / 1e9)
}

function cellsOf({ durationsNano }: TestPoint): number[] {
  const counts = new Map<number, number>()
  for (const nano of durationsNano) counts.set(cellOf(nano), (counts.get(cellOf(nano)) ?? 0) + 1)
  return [...counts].flat()
}

function attribute(
  writer: WireWriter,
  field: number,
  key: string,
  value: string | number | boolean | Uint8Array
): void {
  message(writer, field, () => {
    text(writer, 1, key)
    message(writer, 2, () => {
      if (typeof value === 'string') {
        text(writer, 1, value)
      } else if (typeof value === 'boolean') {
        writer.tag(2, 0)
        writer.varint(value ? 1 : 0)
      } else if (typeof value !== 'number') {
        bytes(writer, 7, value)
      } else {
        writer.tag(3, 0)
        writer.int64(value)
      }
    })
  })
}

function message(writer: WireWriter, field: number, content: () => void): void {
  writer.tag(field, 2)
  const slot = writer.openSlot()
  content()
  writer.closeSlot(slot)
}

function text(writer: WireWriter, field: number, value: string): void {
  writer.tag(field, 2)
  writer.string(value)
}

function bytes(writer: WireWriter, field: number, value: Uint8Array): void {
  writer.tag(field, 2)
  writer.lengthDelimited(value)
}

function time(writer: WireWriter, field: number, nano: bigint): void {
  writer.tag(field, 1)
  writer.fixed64(Number(nano >> 32n), Number(nano & 0xffff_ffffn))
}

export function hexBytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

/** mulberry32: small, seeded, good enough to shuffle with. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export function randomHex(random: () => number, digits: number): string {
  let hex = ''
  while (hex.length < digits) hex += Math.floor(random() * 16).toString(16)
  return /^0*$/.test(hex) ? `1${hex.slice(1)}` : hex
}
