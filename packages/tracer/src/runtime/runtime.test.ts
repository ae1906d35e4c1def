import { describe, expect, it } from 'vitest'
import type { RecordingSpan } from '../trace/span.ts'
import { testTracer } from '../tracer.testkit.ts'
import { OPEN_REPORT_AGAIN_MS, OpenSpanReports } from './open-span-reports.ts'
import { OpenSpans, OpenSpansReader } from './open-spans.ts'
import { Overhead, SHED_LEVEL_MAX, STRIDES, traceShareOf } from './overhead.ts'
import { PauseRing, Pauses } from './pauses.ts'
import { RuntimeMetrics } from './runtime-metrics.ts'

describe('pauses', () => {
  function pausesAt() {
    const time = { ms: 1_000 }
    return { time, pauses: new Pauses(() => time.ms) }
  }

  it.each([
    [1_099, 0],
    [1_100, 50],
    [1_400, 350]
  ])('a beat due at 1050 that comes at %i was blocked for %i ms', (at, blocked) => {
    const { time, pauses } = pausesAt()
    time.ms = at
    expect(pauses.beat()).toBe(blocked)
    expect(pauses.within(0, 2_000).blockedMs).toBe(blocked)
  })

  it('a span that ends before the late beat knows of the block', () => {
    const { time, pauses } = pausesAt()
    time.ms = 1_300
    expect(pauses.within(1_010, 1_300)).toEqual({ blockedMs: 250, gcPauseMs: 0 })
    expect(pauses.within(1_010, 1_029)).toEqual({ blockedMs: 0, gcPauseMs: 0 })
  })

  it('only what overlaps counts, long collections from 20 ms on', () => {
    const { pauses } = pausesAt()
    pauses.collected(500, 19)
    pauses.collected(600, 20)
    pauses.collected(700, 100)
    expect(pauses.within(500, 750).gcPauseMs).toBe(70)
    expect(pauses.within(650, 700).gcPauseMs).toBe(0)
  })

  it('the ring keeps the newest 64', () => {
    const ring = new PauseRing()
    for (let index = 0; index < 65; index++) ring.add(index * 10, index * 10 + 1)
    expect(ring.overlapMs(0, 5)).toBe(0)
    expect(ring.overlapMs(10, 1_000)).toBe(64)
  })
})

describe('open spans', () => {
  function opened() {
    const names = new Map<number, string>()
    const open = new OpenSpans((index, name) => names.set(index, name))
    const { tracer, time } = testTracer()
    const start = (name: string) => tracer.startSpan(name) as RecordingSpan
    return { open, names, start, time }
  }

  it('are read by another thread’s reader until they are closed', () => {
    const { open, names, start, time } = opened()
    const reader = new OpenSpansReader(open.shared)
    const first = start('GET')
    const slot = open.open(first)
    time.nowMs += 500
    open.open(start('GET'))
    for (const [index, name] of names) reader.name(index, name)

    const found = reader.startedBetween(0, first.startMs + 500)
    expect(found).toEqual([
      {
        traceId: [first.trace0, first.trace1, first.trace2, first.trace3],
        spanId: [first.span0, first.span1],
        kind: 0,
        name: 'GET',
        startMs: first.startMs
      }
    ])
    open.close(slot)
    expect(reader.startedBetween(0, first.startMs + 500)).toEqual([])
    expect(names.size).toBe(1)
  })

  it('1,024 are watched, the next is counted, and a free slot is used again', () => {
    const { open, start } = opened()
    const span = start('a')
    const slots = Array.from({ length: 1_024 }, () => open.open(span))
    expect(new Set(slots).size).toBe(1_024)
    expect(open.open(span)).toBe(-1)
    expect(open.unwatched).toBe(1)
    open.close(slots[7]!)
    expect(open.open(span)).toBe(slots[7])
  })

  it('are reported at ten seconds, with the block that they sit in, and every four minutes', () => {
    const { open, start } = opened()
    const span = start('GET')
    const slot = open.open(span)
    const reports = new OpenSpanReports(open.shared, { 'service.name': 'shop' }, scope)
    reports.name(1, 'GET')
    open.beat(span.startMs + 2_000)
    expect(reports.take(span.startMs + 10_000)).toBeUndefined()
    const report = reports.take(span.startMs + 10_001)
    expect(report!.spanCount).toBe(1)
    const text = Buffer.from(report!.bytes).toString('latin1')
    expect(text).toContain('GET is still open after 10 s')
    expect(text).toContain('spanloom.event_loop.blocked_ms')
    const firstMs = span.startMs + 10_000
    expect(reports.take(firstMs + OPEN_REPORT_AGAIN_MS - 1)).toBeUndefined()
    expect(reports.take(firstMs + OPEN_REPORT_AGAIN_MS)!.spanCount).toBe(1)
    expect(reports.take(firstMs + OPEN_REPORT_AGAIN_MS + 1)).toBeUndefined()
    open.close(slot)
    expect(reports.take(firstMs + OPEN_REPORT_AGAIN_MS * 2)).toBeUndefined()
  })
})

