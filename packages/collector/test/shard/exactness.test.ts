/**
 * The promise: a shard is a pure function of its records. Whatever crashes, whatever is replayed,
 * the store ends up with the same rows and the counters with the same counts.
 */
import { describe, expect, it } from 'vitest'
import type { StoreBatch } from '../../src/model/store-batch.ts'
import type { ShardOptions } from '../../src/pipeline/options.ts'
import { defaultOptions, readBatches, ShardRun } from './harness.ts'
import { randomOf } from './payloads.ts'
import { makeTraffic, type Traffic } from './traffic.ts'

const SEEDS = Array.from({ length: 12 }, (_, seed) => seed + 1)

/** Limits so low that all of them are met. */
const TIGHT: Partial<ShardOptions> = {
  spansPerTraceMax: 9,
  openSpansMax: 60,
  openPayloadBytesMax: 6_000,
  decidedSpansMax: 120,
  decidedTracesMax: 25,
  seriesMax: 30,
  edgesMax: 12,
  batchSpansMax: 10
}

function straight(traffic: Traffic, options: ShardOptions): ShardRun {
  const run = new ShardRun(options)
  run.start()
  run.shard.live()
  return run.accept(traffic.records)
}

/** By token: what a store that drops repeated tokens ends up with. */
function stored(batches: readonly StoreBatch[], into = new Map<string, StoreBatch>()) {
  for (const batch of batches) {
    const first = into.get(batch.token)
    // The store drops the second: it must be no other than the first.
    if (first !== undefined) expect(batch).toEqual(first)
    else into.set(batch.token, batch)
  }
  return into
}

/** Crashes again and again; restarts from a checkpoint that was saved, once all before it is stored. */
function crashing(
  traffic: Traffic,
  options: ShardOptions,
  seed: number
): { run: ShardRun; store: Map<string, StoreBatch> } {
  const random = randomOf(seed * 7919)
  const store = new Map<string, StoreBatch>()
  const { records } = traffic
  let state: Uint8Array | undefined
  let reached = 0
  for (;;) {
    const run = new ShardRun(options)
    const { position, replayFrom } = run.start(state)
    run.accept(records.slice(replayFrom, Math.max(reached, position + 1)))
    run.shard.live()
    const crashAt = Math.max(reached, position + 1) + Math.floor(random() * 40)
    run.accept(records.slice(Math.max(reached, position + 1), crashAt))
    if (crashAt >= records.length) {
      stored(run.batches, store)
      return { run, store }
    }
    // The store took some of the batches; a checkpoint counts when all up to its position are there.
    const takenUpTo = Math.floor(random() * (run.batches.length + 1))
    stored(run.batches.slice(0, takenUpTo), store)
    const refused = run.batches[takenUpTo]?.position ?? Number.POSITIVE_INFINITY
    const saved = run.checkpoints.filter((checkpoint) => checkpoint.position < refused)
    state = saved.at(-1)?.state ?? state
    reached = Math.min(crashAt, records.length)
  }
}

