/**
 * Kept traces and metric deltas → RowBinary rows of `schema.ts`. Runs on a shard's thread: no file,
 * no socket, no clock. The same calls give the same bytes.
 *
 * The partition (`cut_block`) is known only when the batch is cut, so every row starts with four
 * bytes for it, and `take` fills them in.
 *
 * A span whose bytes cannot be decoded is dropped and counted (`spansUndecodable`): the receiver
 * has checked them, so it is always an error, and must not stop the shard that replays it.
 */
import {
  type DecodedSpan,
  decodeResource,
  decodeScope,
  decodeSpan,
  type KeyText
} from '@spanloom/otlp'
import type { TableRows } from '../../model/store-batch.ts'
import type {
  BatchEncoder,
  EdgeDelta,
  KeptSpan,
  KeptTrace,
  SpanMetricsDelta,
  SparseHistogram
} from '../batch-encoder.ts'
import { RowWriter } from './row-binary.ts'
import { BUCKET_SECONDS, CUT_BLOCK_MS, INSERT_ORDER } from './schema.ts'

/** 2100-01-01: what claims to be cut later has a wrong clock. */
const CUT_UNIX_MS_MAX = 4_102_444_800_000
const BUCKET_NANO = BigInt(BUCKET_SECONDS) * 1_000_000_000n
const UINT32_MAX = 0xffff_ffff

const ROOT_ITSELF = 0
const ROOT_EARLIEST = 1
const ROOT_LATE = 2
const STATUS_ERROR = 2

export interface RowBinaryEncoder extends BatchEncoder {
  /** Spans dropped because their bytes are no Span, since the encoder was made. */
  readonly spansUndecodable: number
}

export function createRowBinaryEncoder(): RowBinaryEncoder {
  return new Encoder()
}

/** One table's rows, and where each begins. */
class Rows {
  readonly writer = new RowWriter()
  readonly offsets: number[] = []

  begin(): RowWriter {
    this.offsets.push(this.writer.length)
    this.writer.uint32(0)
    return this.writer
  }

  take(table: string, cutBlock: number): TableRows {
    for (const offset of this.offsets) this.writer.patchUint32(offset, cutBlock)
    const rowCount = this.offsets.length
    this.offsets.length = 0
    return { table, rowCount, bytes: this.writer.take() }
  }
}

/** What one trace's spans add up to. */
interface Sums {
  start: bigint
  end: bigint
  spanCount: number
  errorCount: number
  hasRoot: boolean
}

