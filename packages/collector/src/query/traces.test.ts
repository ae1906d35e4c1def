/** How the list of traces is searched in slices, against a store that remembers what it was asked. */
import type { TraceSummary } from '@spanloom/query-api'
import { describe, expect, it } from 'vitest'
import type { SpanStore, TraceQuery } from '../store/span-store.ts'
import { askTraces } from './traces.ts'

const NOW_MS = 1_795_424_405_000
const HOUR_MS = 3_600_000
const signal: AbortSignal = new AbortController().signal

function summary(traceId: string, startUnixMs: number): TraceSummary {
  return {
    traceId,
    startTimeUnixNano: String(BigInt(startUnixMs) * 1_000_000n),
    durationMs: 1,
    rootService: 'shop',
    rootOperation: 'GET /',
    rootStatus: 'unset',
    spanCount: 1,
    errorCount: 0,
    services: ['shop']
  }
}

class SlowStore {
  readonly asked: TraceQuery[] = []
  now = NOW_MS
  readonly #traces: readonly TraceSummary[]
  readonly #msPerQuestion: number

  constructor(traces: readonly TraceSummary[], msPerQuestion = 0) {
    this.#traces = traces
    this.#msPerQuestion = msPerQuestion
  }

  async findTraces(query: TraceQuery): Promise<readonly TraceSummary[]> {
    this.asked.push(query)
    this.now += this.#msPerQuestion
    return this.#traces
      .filter(({ startTimeUnixNano, traceId }) => {
        const start = BigInt(startTimeUnixNano)
        const ms = Number(start / 1_000_000n)
        const { after } = query
        const key = after && BigInt(after.startUnixNano)
        const older =
          after === undefined || start < key! || (start === key && traceId < after.traceId)
        return ms >= query.fromUnixMs && ms < query.toUnixMs && older
      })
      .slice(0, query.limit)
  }

  ask(params: Parameters<typeof askTraces>[1]) {
    return askTraces(this as unknown as SpanStore, params, () => this.now, signal)
  }
}

const id = (digit: string) => digit.repeat(32)

describe('the search for traces', () => {
  it('looks no further back than it has to', async () => {
    const store = new SlowStore([summary(id('b'), NOW_MS - 1), summary(id('a'), NOW_MS - 2)])
    const { traces, nextCursor } = await store.ask({ from: 0, to: NOW_MS, limit: 1 })
    expect(traces.map(({ traceId }) => traceId)).toEqual([id('b')])
    expect(nextCursor).toBeDefined()
    expect(store.asked).toHaveLength(1)
    expect(store.asked[0]!.fromUnixMs).toBe(NOW_MS - HOUR_MS / 4)
  })

  it('looks through the whole window, without a gap, when there is little', async () => {
    const store = new SlowStore([summary(id('a'), 5)])
    const answer = await store.ask({ from: 3, to: NOW_MS })
    expect(answer).toEqual({ traces: [summary(id('a'), 5)], searchedFromUnixMs: 3 })
    const { asked } = store
    expect(asked[0]!.toUnixMs).toBe(NOW_MS)
    expect(asked.at(-1)!.fromUnixMs).toBe(3)
    for (let at = 1; at < asked.length; at++) {
      expect(asked[at]!.toUnixMs).toBe(asked[at - 1]!.fromUnixMs)
    }
    expect(asked.length).toBeLessThan(10)
  })

  it('stops when it takes too long, says how far it got, and goes on from there', async () => {
    const traces = [summary(id('b'), NOW_MS - 1), summary(id('a'), 5)]
    const slow = new SlowStore(traces, 4_001)
    const first = await slow.ask({ from: 0, to: NOW_MS, limit: 2 })
    expect(first.traces.map(({ traceId }) => traceId)).toEqual([id('b')])
    expect(first.searchedFromUnixMs).toBe(NOW_MS - HOUR_MS / 4)
    const quick = new SlowStore(traces)
    const second = await quick.ask({ from: 0, to: NOW_MS, cursor: first.nextCursor! })
    expect(second.traces.map(({ traceId }) => traceId)).toEqual([id('a')])
    expect(second.nextCursor).toBeUndefined()
  })

  it('has no cursor when the last page is exactly full', async () => {
    const store = new SlowStore([summary(id('b'), NOW_MS - 1), summary(id('a'), NOW_MS - 2)])
    const answer = await store.ask({ limit: 2 })
    expect(answer.traces).toHaveLength(2)
    expect(answer.nextCursor).toBeUndefined()
  })
})
