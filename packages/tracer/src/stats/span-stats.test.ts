import { SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api'
import {
  bucketOfCell,
  cellOf,
  createScanner,
  decodeMetrics,
  type SpanStats as ReadSpanStats,
  readSpanStats,
  type SpanStatsPoint,
  StringTable
} from '@spanloom/otlp'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { decodeMetrics as decodeRaw } from '../../test/metrics-proto.ts'
import { decodeSpans } from '../../test/otlp-sink.ts'
import { ROOT_FRAME } from '../context/frame.ts'
import { SpanBuffer } from '../encode/span-buffer.ts'
import { SpanEncoder } from '../encode/span-encoder.ts'
import { nanosBetween } from '../lib/clock.ts'
import type { Notify } from '../notices.ts'
import type { RecordingSpan } from '../trace/span.ts'
import { NOW_MS, testTracer } from '../tracer.testkit.ts'
import { SERIES_MAX } from './series-table.ts'
import { INTERVAL_MS, SpanStats } from './span-stats.ts'

const STEP_MS = Math.floor(NOW_MS / INTERVAL_MS) * INTERVAL_MS

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function harness() {
  const { tracer, ended, resource, time, clock } = testTracer()
  const sent: Uint8Array[] = []
  const said: unknown[][] = []
  const stats = new SpanStats({
    ...{ resource, clock, stream: 'stream' },
    notify: ((...words: unknown[]) => void said.push(words)) as Notify,
    random: () => 0.5,
    send: (bytes) => void sent.push(bytes)
  })
  /** Ends a span `ms` after the time at hand, and counts it. */
  function end(name: string, ms = 1, options: Options = {}) {
    const { parent, kind = SpanKind.SERVER, attributes = {}, error = false } = options
    const context = parent === undefined ? ROOT_FRAME : trace.setSpan(ROOT_FRAME, parent)
    const span = tracer.startSpan(name, { kind, attributes }, context) as RecordingSpan
    if (error) span.setStatus({ code: SpanStatusCode.ERROR })
    time.nowMs += ms
    span.end()
    stats.count(span)
    return span
  }
  const read = (): ReadSpanStats[] =>
    sent.map((bytes) => readSpanStats(decodeMetrics(bytes, 10_000).metrics[0]!)!)
  const points = (): SpanStatsPoint[] => read().flatMap((payload) => payload.points)
  return { stats, sent, said, time, end, read, points, ended, resource, clock }
}

interface Options {
  readonly kind?: SpanKind
  readonly parent?: RecordingSpan
  readonly attributes?: Record<string, string | number>
  readonly error?: boolean
}

describe('span stats', () => {
  it('count local roots and all kinds but internal, by name, kind and status', () => {
    const { stats, end, points } = harness()
    const root = end('root', 3, { kind: SpanKind.INTERNAL })
    end('GET /', 20)
    end('GET /', 0, { error: true })
    for (const kind of [SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER]) {
      end('child', 1, { kind, parent: root })
    }
    end('inner', 1, { kind: SpanKind.INTERNAL, parent: root })
    stats.flush()
    expect(points().map(({ name, kind, status, calls }) => [name, kind, status, calls])).toEqual([
      ['root', 1, 0, 1],
      ['GET /', 2, 0, 1],
      ['GET /', 2, 2, 1],
      ['child', 3, 0, 1],
      ['child', 4, 0, 1],
      ['child', 5, 0, 1]
    ])
    expect(points().map(({ sumNano, cells }) => [sumNano, cells])).toEqual(
      [3, 20, 0, 1, 1, 1].map((ms) => [ms * 1e6, [cellOf(ms * 1e6), 1]])
    )
  })

  it('count a local root with a parent in another process, sampled or not', () => {
    const { stats, points, time, clock } = harness()
    const { tracer, host } = testTracer({}, 'parentbased_always_on')
    host.countUnsampled = true
    for (const traceFlags of [TraceFlags.NONE, TraceFlags.SAMPLED]) {
      const ids = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), isRemote: true, traceFlags }
      const parent = trace.setSpanContext(ROOT_FRAME, ids)
      const span = tracer.startSpan('job', { kind: SpanKind.INTERNAL }, parent) as RecordingSpan
      span.end(clock.now() + 4)
      stats.count(span)
    }
    time.nowMs += 5
    stats.flush()
    expect(points()).toMatchObject([{ name: 'job', kind: 1, calls: 2 }])
  })

  it('say how HTTP requests ended, in series that the collector adds up', () => {
    const { stats, end, sent } = harness()
    const attributes = { 'http.request.method': 'GET', 'http.route': '/a', 'url.path': '/a' }
    end('GET /a', 1, { attributes: { ...attributes, 'http.response.status_code': 200 } })
    const failed = { 'http.response.status_code': 500, 'error.type': '500' }
    for (let count = 0; count < 3; count++) {
      end('GET /a', 1, { attributes: { ...attributes, ...failed }, error: true })
    }
    end('GET /a', 1, { attributes: { 'error.type': 'x'.repeat(300) } })
    end('GET /a', 1, { attributes: { 'error.type': 'x'.repeat(301) } })
    stats.flush()
    const [metric] = decodeRaw(sent[0]!)
    expect(metric).toMatchObject({ unit: 's', kind: 'exponentialHistogram' })
    expect(metric!.aggregationTemporality).toBe(1)
    expect(metric!.resource).toEqual({ 'service.name': 'test', 'process.pid': 7 })
    const common = { 'span.name': 'GET /a', 'span.kind': 'SPAN_KIND_SERVER' }
    const http = { 'http.request.method': 'GET', 'http.route': '/a' }
    const byCount = metric!.points.map((point) => [point.attributes, point.count] as const)
    expect(byCount.sort((left, right) => left[1]! - right[1]!)).toEqual([
      [
        {
          ...common,
          ...http,
          'status.code': 'STATUS_CODE_UNSET',
          'http.response.status_code': 200
        },
        1
      ],
      [{ ...common, 'status.code': 'STATUS_CODE_UNSET', 'error.type': 'x'.repeat(256) }, 2],
      [{ ...common, ...http, ...failed, 'status.code': 'STATUS_CODE_ERROR' }, 3]
    ])
  })

  it('are an exponential histogram whose buckets hold the durations', () => {
    const { stats, end, sent } = harness()
    const durations = [0, 0.01, 1, 1.05, 3, 250, 61_000]
    for (const ms of durations) end('a', ms)
    stats.flush()
    const points = sent.flatMap((bytes) => decodeRaw(bytes)[0]!.points)
    const counted = points.flatMap(({ zeroCount = 0, positive, scale }) => {
      expect(scale).toBe(3)
      const bounds = (positive?.bucketCounts ?? []).flatMap((count, index) =>
        new Array<number>(count).fill(2 ** (((positive?.offset ?? 0) + index) / 8))
      )
      return [...new Array<number>(zeroCount).fill(0), ...bounds]
    })
    expect(counted).toHaveLength(durations.length)
    for (const [index, lower] of counted.entries()) {
      // The clock's resolution is a quarter of a microsecond.
      expect(durations[index]! / 1e3).toBeGreaterThanOrEqual(lower * 0.99)
      expect(durations[index]! / 1e3).toBeLessThanOrEqual(lower * 2 ** (1 / 8) * 1.03)
    }
    expect(points[0]).toMatchObject({ count: 6 })
    expect(points[0]!.max).toBeCloseTo(0.25, 6)
  })

  it('are sent by the step in which calls ended, each payload with the next number', () => {
    const { stats, end, read, time } = harness()
    time.nowMs = STEP_MS + 1_000
    vi.setSystemTime(time.nowMs)
    end('a')
    end('a')
    // A flush in the middle: the rest of the step is a point of its own, which does not overlap.
    stats.flush()
    end('a')
    time.nowMs = STEP_MS + INTERVAL_MS
    vi.advanceTimersByTime(INTERVAL_MS - 1_000)
    expect(read()).toHaveLength(1)
    // Spread over half a second: random is 0.5 here.
    vi.advanceTimersByTime(250)
    expect(read()).toHaveLength(2)
    end('a')
    // No timer came, as when the event loop is busy: the first span of the next step makes the turn.
    time.nowMs = STEP_MS + INTERVAL_MS * 2
    end('a', 0)
    stats.flush()
    const all = read()
    expect(all.map(({ sequence }) => sequence)).toEqual([1, 2, 3])
    expect(new Set(all.map(({ stream }) => stream))).toEqual(new Set(['stream']))
    const steps = all.flatMap(({ points }) =>
      points.map(({ startUnixMs, calls }) => [(startUnixMs - STEP_MS) / INTERVAL_MS, calls])
    )
    expect(steps.map(([step, calls]) => [Math.floor(step!), calls])).toEqual([
      [0, 2],
      [0, 1],
      [1, 1],
      [2, 1]
    ])
    expect(steps[1]![0]).toBeCloseTo(0.1002, 6)
    stats.flush()
    expect(read()).toHaveLength(3)
  })

  it('keep an end that was given by hand in the interval at hand', () => {
    const { stats, end, points, time } = harness()
    time.nowMs = STEP_MS + 10
    end('a')
    const span = end('a')
    Object.assign(span, { endMs: STEP_MS + 1e9 })
    stats.count(span)
    end('a')
    stats.flush()
    expect(points()).toMatchObject([{ calls: 4, startUnixMs: STEP_MS }])
  })

  it('hold 2,000 series; what is beyond is counted together and said once', () => {
    const { stats, end, points, read, said } = harness()
    for (let index = 0; index < SERIES_MAX; index++) end(`op ${index}`, 0)
    expect(said).toEqual([])
    end('one more', 2)
    end('and more', 3, { error: true })
    end('one more', 4)
    end('op 7', 5)
    expect(said).toEqual([['STATS_OVERFLOW', SERIES_MAX]])
    stats.flush()
    const overflow = points().filter((point) => point.overflow)
    expect(overflow.map(({ name, kind, status, calls }) => [name, kind, status, calls])).toEqual([
      ['', 2, 0, 2],
      ['', 2, 2, 1]
    ])
    expect(points().reduce((sum, point) => sum + point.calls, 0)).toBe(SERIES_MAX + 4)
    expect(points().reduce((sum, point) => sum + point.sumNano, 0)).toBe(14e6)
    // 256 series a payload, so that no payload takes long.
    expect(read().map((payload) => payload.points.length)).toEqual([
      ...new Array<number>(7).fill(256),
      210
    ])
    // Two intervals later the old ones are forgotten, and there is room again.
    end('op 1')
    stats.flush()
    end('one more')
    stats.flush()
    expect(points().at(-1)).toMatchObject({ name: 'one more', overflow: false })
  })
})

