/**
 * Counts spans where they end, so that calls, errors and durations are exact whatever the sampler
 * leaves out: every local root and every server, client, producer and consumer span, sampled or not.
 *
 *   ended ─→ series ─→ calls, sum, two histograms          130 ns a span
 *                 └─ every 10 s, at a flush, at the end ─→ one payload for 256 series ─→ sender
 *
 * An interval is aligned to the wall clock's tens of seconds, which are the collector's steps, so each
 * call is in the step in which it ended. Delta temporality: what was sent is forgotten here, and each
 * payload has a number, so that the collector takes it once however often it arrives. After a restart
 * the stream has another name, and its numbers begin anew.
 *
 * A payload is encoded in 2 ms at most; several wait for a turn of the event loop each. They leave up to
 * half a second after the interval, at random, because the clocks of a thousand processes agree.
 */
import {
  cellOf,
  ERROR_TYPE,
  HTTP_REQUEST_METHOD,
  HTTP_RESPONSE_STATUS_CODE,
  HTTP_ROUTE,
  isCountedKind,
  METRIC_OVERFLOW,
  packCells,
  SPAN_KIND,
  SPAN_KIND_NAMES,
  SPAN_NAME,
  SPAN_STATS_METRIC,
  STATS_CELLS,
  STATS_SEQUENCE,
  STATS_STREAM,
  STATUS_CODE,
  STATUS_CODE_NAMES
} from '@spanloom/otlp'
import { type ExponentialPoint, encodeMetrics } from '../encode/metric-encoder.ts'
import { type Clock, nanosBetween } from '../lib/clock.ts'
import type { Notify } from '../notices.ts'
import type { Resource } from '../resource/resource.ts'
import type { RecordingSpan } from '../trace/span.ts'
import { SDK_VERSION } from '../version.ts'
import { SERIES_MAX, type Series, SeriesTable } from './series-table.ts'

export const INTERVAL_MS = 10_000
const SERIES_PER_PAYLOAD = 256
const SPREAD_MS = 500
const SCALE = 3
/** Buckets for each doubling. */
const PER_OCTAVE = 2 ** SCALE
const SCOPE = { name: '@spanloom/tracer/stats', version: SDK_VERSION }

export interface SpanStatsParts {
  readonly resource: Resource
  readonly clock: Clock
  readonly notify: Notify
  readonly random: () => number
  /** Never the same in two processes. */
  readonly stream: string
  readonly send: (bytes: Uint8Array<ArrayBuffer>) => void
}

interface CountedPoint {
  readonly point: ExponentialPoint
  /** Cell, count, cell, count … */
  readonly cells: readonly number[]
}

export class SpanStats {
  readonly #parts: SpanStatsParts
  readonly #series: SeriesTable
  #saidOverflow = false
  /** Of the interval at hand; 0 before the first span. */
  #startMs = 0
  #endMs = 0
  #counted = 0
  #timer: NodeJS.Timeout | undefined = undefined
  /** Of intervals that are over. */
  readonly #waiting: CountedPoint[] = []
  #sendTimer: NodeJS.Timeout | undefined = undefined
  #sequence = 0

  constructor(parts: SpanStatsParts) {
    this.#parts = parts
    this.#series = new SeriesTable(() => this.#sayOverflow())
  }

