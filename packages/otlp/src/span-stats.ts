/**
 * Spans that were counted where they ended, as the tracer sends them and the collector takes them: one
 * OTLP metric, an exponential histogram of durations in seconds, delta, that any OTLP receiver can read.
 * What only Spanloom reads stands in the metric's metadata, which OTLP keeps for this:
 *
 *   spanloom.stream     a name that the process drew at its start
 *   spanloom.sequence   1, 2, 3 … for each payload of the stream: a payload that comes twice is known
 *   spanloom.cells      for each point, in order: how many cells, then cell and count of each
 *                       (varints; see durations.ts)
 *
 * Exponential buckets in seconds and the collector's buckets have no bounds in common, so neither can be
 * made of the other without error; cells give all of the collector's buckets exactly, for about two bytes
 * for each that is not empty. Sums are exact as long as a point's is below 2^51 ns, 26 days.
 *
 * A span that was counted is sent, if it is sent, under a resource with `spanloom.spans.counted`: such
 * spans count as `isCountedKind` has it and never again.
 */
import { bucketOfCell } from './durations.ts'
import type { KeyText } from './field-reader.ts'
import { type DecodedMetric, type DecodedPoint, Temporality } from './metrics.ts'
import { SPAN_KIND_NAMES, SpanKind, STATUS_CODE_NAMES } from './words.ts'

export const SPAN_STATS_METRIC = 'traces.span.sdk.metrics.duration'

/** Resource attribute: the spans below were counted in their process. */
export const SPANS_COUNTED = 'spanloom.spans.counted'

export const STATS_STREAM = 'spanloom.stream'
export const STATS_SEQUENCE = 'spanloom.sequence'
export const STATS_CELLS = 'spanloom.cells'

export const SPAN_NAME = 'span.name'
export const SPAN_KIND = 'span.kind'
export const STATUS_CODE = 'status.code'
/** OpenTelemetry's mark of the series that takes what a limit refuses. */
export const METRIC_OVERFLOW = 'otel.metric.overflow'

const STREAM_CHARS_MAX = 64

/** @hot All but the inner steps of a process: those are counted from the spans that arrive. */
export function isCountedKind(kind: number, isLocalRoot: boolean): boolean {
  return kind !== SpanKind.INTERNAL || isLocalRoot
}

export interface SpanStatsPoint {
  readonly name: string
  /** OTLP's numbers. */
  readonly kind: number
  readonly status: number
  /** Stands for names that found no room; `name` is empty then. */
  readonly overflow: boolean
  readonly startUnixMs: number
  readonly calls: number
  readonly sumNano: number
  /** Cell, count, cell, count … */
  readonly cells: readonly number[]
}

export interface SpanStats {
  readonly resource: readonly KeyText[]
  readonly stream: string
  readonly sequence: number
  readonly points: readonly SpanStatsPoint[]
}

/** The value of STATS_CELLS: `cells` of each point as in SpanStatsPoint. */
export function packCells(points: readonly (readonly number[])[]): Uint8Array<ArrayBuffer> {
  const bytes: number[] = []
  for (const cells of points) {
    pushVarint(bytes, cells.length / 2)
    for (const number of cells) pushVarint(bytes, number)
  }
  return Uint8Array.from(bytes)
}

/** Undefined when the metric is not what the tracer sends; then it cannot be counted exactly. */
export function readSpanStats(metric: DecodedMetric): SpanStats | undefined {
  const { metadata, points, resource } = metric
  if (metric.name !== SPAN_STATS_METRIC || metric.type !== 'exponential_histogram') return undefined
  if (metric.temporality !== Temporality.DELTA) return undefined
  const stream = textOf(metadata, STATS_STREAM)
  const sequence = metadata.find(({ key }) => key === STATS_SEQUENCE)?.number ?? 0
  if (stream === '' || stream.length > STREAM_CHARS_MAX) return undefined
  if (!Number.isSafeInteger(sequence) || sequence < 1) return undefined
  const packed = Buffer.from(textOf(metadata, STATS_CELLS), 'base64')
  const read: SpanStatsPoint[] = []
  let at = 0
  for (const point of points) {
    const cells: number[] = []
    at = readCells(packed, at, cells)
    const known = at < 0 ? undefined : readPoint(point, cells)
    if (known === undefined) return undefined
    read.push(known)
  }
  return at === packed.length ? { resource, stream, sequence, points: read } : undefined
}

function readPoint(point: DecodedPoint, cells: readonly number[]): SpanStatsPoint | undefined {
  const kind = numberOf(SPAN_KIND_NAMES, 'SPAN_KIND_', textOf(point.attributes, SPAN_KIND))
  const status = numberOf(STATUS_CODE_NAMES, 'STATUS_CODE_', textOf(point.attributes, STATUS_CODE))
  let calls = 0
  for (let index = 0; index < cells.length; index += 2) {
    if (bucketOfCell(cells[index]!) < 0) return undefined
    calls += cells[index + 1]!
  }
  const sumNano = Math.round(point.sum * 1e9)
  if (kind < 0 || status < 0 || calls !== point.count || !(sumNano >= 0)) return undefined
  return {
    name: textOf(point.attributes, SPAN_NAME),
    kind,
    status,
    overflow: textOf(point.attributes, METRIC_OVERFLOW) === 'true',
    startUnixMs: point.startUnixMs,
    calls,
    sumNano,
    cells
  }
}

/** Returns the position after the cells of a point, or -1. */
function readCells(bytes: Uint8Array, from: number, cells: number[]): number {
  let left = -1
  let value = 0
  let scale = 1
  for (let at = from; at < bytes.length; at++) {
    value += (bytes[at]! & 0x7f) * scale
    scale *= 128
    if (bytes[at]! > 0x7f) continue
    if (left < 0) left = value * 2
    else cells.push(value)
    if (cells.length === left) return Number.isSafeInteger(value) ? at + 1 : -1
    value = 0
    scale = 1
  }
  return -1
}

function pushVarint(bytes: number[], value: number): void {
  let rest = value
  while (rest > 0x7f) {
    bytes.push((rest % 128) | 0x80)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
}

function textOf(attributes: readonly KeyText[], wanted: string): string {
  return attributes.findLast(({ key }) => key === wanted)?.text ?? ''
}

function numberOf(names: readonly string[], prefix: string, text: string): number {
  return text.startsWith(prefix) ? names.indexOf(text.slice(prefix.length)) : -1
}