describe('durations', () => {
  it('are those that the collector reads from the span', () => {
    const { ended, time, end, resource } = harness()
    for (let index = 0; index < 2_000; index++) {
      time.nowMs += 0.37
      end('a', (index * 7.123) % 2_500)
    }
    const encoder = new SpanEncoder(resource)
    for (const span of ended) encoder.add(span)
    const limits = { stringsMax: 100, bytesMax: 10_000, stringBytesMax: 100 }
    const rows = createScanner([], new StringTable(limits)).scan(encoder.take()!)
    for (const [row, span] of ended.entries()) {
      expect(nanosBetween(span.startMs, span.endMs)).toBe(rows.durationNano[row])
      expect(bucketOfCell(cellOf(rows.durationNano[row]!))).toBeGreaterThanOrEqual(0)
    }
  })
})

describe('spans that were counted', () => {
  it('say so on their resource, span by span', () => {
    const { end, resource, clock } = harness()
    const payloads: Uint8Array[] = []
    const buffer = new SpanBuffer(
      resource,
      clock,
      () => {},
      (bytes) => void payloads.push(bytes)
    )
    for (const index of [0, 1]) buffer.add(end(`span ${index}`))
    buffer.countedFromNow()
    for (const index of [2, 3]) buffer.add(end(`span ${index}`))
    buffer.flush()
    const spans = payloads.flatMap(decodeSpans)
    expect(spans.map(({ name, resource }) => [name, resource['spanloom.spans.counted']])).toEqual([
      ['span 0', undefined],
      ['span 1', undefined],
      ['span 2', true],
      ['span 3', true]
    ])
    expect(payloads).toHaveLength(2)
  })
})