const scope = { name: 'test', version: '1' }

describe('overhead', () => {
  function meter(maxPercent: number) {
    const time = { ms: 0, senderMs: 0 }
    const levels: number[] = []
    const overhead = new Overhead({
      now: () => time.ms,
      senderBusyMs: () => time.senderMs,
      maxPercent,
      onLevel: (level) => levels.push(level)
    })
    const interval = (mainMs: number, senderMs = 0) => {
      // In parts that are believed where only the wall clock tells, and that add up exactly.
      for (let left = mainMs / STRIDES[0]; left > 0; left -= 0.0625) {
        while (!overhead.isTimed);
        overhead.took(Math.min(left, 0.0625))
      }
      time.ms += 5_000
      time.senderMs += senderMs
      overhead.tick()
    }
    return { overhead, interval, levels }
  }

  it('times one call in 61', () => {
    const { overhead } = meter(5)
    expect(Array.from({ length: 610 }, () => overhead.isTimed).filter(Boolean)).toHaveLength(10)
  })

  it('times fewer when there are many, and each stands for those beside it', () => {
    const { overhead, interval } = meter(0)
    const calls = 61 * 512 + 251 * 512 + 1_021 * 100
    let timed = 0
    for (let call = 0; call < calls; call++) {
      if (!overhead.isTimed) continue
      timed++
      // As if each of the calls had taken a microsecond.
      overhead.took(0.001)
    }
    expect(timed).toBe(512 + 512 + 100)
    interval(0)
    expect(overhead.percent).toBeCloseTo((calls * 0.001 * 100) / 5_000)
  })

  it('at the budget nothing is shed, above it one level an interval, to the last', () => {
    const { overhead, interval, levels } = meter(5)
    // 52 parts of 1/16 ms, 61 times.
    interval(198.25, 51.75)
    expect(overhead.percent).toBe(5)
    expect(levels).toEqual([])
    for (let index = 0; index < 20; index++) interval(251)
    expect(levels.at(-1)).toBe(SHED_LEVEL_MAX)
    expect(traceShareOf(SHED_LEVEL_MAX)).toBe(1 / 64)
    expect(traceShareOf(2)).toBe(1)
  })

  it('comes back after six calm intervals, and has no budget at 0', () => {
    const { interval, levels } = meter(5)
    interval(300)
    for (let index = 0; index < 5; index++) interval(100)
    expect(levels).toEqual([1])
    interval(100)
    expect(levels).toEqual([1, 0])
    const free = meter(0)
    free.interval(4_000)
    expect(free.levels).toEqual([])
  })
})

describe('runtime metrics', () => {
  it('are there by the conventions’ names, and garbage collection is a delta', () => {
    const runtime = new RuntimeMetrics(() => 1_795_426_799_000)
    runtime.collected({ kind: 'minor', durationMs: 5 })
    runtime.collected({ kind: 'minor', durationMs: 50 })
    const names = runtime.read().map((metric) => metric.name)
    expect(names).toEqual(
      expect.arrayContaining([
        'nodejs.eventloop.delay.p99',
        'nodejs.eventloop.utilization',
        'nodejs.eventloop.time',
        'v8js.gc.duration',
        'v8js.memory.heap.used',
        'process.cpu.time',
        'process.memory.usage',
        'nodejs.active_resources'
      ])
    )
    const gc = () => runtime.read().find((metric) => metric.name === 'v8js.gc.duration')!.points
    runtime.collected({ kind: 'minor', durationMs: 5 })
    runtime.collected({ kind: 'minor', durationMs: 50 })
    expect(gc()).toMatchObject([{ count: 2, sum: 0.055, bucketCounts: [1, 1, 0, 0, 0] }])
    expect(gc()).toEqual([])
    runtime.stop()
  })
})