  /** @hot Once per ended span. */
  count(span: RecordingSpan): void {
    // The API counts kinds from 0, OTLP keeps 0 for "unspecified".
    if (!isCountedKind(span.kind + 1, span.isLocalRoot)) return
    if (span.endMs >= this.#endMs) this.#turn()
    this.#counted++
    const series = this.#series.of(span)
    const nano = nanosBetween(span.startMs, span.endMs)
    series.calls++
    series.sumNano += nano
    if (nano < series.minNano) series.minNano = nano
    if (nano > series.maxNano) series.maxNano = nano
    series.cells.add(cellOf(nano))
    if (nano === 0) series.zeroCount++
    else series.exponential.add(Math.ceil(Math.log2(nano / 1e9) * PER_OCTAVE) - 1)
  }

  /** Hands over all that was counted so far. */
  flush(): void {
    this.#close()
    clearTimeout(this.#sendTimer)
    this.#sendTimer = undefined
    while (this.#waiting.length > 0) this.#sendSome()
  }

  /**
   * A span ended at or after the end of the interval: time for the next one, unless the span's end was
   * given by hand. Such a span is counted in the interval at hand.
   */
  #turn(): void {
    const { clock } = this.#parts
    const nowMs = clock.now()
    if (this.#counted > 0 && nowMs < this.#endMs) return
    this.#close()
    const startMs = Math.floor(nowMs / INTERVAL_MS) * INTERVAL_MS
    // Points of a series never overlap: after a flush the rest of the interval is one of its own.
    this.#startMs = Math.max(startMs, Math.min(this.#startMs, nowMs))
    this.#endMs = startMs + INTERVAL_MS
    this.#timer = setTimeout(() => this.#close(), this.#endMs - nowMs)
    this.#timer.unref()
  }

  /** Ends the interval; what it counted waits to be sent. */
  #close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#counted === 0) return
    const timeMs = Math.max(this.#startMs, Math.min(this.#parts.clock.now(), this.#endMs))
    this.#series.takeCounted((series) => {
      this.#waiting.push(takePoint(series, this.#startMs, timeMs))
    })
    this.#counted = 0
    this.#startMs = timeMs
    this.#endMs = 0
    this.#sendLater(this.#parts.random() * SPREAD_MS)
  }

  #sendLater(afterMs: number): void {
    if (this.#sendTimer !== undefined) return
    this.#sendTimer = setTimeout(() => {
      this.#sendTimer = undefined
      this.#sendSome()
      if (this.#waiting.length > 0) this.#sendLater(0)
    }, afterMs)
    this.#sendTimer.unref()
  }

  #sendSome(): void {
    const points = this.#waiting.splice(0, SERIES_PER_PAYLOAD)
    if (points.length === 0) return
    const { resource, stream, send } = this.#parts
    const bytes = encodeMetrics(resource, SCOPE, [
      {
        kind: 'exponentialHistogram',
        name: SPAN_STATS_METRIC,
        unit: 's',
        description: 'Durations of all spans that ended, sampled or not.',
        temporality: 'delta',
        metadata: {
          [STATS_STREAM]: stream,
          [STATS_SEQUENCE]: ++this.#sequence,
          [STATS_CELLS]: packCells(points.map(({ cells }) => cells))
        },
        points: points.map(({ point }) => point)
      }
    ])
    send(bytes)
  }

  #sayOverflow(): void {
    if (this.#saidOverflow) return
    this.#saidOverflow = true
    this.#parts.notify('STATS_OVERFLOW', SERIES_MAX)
  }
}

function takePoint(series: Series, startMs: number, timeMs: number): CountedPoint {
  const cells = series.cells.pairs()
  series.cells.take()
  const point: ExponentialPoint = {
    attributes: attributesOf(series),
    startMs,
    timeMs,
    count: series.calls,
    sum: series.sumNano / 1e9,
    min: series.minNano / 1e9,
    max: series.maxNano / 1e9,
    scale: SCALE,
    zeroCount: series.zeroCount,
    ...series.exponential.take()
  }
  series.calls = 0
  series.sumNano = 0
  series.minNano = Number.POSITIVE_INFINITY
  series.maxNano = 0
  series.zeroCount = 0
  return { point, cells }
}

function attributesOf(series: Series) {
  return {
    ...(series.overflow ? { [METRIC_OVERFLOW]: true } : { [SPAN_NAME]: series.name }),
    [SPAN_KIND]: `SPAN_KIND_${SPAN_KIND_NAMES[series.kind + 1]}`,
    [STATUS_CODE]: `STATUS_CODE_${STATUS_CODE_NAMES[series.status]}`,
    [HTTP_REQUEST_METHOD]: series.method,
    [HTTP_ROUTE]: series.route,
    [HTTP_RESPONSE_STATUS_CODE]: series.httpStatus,
    [ERROR_TYPE]: series.errorType
  }
}