describe.each([
  ['default limits', defaultOptions()],
  ['limits that are all met', defaultOptions(TIGHT)]
])('with %s', (_name, options) => {
  it.each(SEEDS)('crashes change nothing (seed %i)', (seed) => {
    const traffic = makeTraffic(seed)
    const reference = straight(traffic, options)

    const { run, store } = crashing(traffic, options, seed)

    expect([...store.keys()]).toHaveLength(reference.batches.length)
    expect(store).toEqual(stored(reference.batches))
    expect(run.snapshot()).toEqual(reference.snapshot())
    expect(run.stats).toEqual(reference.stats)
  })

  it.each(SEEDS)('crashes change nothing of what was counted elsewhere (seed %i)', (seed) => {
    const traffic = makeTraffic(seed, { precounted: true })
    const reference = straight(traffic, options)

    const { run, store } = crashing(traffic, options, seed)

    expect(store).toEqual(stored(reference.batches))
    expect(run.snapshot()).toEqual(reference.snapshot())
    expect(run.stats).toEqual(reference.stats)
  })

  it.each(SEEDS)('every span is counted once and kept once (seed %i)', (seed) => {
    const traffic = makeTraffic(seed)
    const run = straight(traffic, options)
    const { spans } = run.snapshot()
    const calls = spans.calls.reduce((sum, count) => sum + count, 0)
    const rollups = run.written.spanMetrics.reduce((sum, delta) => sum + delta.calls, 0)
    const kept = run.written.traces.flatMap((trace) => trace.spans.map(({ span }) => span))

    if (options.decidedSpansMax > traffic.spans.length) {
      expect(run.stats).toMatchObject({
        spansAccepted: traffic.spans.length,
        spansDuplicate: traffic.duplicates,
        tracesOpen: 0
      })
      expect(new Set(kept).size).toBe(traffic.spans.length)
    }
    expect(calls).toBe(run.stats!.spansAccepted)
    expect(rollups).toBe(calls)
    expect(kept).toHaveLength(calls)
    expect(run.stats!.spansAccepted + run.stats!.spansDuplicate).toBe(
      traffic.spans.length + traffic.duplicates
    )
  })
})

describe('the traffic', () => {
  it('meets what it is made for', () => {
    const runs = SEEDS.map((seed) => straight(makeTraffic(seed), defaultOptions()).stats!)
    const tight = SEEDS.map((seed) => straight(makeTraffic(seed), defaultOptions(TIGHT)).stats!)
    const sum = (stats: typeof runs, name: keyof (typeof runs)[0]) =>
      stats.reduce((total, one) => total + one[name], 0)

    expect(sum(runs, 'spansDuplicate')).toBeGreaterThan(100)
    expect(sum(runs, 'spansLate')).toBeGreaterThan(100)
    expect(sum(runs, 'edgesExpired')).toBeGreaterThan(10)
    expect(sum(tight, 'tracesDecidedEarly')).toBeGreaterThan(100)
    expect(sum(tight, 'seriesOverflow')).toBeGreaterThan(100)
  })
})

describe('any number of shards', () => {
  it.each(SEEDS.slice(0, 4))('gives the same totals (seed %i)', (seed) => {
    const traffic = makeTraffic(seed)
    const one = straight(traffic, defaultOptions())
    const three = [0, 1, 2].map((shard) => {
      const run = new ShardRun(defaultOptions(), shard, 3)
      run.start()
      run.shard.live()
      return run.accept(traffic.records)
    })

    expect(seriesOf(three)).toEqual(seriesOf([one]))
    expect(edgesOf(three)).toEqual(edgesOf([one]))
    expect(tracesOf(three)).toEqual(tracesOf([one]))
    for (const run of three) expect(run.stats!.spansAccepted).toBeGreaterThan(0)
  })
})

function seriesOf(runs: readonly ShardRun[]): Map<string, number> {
  const totals = new Map<string, number>()
  for (const { spans } of runs.map((run) => run.snapshot())) {
    for (let series = 0; series < spans.calls.length; series++) {
      const key = [spans.service, spans.spanName, spans.kind, spans.status]
        .map((column) => column[series])
        .join('|')
      totals.set(key, (totals.get(key) ?? 0) + spans.calls[series]!)
    }
  }
  return totals
}

function edgesOf(runs: readonly ShardRun[]): Map<string, number> {
  const totals = new Map<string, number>()
  for (const { edges } of runs.map((run) => run.snapshot())) {
    for (let edge = 0; edge < edges.calls.length; edge++) {
      const key = `${edges.client[edge]}>${edges.server[edge]}(${edges.connectionType[edge]})`
      totals.set(key, (totals.get(key) ?? 0) + edges.calls[edge]! * 1e6 + edges.failed[edge]!)
    }
  }
  return totals
}

function tracesOf(runs: readonly ShardRun[]): string[] {
  return runs
    .flatMap((run) => readBatches(run.batches).traces)
    .map((trace) => JSON.stringify(trace))
    .sort()
}
