/**
 * How the process itself is, as OTLP metrics by the names of the semantic conventions for Node and V8:
 * event-loop delay and utilization, garbage collection, heap, memory, CPU, open handles. Read once an
 * interval (60 s by default); between the readings node's own histogram of the delay runs in C++.
 */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import v8 from 'node:v8'
import type { HistogramPoint, Metric, NumberPoint } from '../encode/metric-encoder.ts'
import type { GcEvent } from './pauses.ts'

const DELAY_RESOLUTION_MS = 10
const NANOS = 1e9
/** The conventions' buckets of `v8js.gc.duration`, seconds. */
const GC_BOUNDS = [0.01, 0.1, 1, 10]
/** More kinds of handles than these are counted together. */
const HANDLE_TYPES_MAX = 32

interface GcCounts {
  count: number
  sumS: number
  readonly buckets: number[]
}

export class RuntimeMetrics {
  readonly #now: () => number
  readonly #startedMs: number
  readonly #delay: ReturnType<typeof monitorEventLoopDelay>
  readonly #gc = new Map<string, GcCounts>()
  #lastMs: number
  #utilization = performance.eventLoopUtilization()

  /** `now`: milliseconds since the epoch. */
  constructor(now: () => number) {
    this.#now = now
    this.#startedMs = now()
    this.#lastMs = this.#startedMs
    this.#delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS })
    this.#delay.enable()
  }

  collected({ kind, durationMs }: GcEvent): void {
    let counts = this.#gc.get(kind)
    if (counts === undefined) {
      counts = { count: 0, sumS: 0, buckets: new Array<number>(GC_BOUNDS.length + 1).fill(0) }
      this.#gc.set(kind, counts)
    }
    const seconds = durationMs / 1_000
    counts.count++
    counts.sumS += seconds
    const bucket = GC_BOUNDS.findIndex((bound) => seconds <= bound)
    counts.buckets[bucket < 0 ? GC_BOUNDS.length : bucket]!++
  }

  /** What has come since the last reading; counters go on from the start of the process. */
  read(): Metric[] {
    const timeMs = this.#now()
    const metrics = [
      ...this.#eventLoop(timeMs),
      this.#gcDuration(timeMs),
      ...this.#heap(timeMs),
      ...this.#process(timeMs),
      this.#handles(timeMs)
    ]
    this.#lastMs = timeMs
    return metrics
  }

  stop(): void {
    this.#delay.disable()
  }

  #eventLoop(timeMs: number): Metric[] {
    const delay = this.#delay
    const seconds = (nanos: number) =>
      Number.isFinite(nanos) ? Math.max(0, nanos / NANOS - DELAY_RESOLUTION_MS / 1_000) : 0
    const facts: readonly [string, number][] = [
      ['min', seconds(delay.count === 0 ? 0 : delay.min)],
      ['max', seconds(delay.max)],
      ['mean', seconds(delay.mean)],
      ['stddev', Number.isFinite(delay.stddev) ? delay.stddev / NANOS : 0],
      ['p50', seconds(delay.percentile(50))],
      ['p90', seconds(delay.percentile(90))],
      ['p99', seconds(delay.percentile(99))]
    ]
    delay.reset()
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, this.#utilization)
    this.#utilization = now
    return [
      ...facts.map(([name, value]) => gauge(`nodejs.eventloop.delay.${name}`, 's', timeMs, value)),
      gauge('nodejs.eventloop.utilization', '1', timeMs, utilization),
      {
        kind: 'sum',
        name: 'nodejs.eventloop.time',
        unit: 's',
        monotonic: true,
        temporality: 'cumulative',
        points: [
          this.#since(timeMs, now.active / 1_000, { 'nodejs.eventloop.state': 'active' }),
          this.#since(timeMs, now.idle / 1_000, { 'nodejs.eventloop.state': 'idle' })
        ]
      }
    ]
  }

  #gcDuration(timeMs: number): Metric {
    const points: HistogramPoint[] = [...this.#gc].map(([kind, counts]) => ({
      attributes: { 'v8js.gc.type': kind },
      startMs: this.#lastMs,
      timeMs,
      count: counts.count,
      sum: counts.sumS,
      bucketCounts: counts.buckets,
      bounds: GC_BOUNDS
    }))
    this.#gc.clear()
    return { kind: 'histogram', name: 'v8js.gc.duration', unit: 's', temporality: 'delta', points }
  }

  #heap(timeMs: number): Metric[] {
    const spaces = v8.getHeapSpaceStatistics()
    const perSpace = (name: string, read: (space: v8.HeapSpaceInfo) => number): Metric => ({
      kind: 'sum',
      name: `v8js.memory.heap.${name}`,
      unit: 'By',
      monotonic: false,
      temporality: 'cumulative',
      points: spaces.map((space) =>
        this.#since(timeMs, read(space), { 'v8js.heap.space.name': space.space_name })
      )
    })
    return [
      perSpace('used', (space) => space.space_used_size),
      perSpace('limit', (space) => space.space_size),
      perSpace('space.available_size', (space) => space.space_available_size),
      perSpace('space.physical_size', (space) => space.physical_space_size),
      gauge('v8js.heap.size_limit', 'By', timeMs, v8.getHeapStatistics().heap_size_limit)
    ]
  }

  #process(timeMs: number): Metric[] {
    const { user, system } = process.cpuUsage()
    const { rss, external, arrayBuffers } = process.memoryUsage()
    return [
      {
        kind: 'sum',
        name: 'process.cpu.time',
        unit: 's',
        monotonic: true,
        temporality: 'cumulative',
        points: [
          this.#since(timeMs, user / 1e6, { 'cpu.mode': 'user' }),
          this.#since(timeMs, system / 1e6, { 'cpu.mode': 'system' })
        ]
      },
      this.#upDown('process.memory.usage', 'By', timeMs, rss),
      this.#upDown('nodejs.memory.external', 'By', timeMs, external),
      this.#upDown('nodejs.memory.array_buffers', 'By', timeMs, arrayBuffers),
      gauge('process.uptime', 's', timeMs, process.uptime())
    ]
  }

  #handles(timeMs: number): Metric {
    const counts = new Map<string, number>()
    for (const type of process.getActiveResourcesInfo()) {
      const known = counts.has(type) || counts.size < HANDLE_TYPES_MAX ? type : 'other'
      counts.set(known, (counts.get(known) ?? 0) + 1)
    }
    return {
      kind: 'sum',
      name: 'nodejs.active_resources',
      unit: '{resource}',
      monotonic: false,
      temporality: 'cumulative',
      points: [...counts].map(([type, count]) =>
        this.#since(timeMs, count, { 'nodejs.resource.type': type })
      )
    }
  }

  #upDown(name: string, unit: string, timeMs: number, value: number): Metric {
    const points = [this.#since(timeMs, value, {})]
    return { kind: 'sum', name, unit, monotonic: false, temporality: 'cumulative', points }
  }

  #since(timeMs: number, value: number, attributes: NumberPoint['attributes']): NumberPoint {
    return { attributes, startMs: this.#startedMs, timeMs, value }
  }
}

function gauge(name: string, unit: string, timeMs: number, value: number): Metric {
  return { kind: 'gauge', name, unit, points: [{ attributes: {}, timeMs, value }] }
}