class Encoder implements RowBinaryEncoder {
  readonly #rows: Readonly<Record<string, Rows>> = Object.fromEntries(
    INSERT_ORDER.map((table) => [table, new Rows()])
  )
  /** Resources of this batch, by hash. */
  readonly #resources = new Set<string>()
  /** Times that the batch speaks of, for a batch that is cut without being told the time. */
  readonly #times: number[] = []
  #rowCount = 0
  spansUndecodable = 0

  // The resource and scope of the span before, which is mostly that of the next span too. Payloads
  // are borrowed for one call, so this never outlives `addTrace`.
  #payload: Uint8Array | undefined
  #resourceOffset = -1
  #resourceId = 0n
  #scopeOffset = -1
  #scopeName = ''

  get rowCount(): number {
    return this.#rowCount
  }

  addTrace(trace: KeptTrace): void {
    const sums: Sums = { start: 0n, end: 0n, spanCount: 0, errorCount: 0, hasRoot: false }
    this.#payload = undefined
    for (const span of trace.spans) this.#addSpan(trace.traceId, span, sums)
    this.#payload = undefined
    if (sums.spanCount === 0) return
    this.#times.push(trace.startUnixMs)
    this.#addTraceRow(trace, sums)
  }

  addSpanMetrics(delta: SpanMetricsDelta): void {
    const row = this.#begin('red_10s')
    row.uint64(delta.stepUnixMs)
    row.text(delta.service)
    row.text(delta.operation)
    row.uint8(delta.kind)
    this.#measures(row, delta)
    this.#times.push(delta.stepUnixMs)
  }

  addEdge(delta: EdgeDelta): void {
    const row = this.#begin('edges_10s')
    row.uint64(delta.stepUnixMs)
    row.text(delta.clientType)
    row.text(delta.client)
    row.text(delta.serverType)
    row.text(delta.server)
    row.text(delta.connectionType)
    this.#measures(row, delta)
    row.hex(delta.exampleTraceId, 16)
    this.#times.push(delta.stepUnixMs)
  }

  take(cutUnixMs: number = median(this.#times)): readonly TableRows[] {
    const cutMs = cutUnixMs >= 0 && cutUnixMs <= CUT_UNIX_MS_MAX ? cutUnixMs : 0
    const tables: TableRows[] = []
    for (const table of INSERT_ORDER) {
      const rows = this.#rows[table]!
      if (rows.offsets.length > 0) tables.push(rows.take(table, Math.floor(cutMs / CUT_BLOCK_MS)))
    }
    this.#resources.clear()
    this.#times.length = 0
    this.#rowCount = 0
    return tables
  }

  #begin(table: string): RowWriter {
    this.#rowCount++
    return this.#rows[table]!.begin()
  }

  #addSpan(traceId: string, kept: KeptSpan, sums: Sums): void {
    let span: DecodedSpan
    try {
      this.#readResourceAndScope(kept)
      span = decodeSpan(kept.payload, kept.spanOffset, kept.spanLength)
    } catch {
      this.spansUndecodable++
      return
    }
    const start = span.startTimeUnixNano
    let end = span.endTimeUnixNano
    if (end < start) end = start
    const first = sums.spanCount === 0
    if (first || start < sums.start) sums.start = start
    if (first || end > sums.end) sums.end = end
    if (span.statusCode === STATUS_ERROR) sums.errorCount++
    if (span.parentSpanId === '') sums.hasRoot = true
    sums.spanCount++
    this.#spanRow(traceId, kept, span, end - start)
  }

  #spanRow(traceId: string, kept: KeptSpan, span: DecodedSpan, duration: bigint): void {
    const row = this.#begin('spans')
    row.uint32(Number(span.startTimeUnixNano / BUCKET_NANO))
    row.hex(traceId, 16)
    row.bigUint64(span.startTimeUnixNano)
    row.bigUint64(duration)
    row.uint64(kept.selfTimeNano)
    row.hex(span.spanId, 8)
    row.hex(span.parentSpanId, 8)
    row.text(kept.service)
    row.text(span.name)
    row.uint8(span.kind)
    row.uint8(span.statusCode)
    row.text(span.statusMessage)
    row.text(this.#scopeName)
    row.bigUint64(this.#resourceId)
    writeAttributes(row, span.attributes)
    const { events, links } = span
    row.count(events.length)
    for (const event of events) row.bigUint64(event.timeUnixNano)
    row.count(events.length)
    for (const event of events) row.text(event.name)
    row.count(events.length)
    for (const event of events) writeAttributes(row, event.attributes)
    row.count(links.length)
    for (const link of links) row.text(link.traceId)
    row.count(links.length)
    for (const link of links) row.text(link.spanId)
    row.count(links.length)
    for (const link of links) writeAttributes(row, link.attributes)
  }

  #addTraceRow(trace: KeptTrace, sums: Sums): void {
    const row = this.#begin('trace_parts')
    row.bigUint64(sums.start)
    row.bigUint64(sums.end)
    row.hex(trace.traceId, 16)
    row.uint8(trace.late ? 1 : 0)
    row.uint8(sums.hasRoot ? ROOT_ITSELF : trace.late ? ROOT_LATE : ROOT_EARLIEST)
    row.text(trace.rootService)
    row.text(trace.rootOperation)
    row.uint8(trace.rootStatus)
    row.uint32(Math.min(sums.spanCount, UINT32_MAX))
    row.uint32(Math.min(sums.errorCount, UINT32_MAX))
    row.count(trace.services.length)
    for (const service of trace.services) row.text(service)
    row.text(trace.keepReason)
    row.float64(trace.weight)
  }

  #readResourceAndScope(kept: KeptSpan): void {
    const { payload, resourceOffset, resourceLength, scopeOffset, scopeLength } = kept
    const samePayload = payload === this.#payload
    if (!samePayload || resourceOffset !== this.#resourceOffset) {
      this.#resourceId = this.#resource(payload, resourceOffset, resourceLength)
      this.#resourceOffset = resourceOffset
    }
    if (!samePayload || scopeOffset !== this.#scopeOffset) {
      this.#scopeName = scopeLength === 0 ? '' : decodeScope(payload, scopeOffset, scopeLength).name
      this.#scopeOffset = scopeOffset
    }
    this.#payload = payload
  }

  /** The resource's id; its row is written when this batch has none yet. */
  #resource(payload: Uint8Array, offset: number, length: number): bigint {
    if (length === 0) return 0n
    const id = hash64(payload, offset, length)
    const key = String(id)
    if (this.#resources.has(key)) return id
    const { attributes } = decodeResource(payload, offset, length)
    this.#resources.add(key)
    const row = this.#begin('resources')
    row.bigUint64(id)
    writeAttributes(row, attributes)
    return id
  }

  #measures(row: RowWriter, delta: SpanMetricsDelta | EdgeDelta): void {
    row.uint64(delta.calls)
    row.uint64(delta.errors)
    row.uint64(delta.durationSumNano)
    writeHistogram(row, delta.durations)
  }
}

