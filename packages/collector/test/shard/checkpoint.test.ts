import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { ShardCheckpoint } from '../../src/model/checkpoint.ts'
import { readState } from '../../src/pipeline/shard-state.ts'
import { DEFAULT_POLICIES } from '../../src/sample/policies.ts'
import { defaultOptions, ShardRun } from './harness.ts'
import { KIND } from './payloads.ts'
import { span, Timeline } from './timeline.ts'
import { makeTraffic } from './traffic.ts'

function last(line: { readonly checkpoints: readonly ShardCheckpoint[] }): ShardCheckpoint {
  return line.checkpoints.at(-1)!
}

describe('a checkpoint', () => {
  it('is taken when the shard falls idle, and then there is nothing more to wait for', () => {
    const line = new Timeline().payload(0, span(1, 1, 0))
    expect(line.idle).toBe(false)

    expect(line.tick(1000).checkpoints).toEqual([])
    expect(line.idle).toBe(false)
    line.tick(2000)
    expect(last(line)).toMatchObject({ shard: 0, position: 2, replayFrom: 3 })
    expect(line.idle).toBe(true)
    expect(line.tick(30_000).checkpoints).toHaveLength(1)
  })

  it('is taken every checkpointIntervalMs while there is something to do', () => {
    const line = new Timeline({ checkpointIntervalMs: 3000 })
    for (let second = 0; second <= 10; second++) {
      line.payload(second * 1000, span(1, second + 2, 1)).tick(second * 1000)
    }

    expect(line.checkpoints.map(({ position }) => line.records[position]!.clockMs)).toEqual([
      3000, 6000, 9000
    ])
  })

  it('says from where on records are needed: the first span of the oldest open trace', () => {
    const line = new Timeline({ checkpointIntervalMs: 1000 })
    line
      .payload(0, span(1, 1, 0))
      .payload(0, span(2, 2, 1))
      .payload(900, span(3, 2, 1))
      .tick(2000)

    expect(last(line)).toMatchObject({ position: 3, replayFrom: 1 })
  })

  it('counts a duplicate as something to keep', () => {
    const line = new Timeline()
      .payload(0, span(1, 1, 0))
      .tick(2000)
      .payload(3000, span(1, 1, 0))
    expect(line.idle).toBe(false)

    line.tick(3100)
    expect(line.checkpoints).toHaveLength(2)
    expect(line.idle).toBe(true)
  })

  it('has memory of its own size, so that it can be handed over', () => {
    const { state } = last(new Timeline().payload(0, span(1, 1, 0)).tick(2000))

    expect(state.byteLength).toBe(state.buffer.byteLength)
  })
})

describe('a restart', () => {
  it('without a checkpoint wants all records', () => {
    expect(new ShardRun().start()).toMatchObject({ position: -1, replayFrom: 0 })
  })

  it('repeats late entries as late', () => {
    const line = new Timeline({ checkpointIntervalMs: 1000 })
    line
      .payload(0, span(1, 1, 0))
      .tick(2000)
      .payload(3000, span(1, 2, 1))
      .tick(4000)
    const again = new ShardRun(defaultOptions({ checkpointIntervalMs: 1000 }))
    expect(again.start(last(line).state)).toMatchObject({ position: 3, replayFrom: 2 })

    again.accept(line.records.slice(2))
    line.tick(5000)
    again.accept(line.records.slice(4))
    expect(again.batches).toEqual(line.batches.slice(-1))
    expect(again.written.traces).toMatchObject([{ late: true }])
    expect(again.stats).toEqual(line.stats)
  })

  it('puts open spans back though the decided memory has forgotten what is around them', () => {
    const options = { decidedSpansMax: 2, decidedTracesMax: 2, checkpointIntervalMs: 1000 }
    const line = new Timeline(options)
    const short = Array.from({ length: 20 }, (_, trace) => span(trace + 10, 1, 0))
    line.payload(0, span(1, 2, 1), ...short).tick(2000)
    const again = new ShardRun(defaultOptions(options))
    again.start(last(line).state)
    again.accept(line.records)

    expect(again.batches).toEqual([])
    expect(again.stats).toEqual(line.stats)
  })

  it('refuses a gap in the records', () => {
    const line = new Timeline().payload(0, span(1, 1, 0)).tick(2000)
    const again = new ShardRun()
    again.start(last(line).state)
    const tick = { kind: 'tick', clockMs: 3000, receivedUnixMs: 0 } as const

    expect(() => again.shard.accept({ ...tick, position: 3 })).toThrow(
      expect.objectContaining({ code: 'PIPELINE_RECORD_ORDER' })
    )
  })

  it('refuses records that are not those of the checkpoint', () => {
    const line = new Timeline({ checkpointIntervalMs: 1000 }).payload(0, span(1, 2, 1)).tick(1000)
    const again = new ShardRun()
    again.start(last(line).state)
    const ticks = [0, 1].map((position) => ({ ...line.records[1]!, position }))

    expect(() => again.accept(ticks)).toThrow(
      expect.objectContaining({ code: 'PIPELINE_REPLAY_INCOMPLETE' })
    )
  })

  it('refuses a state that was damaged, cut, or is of another version', () => {
    const { state } = last(new Timeline().payload(0, span(1, 1, 0)).tick(2000))
    const read = (bytes: Uint8Array) => () => readState(bytes, DEFAULT_POLICIES)
    const damaged = state.slice()
    damaged[100]! ^= 1
    const code = (name: string) => expect.objectContaining({ code: name })

    expect(read(damaged)).toThrow(code('PIPELINE_STATE_DAMAGED'))
    expect(read(state.slice(0, -1))).toThrow(code('PIPELINE_STATE_DAMAGED'))
    expect(read(new Uint8Array(3))).toThrow(code('PIPELINE_STATE_DAMAGED'))
    expect(read(otherVersion(state))).toThrow(code('PIPELINE_STATE_VERSION'))
    expect(read(state)).not.toThrow()
  })
})

