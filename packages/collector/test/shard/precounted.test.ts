/** Spans that were counted in their process give what they would give if they were counted here. */
import { describe, expect, it } from 'vitest'
import { DeltaStreams, STREAMS_MAX } from '../../src/derive/delta-streams.ts'
import { BinaryReader, BinaryWriter } from '../../src/lib/binary.ts'
import { readState } from '../../src/pipeline/shard-state.ts'
import { DEFAULT_POLICIES } from '../../src/sample/policies.ts'
import { defaultOptions, ShardRun, type Written } from './harness.ts'
import { encodeStats, KIND, type TestPoint } from './payloads.ts'
import { span, Timeline, UNIX_MS } from './timeline.ts'
import { makeTraffic } from './traffic.ts'
import { STATE_OF_VERSION_1 } from './version-1-state.ts'

const SEEDS = [1, 2, 3, 4, 5, 6]

function run(seed: number, precounted: boolean, shards = 1): ShardRun[] {
  const traffic = makeTraffic(seed, { precounted })
  return Array.from({ length: shards }, (_, shard) => {
    const one = new ShardRun(defaultOptions(), shard, shards)
    one.start()
    one.shard.live()
    return one.accept(traffic.records)
  })
}

/** All that is known of each series, in order of its key. */
function seriesOf(runs: readonly ShardRun[]) {
  const series = new Map<string, { calls: number; sumNano: number; buckets: number[] }>()
  for (const { spans } of runs.map((one) => one.snapshot())) {
    const width = spans.duration.buckets.length / spans.calls.length
    for (const [row, calls] of spans.calls.entries()) {
      const key = [spans.service, spans.spanName, spans.kind, spans.status].map(
        (column) => column[row]
      )
      const known = series.get(key.join()) ?? { calls: 0, sumNano: 0, buckets: [] }
      const buckets = [...spans.duration.buckets.slice(row * width, (row + 1) * width)]
      series.set(key.join(), {
        calls: known.calls + calls,
        sumNano: known.sumNano + Math.round(spans.duration.sumsMs[row]! * 1e6),
        buckets: buckets.map((count, bucket) => count + (known.buckets[bucket] ?? 0))
      })
    }
  }
  return [...series].sort(([left], [right]) => (left < right ? -1 : 1))
}

/** What the rollup rows add up to, by operation and step. */
function rollupsOf({ spanMetrics }: Written) {
  const totals = new Map<string, Record<string, number>>()
  for (const { stepUnixMs, service, operation, kind, durations, ...sums } of spanMetrics) {
    const key = [service, operation, kind, stepUnixMs].join()
    const total = totals.get(key) ?? {}
    for (const [name, value] of Object.entries(sums)) total[name] = (total[name] ?? 0) + value
    for (const [at, index] of durations.indexes.entries()) {
      total[index] = (total[index] ?? 0) + durations.counts[at]!
    }
    totals.set(key, total)
  }
  return [...totals].sort(([left], [right]) => (left < right ? -1 : 1))
}

const point = (facts: Partial<TestPoint> = {}): TestPoint => ({
  ...{ name: 'op', kind: KIND.SERVER, startUnixMs: UNIX_MS, durationsNano: [10e6] },
  ...facts
})

/** Calls by name of the span; the overflow series has an empty one. */
function callsOf(line: ShardRun): Record<string, number> {
  const { spans } = line.snapshot()
  const names = spans.spanName.map((name, row) => (row === spans.overflow ? '' : name))
  return Object.fromEntries(names.map((name, row) => [name, spans.calls[row]!]))
}

