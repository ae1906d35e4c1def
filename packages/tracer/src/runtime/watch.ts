/**
 * Everything that tells of the process beside its spans, wired: open spans, pauses, runtime metrics, the
 * tracer's own overhead and what gives way to it. `sdk.ts` calls `opened`, `ending` and `isShed`; the rest
 * runs on unref'd timers and is loaded a moment after the start, so that a short program loads none of it.
 */
import { SpanKind } from '@opentelemetry/api'
import { DB_QUERY_TEXT, EXCEPTION_STACKTRACE } from '@spanloom/otlp'
import type { Metric } from '../encode/metric-encoder.ts'
import type { Guard } from '../lib/guard.ts'
import type { Notify } from '../notices.ts'
import type { FlatAttributes } from '../trace/attributes.ts'
import type { RecordingSpan } from '../trace/span.ts'
import { OpenSpans } from './open-spans.ts'
import { Overhead, shedText, traceShareOf } from './overhead.ts'
import { GC_PAUSE_MIN_MS } from './pause-limits.ts'
import type { Pauses } from './pauses.ts'
import type { RuntimeMetrics } from './runtime-metrics.ts'

/** Late enough to stay out of the app's start. */
const START_AFTER_MS = 250
const BLOCKED_MS = 'spanloom.event_loop.blocked_ms'
const GC_PAUSE_MS = 'spanloom.gc.pause_ms'

export interface WatchParts {
  readonly clock: { now(): number; fromMonotonic(ms: number): number }
  readonly monotonicNow: () => number
  readonly notify: Notify
  readonly guard: Guard
  readonly maxOverheadPercent: number
  /** 0: no runtime metrics. */
  readonly metricIntervalMs: number
  readonly senderBusyMs: () => number
  readonly sayName: (index: number, name: string) => void
  readonly sendMetrics: (metrics: readonly Metric[]) => void
  /** The share of new traces that the overhead's budget leaves. */
  readonly onTraceShare: (share: number) => void
}

export class RuntimeWatch {
  readonly overhead: Overhead
  readonly open: OpenSpans
  readonly #parts: WatchParts
  readonly #startTimer: NodeJS.Timeout
  #pauses: Pauses | undefined = undefined
  #metrics: RuntimeMetrics | undefined = undefined
  #stops: (() => void)[] = []
  #stopped = false

  constructor(parts: WatchParts) {
    this.#parts = parts
    this.open = new OpenSpans(parts.sayName)
    this.overhead = new Overhead({
      now: parts.monotonicNow,
      senderBusyMs: parts.senderBusyMs,
      maxPercent: parts.maxOverheadPercent,
      onLevel: (level, percent) => {
        parts.notify('OVERHEAD_SHED', percent, parts.maxOverheadPercent, shedText(level))
        parts.onTraceShare(traceShareOf(level))
      }
    })
    this.#startTimer = setTimeout(() => {
      this.#start().catch((fault) => parts.guard.report('runtime watch', fault))
    }, START_AFTER_MS)
    this.#startTimer.unref()
  }

  /** @hot For local roots and all kinds but internal. */
  opened(span: RecordingSpan): void {
    span.openSlot = this.open.open(span)
  }

  /** @hot Before the span is encoded: gives its slot back, and says what it sat through. */
  ending(span: RecordingSpan): void {
    if (span.openSlot >= 0) {
      this.open.close(span.openSlot)
      span.openSlot = -1
      // Asked here, because the call alone is 0.04 µs, and most spans are too short.
      const isLong = span.endMs - span.startMs >= GC_PAUSE_MIN_MS
      if (isLong && this.#pauses !== undefined && span.kind === SpanKind.SERVER) this.#explain(span)
    }
    if (this.overhead.level > 0) leaveOutDetail(span)
  }

  /** Whether the span is one of those that are not worth their cost now. */
  isShed(span: RecordingSpan, isBuiltIn: boolean): boolean {
    return (
      this.overhead.level >= 2 && isBuiltIn && span.kind === SpanKind.INTERNAL && !span.isLocalRoot
    )
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#startTimer)
    for (const stop of this.#stops) stop()
  }

  #explain(span: RecordingSpan): void {
    const offset = this.#parts.clock.fromMonotonic(0)
    const facts = this.#pauses!.within(span.startMs - offset, span.endMs - offset)
    const { flatAttributes } = span
    if (facts.blockedMs > 0) flatAttributes.push(BLOCKED_MS, Math.round(facts.blockedMs))
    if (facts.gcPauseMs > 0) flatAttributes.push(GC_PAUSE_MS, Math.round(facts.gcPauseMs))
  }

  async #start(): Promise<void> {
    const { clock, monotonicNow, metricIntervalMs } = this.#parts
    const { Pauses, watchPauses } = await import('./pauses.ts')
    if (this.#stopped) return
    this.#pauses = new Pauses(monotonicNow)
    if (metricIntervalMs > 0) await this.#startMetrics()
    if (this.#stopped) return
    const onBeat = () => {
      this.open.beat(clock.now())
      this.overhead.tick()
    }
    this.#stops.push(watchPauses(this.#pauses, onBeat, (event) => this.#metrics?.collected(event)))
  }

  async #startMetrics(): Promise<void> {
    const { RuntimeMetrics } = await import('./runtime-metrics.ts')
    const metrics = new RuntimeMetrics(this.#parts.clock.now)
    this.#metrics = metrics
    const report = this.#parts.guard.wrap('runtime metrics', () => {
      this.#parts.sendMetrics([...metrics.read(), ...this.#own()])
    })
    const timer = setInterval(report, this.#parts.metricIntervalMs)
    timer.unref()
    this.#stops.push(() => {
      clearInterval(timer)
      metrics.stop()
    })
  }

  /** The tracer about itself. */
  #own(): Metric[] {
    const timeMs = this.#parts.clock.now()
    const gauge = (name: string, unit: string, value: number): Metric => ({
      kind: 'gauge',
      name,
      unit,
      points: [{ attributes: {}, timeMs, value }]
    })
    return [
      gauge('spanloom.tracer.overhead', '1', this.overhead.percent / 100),
      gauge('spanloom.tracer.shed_level', '1', this.overhead.level),
      gauge('spanloom.tracer.unwatched_spans', '{span}', this.open.unwatched)
    ]
  }
}

function leaveOutDetail(span: RecordingSpan): void {
  if (span.kind === SpanKind.CLIENT) remove(span.flatAttributes, DB_QUERY_TEXT)
  if (span.flatEvents === undefined) return
  for (const event of span.flatEvents) remove(event.attributes, EXCEPTION_STACKTRACE)
}

function remove(flat: FlatAttributes, key: string): void {
  for (let index = 0; index < flat.length; index += 2) {
    if (flat[index] === key) {
      flat.splice(index, 2)
      return
    }
  }
}