describe('changed options', () => {
  const before = defaultOptions({ checkpointIntervalMs: 1000 })
  const after = defaultOptions({ settledIdleMs: 200, unsettledIdleMs: 500, batchSpansMax: 7 })

  it('wait for the first live tick, and are saved behind a barrier', () => {
    const line = new Timeline({ checkpointIntervalMs: 1000 }).payload(0, span(1, 2, 1)).tick(1000)
    const again = new ShardRun(after)
    again.start(last(line).state)
    again.accept(line.records)
    again.shard.live()
    const tick = { kind: 'tick', receivedUnixMs: 0 } as const

    expect(again.accept([{ ...tick, position: 2, clockMs: 1100 }]).written.traces).toEqual([])
    expect(again.barriers).toEqual([2])
    expect(again.accept([{ ...tick, position: 3, clockMs: 1200 }]).written.traces).toHaveLength(1)
  })

  it.each([1, 2, 3, 4, 5, 6])('do not change what a replay repeats (seed %i)', (seed) => {
    const { records } = makeTraffic(seed)
    const half = records.length >> 1
    const first = new ShardRun(before)
    first.start()
    first.accept(records.slice(0, half))
    const { state, replayFrom } = last(first)
    const second = new ShardRun(after)
    second.start(state)
    second.accept(records.slice(replayFrom, half))
    second.shard.live()
    second.accept(records.slice(half))
    const barrier = second.checkpoints.find(({ position }) => position === second.barriers[0])!

    const third = new ShardRun(before)
    third.start(barrier.state)
    third.accept(records.slice(barrier.replayFrom))

    expect(second.barriers).toHaveLength(1)
    expect(third.batches).toEqual(
      second.batches.filter((batch) => batch.position > barrier.position)
    )
    expect(third.stats).toEqual(second.stats)
    expect(third.snapshot()).toEqual(second.snapshot())
  })
})

describe('exemplars', () => {
  const line = () =>
    new Timeline().payload(0, span(1, 1, 0, { durationMs: 5 }), span(1, 2, 1)).tick(2000)

  it('are shown once their batch is stored, and not before', () => {
    const run = line()
    expect(run.shard.snapshot().spans.exemplars).toEqual([])
    run.shard.stored(0)
    expect(run.shard.snapshot().spans.exemplars).toEqual([])

    run.shard.stored(1)
    const { spans, edges } = run.shard.snapshot()
    expect(spans.exemplars).toMatchObject([
      { series: 0, bucket: 2, traceId: '1'.padStart(32, '0'), spanId: '1'.padStart(16, '0') },
      { series: 0, bucket: 4, spanId: '2'.padStart(16, '0'), valueMs: 10 }
    ])
    expect(edges.exemplars).toMatchObject([{ series: 0, bucket: 2, valueMs: 5 }])
  })

  it('survive a restart: a checkpoint is used when all before it is stored', () => {
    const run = line()
    const again = new ShardRun()
    again.start(last(run).state)

    expect(again.shard.snapshot()).toEqual(run.snapshot())
    expect(again.shard.snapshot().spans.exemplars).toHaveLength(2)
  })

  it('give way to newer ones, and to age', () => {
    const run = line()
      .payload(5000, span(2, 1, 0, { durationMs: 5 }))
      .tick(7000)
    const traces = () => run.snapshot().spans.exemplars.map(({ traceId }) => Number(traceId))
    expect(traces()).toEqual([2, 1])

    run.tick(3_600_000 + 60_000)
    expect(traces()).toEqual([])
  })
})

describe('names that nobody uses any more', () => {
  it('are let go of, and change nothing', () => {
    const options = { seriesMax: 50, edgesMax: 20, spansPerTraceMax: 100_000 }
    const line = new Timeline(options)
    let id = 1
    for (let second = 0; second < 12; second++) {
      const spans = Array.from({ length: 3000 }, () => {
        const name = `op-${id}`
        const attributes = { 'db.system': 'redis', 'db.name': `peer-${id}` }
        return span(second * 1000 + (id % 9) + 1, id++, 0, { name, attributes, kind: KIND.CLIENT })
      })
      line.payload(second * 1000, ...spans).tick(second * 1000)
    }
    line.tick(60_000)
    const names = readState(last(line).state, DEFAULT_POLICIES).stages.names.size
    const { spans } = line.snapshot()

    // 72,000 came by; 18,000 were of open spans at a time.
    expect(names).toBeLessThan(40_000)
    expect(spans.spanName.slice(0, 50)).toEqual(
      Array.from({ length: 50 }, (_, index) => `op-${index + 1}`)
    )
    expect(spans.calls.reduce((sum, calls) => sum + calls, 0)).toBe(36_000)
    expect(line.written.traces.every(({ rootOperation }) => /^op-\d+$/.test(rootOperation))).toBe(
      true
    )
  })
})

function otherVersion(state: Uint8Array): Uint8Array {
  const changed = Buffer.from(state)
  changed.writeUInt32LE(99, 4)
  changed.writeUInt32LE(crc32(changed.subarray(0, -4)), changed.length - 4)
  return changed
}