describe('spans that were counted in their process', () => {
  it.each(SEEDS)('are in the same series, buckets and rollups (seed %i)', (seed) => {
    const [here] = run(seed, false)
    const [there] = run(seed, true)

    expect(there!.stats!.deltasDuplicate).toBeGreaterThan(0)
    expect(there!.stats!.callsPrecounted).toBeGreaterThan(50)
    expect(there!.stats!.spansAccepted).toBe(here!.stats!.spansAccepted)
    expect(there!.written.traces).toHaveLength(here!.written.traces.length)
    expect(seriesOf([there!])).toEqual(seriesOf([here!]))
    expect(rollupsOf(there!.written)).toEqual(rollupsOf(here!.written))
  })

  it.each(SEEDS.slice(0, 3))('count in one shard of several (seed %i)', (seed) => {
    const three = run(seed, true, 3)
    const calls = three.map((one) => one.stats!.callsPrecounted)

    expect(seriesOf(three)).toEqual(seriesOf(run(seed, false)))
    expect(calls.filter((count) => count > 0).length).toBeGreaterThan(1)
  })

  it('are told by their resource, their kind and their parent', () => {
    const line = new Timeline().payload(
      0,
      span(1, 1, 0, { counted: true, name: 'root' }),
      span(1, 2, 1, { counted: true, name: 'inner', kind: KIND.INTERNAL }),
      span(1, 3, 1, { counted: true, name: 'client', kind: KIND.CLIENT }),
      span(2, 1, 9, { counted: true, name: 'job', kind: KIND.INTERNAL, remoteParent: true }),
      span(2, 2, 1, { counted: true, name: 'step', kind: KIND.INTERNAL, remoteParent: false }),
      span(3, 1, 0, { service: 'b', counted: false, name: 'says no' }),
      span(4, 1, 0, { service: 'c', name: 'says nothing' })
    )

    expect(callsOf(line)).toEqual({
      ...{ root: 0, client: 0, job: 0 },
      ...{ inner: 1, step: 1, 'says no': 1, 'says nothing': 1 }
    })
    expect(line.stats!.spansAccepted).toBe(7)
  })

  it('are taken once, however often and in whatever order they arrive', () => {
    const payload = (sequence: number) => encodeStats('a', 'process', sequence, [point()])
    const line = new Timeline()
    for (const sequence of [1, 1, 3, 2, 3, 2, 1, 40, 3, 8, 7, 8]) line.metrics(0, payload(sequence))

    // 7 came more than 32 after its turn: it was taken or given up long ago.
    expect(callsOf(line)).toEqual({ op: 5 })
    expect(line.stats!.deltasDuplicate).toBe(7)
    line.metrics(0, encodeStats('a', 'a process started anew', 1, [point()]))
    expect(callsOf(line)).toEqual({ op: 6 })
  })

  it('stay taken after a restart, from any checkpoint on', () => {
    const line = new Timeline({ checkpointIntervalMs: 1000 })
    for (let second = 0; second < 10; second++) {
      const payload = encodeStats('a', 'process', second + 1, [point()])
      line.metrics(second * 1000, payload).metrics(second * 1000, payload)
      line.payload(second * 1000, span(second + 1, 1, 0, { counted: true }))
      line.tick(second * 1000 + 500)
    }
    expect(line.checkpoints.length).toBeGreaterThan(5)
    for (const checkpoint of line.checkpoints) {
      const again = new ShardRun(defaultOptions({ checkpointIntervalMs: 1000 }))
      const { replayFrom } = again.start(checkpoint.state)
      again.accept(line.records.slice(replayFrom))
      expect(again.stats).toEqual(line.stats)
      expect(callsOf(again)).toEqual({ op: 10 })
    }
  })

  it('count under the overflow series when they did so there', () => {
    const overflow = point({ name: '', overflow: true, status: 2, durationsNano: [1, 2, 3] })
    const line = new Timeline().metrics(0, encodeStats('a', 'p', 1, [overflow, point()])).tick(1000)

    expect(callsOf(line)).toEqual({ '': 3, op: 1 })
    expect(line.stats!.seriesOverflow).toBe(3)
    const rows = line.written.spanMetrics.map((row) => [row.operation, row.calls, row.errors])
    expect(rows).toEqual([
      ['(overflow)', 3, 3],
      ['op', 1, 0]
    ])
  })

  it('count under the overflow series when there is no room here', () => {
    const points = [point({ name: 'one' }), point({ name: 'two' }), point({ name: 'three' })]
    const line = new Timeline({ seriesMax: 2 }).metrics(0, encodeStats('a', 'p', 1, points))

    expect(callsOf(line)).toEqual({ one: 1, two: 1, '': 1 })
  })

  it('have names cut as those of spans are', () => {
    const name = `${'x'.repeat(1023)}é and more`
    const line = new Timeline()
      .payload(0, span(1, 1, 0, { counted: true, name }))
      .metrics(0, encodeStats('', 'p', 1, [point({ name: name.slice(0, 1024) })]))

    const { spans } = line.snapshot()
    expect(spans.spanName).toEqual(['x'.repeat(1023), 'x'.repeat(1023)])
    expect(spans.service).toEqual(['a', 'unknown_service'])
  })

  it('that cannot be read are a dropped payload', () => {
    const line = new Timeline().metrics(0, new Uint8Array([0x0a, 9, 1]))

    expect(line.stats!.payloadsDropped).toBe(1)
  })
})

describe('a state from before such spans were taken', () => {
  it('is read, and goes on', () => {
    const state = new Uint8Array(Buffer.from(STATE_OF_VERSION_1, 'base64'))
    const { totals } = readState(state, DEFAULT_POLICIES)
    expect(totals).toMatchObject({ spansAccepted: 2, callsPrecounted: 0, deltasDuplicate: 0 })

    const line = new Timeline({ checkpointIntervalMs: 1000 })
      .payload(0, span(1, 1, 0), span(2, 2, 1))
      .tick(2500)
    const again = new ShardRun(defaultOptions({ checkpointIntervalMs: 1000 }))
    expect(again.start(state)).toMatchObject({ position: 1, replayFrom: 0 })
    again.accept(line.records)
    expect(again.stats).toEqual(line.stats)
  })
})

describe('DeltaStreams', () => {
  it('knows the last 33 numbers of a stream one by one, also from its written form', () => {
    const streams = new DeltaStreams()
    for (let sequence = 100; sequence > 68; sequence -= 2) streams.take('a', sequence)
    const writer = new BinaryWriter()
    streams.write(writer)
    const again = new DeltaStreams()
    again.read(new BinaryReader(writer.finish()))

    expect(again.take('a', 68)).toBe(true)
    expect(again.take('a', 67)).toBe(false)
    for (let sequence = 70; sequence <= 100; sequence++) {
      expect(again.take('a', sequence)).toBe(sequence % 2 === 1)
    }
    expect(again.take('a', 133)).toBe(true)
    expect(again.take('a', 101)).toBe(true)
    expect(again.take('a', 100)).toBe(false)
  })

  it('forgets the stream that was silent longest, beyond its limit', () => {
    const streams = new DeltaStreams()
    for (let stream = 0; stream < STREAMS_MAX; stream++) streams.take(`${stream}`, 1)
    expect(streams.take('0', 1)).toBe(false)
    expect(streams.take('one more', 1)).toBe(true)
    expect(streams.take('0', 1)).toBe(false)
    expect(streams.take('1', 1)).toBe(true)
  })
})