/** A key that a payload repeats keeps its last value, as everywhere else. */
function writeAttributes(row: RowWriter, attributes: readonly KeyText[]): void {
  const count = attributes.length
  const last = count < 2 || hasNoRepeats(attributes) ? attributes : lastByKey(attributes)
  row.count(last.length)
  for (const { key, text } of last) {
    row.text(key)
    row.text(text)
  }
}

/** Quadratic and without garbage: spans have about ten attributes. */
function hasNoRepeats(attributes: readonly KeyText[]): boolean {
  const count = attributes.length
  if (count > 24) return new Set(attributes.map(({ key }) => key)).size === count
  for (let index = 1; index < count; index++) {
    const { key } = attributes[index]!
    for (let before = 0; before < index; before++) {
      if (attributes[before]!.key === key) return false
    }
  }
  return true
}

function lastByKey(attributes: readonly KeyText[]): readonly KeyText[] {
  return [...new Map(attributes.map((attribute) => [attribute.key, attribute])).values()]
}

function writeHistogram(row: RowWriter, histogram: SparseHistogram): void {
  const { indexes, counts } = histogram
  row.count(indexes.length)
  for (let index = 0; index < indexes.length; index++) {
    row.uint16(indexes[index]!)
    row.uint64(counts[index]!)
  }
}

/** The middle one: a few spans with a wrong clock do not move it. */
function median(times: readonly number[]): number {
  const sorted = times.filter(Number.isFinite).sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? 0
}

/**
 * Two FNV-1a hashes with different bases, one forwards and one with the index mixed in: 64 bits, so
 * that among a million different resources a collision has a chance of 1 in 37 million.
 */
function hash64(bytes: Uint8Array, offset: number, length: number): bigint {
  let low = 0x811c9dc5
  let high = 0x9747b28c ^ length
  for (let index = 0; index < length; index++) {
    const byte = bytes[offset + index]!
    low = Math.imul(low ^ byte, 0x01000193)
    high = Math.imul(high ^ (byte + (index << 8)), 0x85ebca6b)
    high ^= high >>> 13
  }
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
}
