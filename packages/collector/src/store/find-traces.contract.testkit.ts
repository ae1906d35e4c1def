/**
 * The search for traces, against a plain reading of the rules: random traces with late parts, every
 * parameter by itself and random combinations of them.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import {
  keptTrace,
  spanIdOf,
  type TestSpan,
  type TestTrace,
  traceIdOf
} from './kept-trace.testkit.ts'
import type { TraceQuery } from './span-store.ts'
import { opened, type StoreUnderTest, T0, T0_MS, tracesBatch } from './store.contract.testkit.ts'

const TRACES = 150
const QUERIES = 150
const MS = 1_000_000
const SERVICES = ['shop', 'orders', `it's`, 'jobs']
const OPERATIONS = ['GET /', 'POST /x', 'SELECT']
const signal: AbortSignal = new AbortController().signal

/** Small and seeded: a failure shows the same again. */
function randomOf(seed: number) {
  let state = seed
  return {
    below(limit: number): number {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return Math.floor((state / 2 ** 32) * limit)
    },
    oneOf<T>(items: readonly T[]): T {
      return items[this.below(items.length)]!
    },
    chance(percent: number): boolean {
      return this.below(100) < percent
    }
  }
}

type Random = ReturnType<typeof randomOf>

function randomSpan(random: Random, number: number): TestSpan {
  return {
    spanId: spanIdOf(number),
    ...(number === 1 ? {} : { parentSpanId: spanIdOf(1) }),
    service: random.oneOf(SERVICES),
    name: random.oneOf(OPERATIONS),
    status: random.oneOf([0, 0, 1, 2]),
    offsetNano: random.below(400) * MS,
    durationNano: random.below(100) * MS,
    attributes: { tier: random.oneOf(['gold', 'free']), n: BigInt(random.below(3)) },
    resource: { zone: random.oneOf(['a', 'b']) }
  }
}

/** Each with its parts: one that was decided on, and sometimes late ones. */
function randomTraces(random: Random): readonly (readonly TestTrace[])[] {
  return Array.from({ length: TRACES }, (_, index) => {
    const traceId = traceIdOf((index + 1) * 104_729)
    const startUnixNano = T0 + BigInt(random.below(60) * 100 * MS)
    const partCount = random.chance(30) ? 2 + random.below(2) : 1
    return Array.from({ length: partCount }, (_part, part) => ({
      traceId,
      // A late part may begin before, within or hours after the first.
      startUnixNano: startUnixNano + BigInt(part * (random.below(5) - 2) * 1_300 * MS),
      late: part > 0,
      spans: Array.from({ length: 1 + random.below(3) }, (_span, span) =>
        randomSpan(random, part * 10 + span + 1)
      )
    }))
  })
}

function randomQuery(random: Random): TraceQuery {
  const from = random.chance(50) ? 0 : T0_MS + random.below(5_000)
  return {
    fromUnixMs: from,
    toUnixMs: random.chance(50) ? T0_MS + 86_400_000 : from + random.below(5_000),
    ...(random.chance(40) ? { service: random.oneOf(SERVICES) } : {}),
    ...(random.chance(40) ? { operation: random.oneOf(OPERATIONS) } : {}),
    ...(random.chance(30) ? { minDurationMs: random.below(120) } : {}),
    ...(random.chance(30) ? { maxDurationMs: 20 + random.below(500) } : {}),
    ...(random.chance(40) ? { status: random.oneOf(['ok', 'error'] as const) } : {}),
    attributes: randomAttributes(random),
    limit: 1 + random.below(TRACES)
  }
}

function randomAttributes(random: Random): TraceQuery['attributes'] {
  const attributes = [
    { key: 'tier', value: random.oneOf(['gold', 'free']) },
    { key: 'n', value: String(random.below(3)) },
    { key: 'zone', value: random.oneOf(['a', 'b', 'c']) },
    { key: 'tier', value: '' }
  ]
  return attributes.filter((_, index) => random.chance(index === 3 ? 2 : 20))
}

/** The rules of `routes.ts`, in words of arrays. */
function expectedIds(traces: readonly (readonly TestTrace[])[], query: TraceQuery) {
  return traces
    .map((parts) => wholeOf(parts))
    .filter((whole) => isFound(whole, query))
    .toSorted((a, b) => (a.start === b.start ? (a.id < b.id ? 1 : -1) : a.start < b.start ? 1 : -1))
    .slice(0, query.limit)
    .map(({ id }) => id)
}

function wholeOf(parts: readonly TestTrace[]) {
  const spans = parts.flatMap((part) =>
    part.spans.map((span) => {
      const start = part.startUnixNano + BigInt(span.offsetNano!)
      return { ...span, start, end: start + BigInt(span.durationNano!) }
    })
  )
  const start = inOrder(spans.map((span) => span.start))[0]!
  const end = inOrder(spans.map((span) => span.end)).at(-1)!
  return { id: parts[0]!.traceId, spans, start, durationMs: Number(end - start) / MS }
}

function inOrder(times: readonly bigint[]): readonly bigint[] {
  return times.toSorted((a, b) => Number(a - b))
}

function isFound(whole: ReturnType<typeof wholeOf>, query: TraceQuery): boolean {
  const { service, operation, status } = query
  const isLong = (ms: number) =>
    ms >= (query.minDurationMs ?? 0) && ms <= (query.maxDurationMs ?? Number.POSITIVE_INFINITY)
  const ofSpans = service !== undefined || operation !== undefined
  if (whole.start < BigInt(query.fromUnixMs) * BigInt(MS)) return false
  if (whole.start >= BigInt(query.toUnixMs) * BigInt(MS)) return false
  if (!ofSpans && !isLong(whole.durationMs)) return false
  if (status === 'ok' && whole.spans.some((span) => span.status === 2)) return false
  return whole.spans.some(
    (span) =>
      (service === undefined || span.service === service) &&
      (operation === undefined || span.name === operation) &&
      (!ofSpans || isLong(span.durationNano! / MS)) &&
      (status !== 'error' || span.status === 2) &&
      query.attributes.every(({ key, value }) => hasAttribute(span, key, value))
  )
}

function hasAttribute(span: TestSpan, key: string, value: string): boolean {
  const values = [span.attributes?.[key], span.resource?.[key]]
  return values.some((found) => found !== undefined && String(found) === value)
}

export function findTracesContract(open: () => Promise<StoreUnderTest>): void {
  describe('the search', () => {
    const { get } = opened(open)
    const random = randomOf(20_261_123)
    const traces = randomTraces(random)
    const search = async (query: TraceQuery) => {
      const found = await get().store.findTraces(query, signal)
      return found.map(({ traceId }) => traceId)
    }
    beforeAll(async () => {
      const { store } = get()
      const parts = traces.flat()
      const firsts = parts.filter(({ late }) => late !== true)
      // Late parts of one batch and of others.
      const lates = parts.filter(({ late }) => late === true)
      await store.write(tracesBatch(firsts), signal)
      for (let at = 0; at < lates.length; at += 20) {
        await store.write(tracesBatch(lates.slice(at, at + 20)), signal)
      }
    })

    it('gives what a plain reading of the rules gives', async () => {
      let found = 0
      for (let number = 0; number < QUERIES; number++) {
        const query = randomQuery(random)
        const expected = expectedIds(traces, query)
        found += expected.length
        expect(await search(query), JSON.stringify(query)).toEqual(expected)
      }
      expect(found).toBeGreaterThan(QUERIES)
    })

    it('sums each trace as a plain reading does', async () => {
      const query = { fromUnixMs: 0, toUnixMs: T0_MS + 86_400_000, attributes: [], limit: 200 }
      const byId = new Map(traces.map((parts) => [parts[0]!.traceId, parts]))
      const found = await get().store.findTraces(query, signal)
      expect(found).toHaveLength(TRACES)
      for (const summary of found) {
        const parts = byId.get(summary.traceId)!
        const whole = wholeOf(parts)
        const root = keptTrace(parts[0]!)
        expect(summary).toEqual({
          traceId: whole.id,
          startTimeUnixNano: String(whole.start),
          durationMs: whole.durationMs,
          rootService: root.rootService,
          rootOperation: root.rootOperation,
          rootStatus: ['unset', 'ok', 'error'][root.rootStatus],
          spanCount: whole.spans.length,
          errorCount: whole.spans.filter((span) => span.status === 2).length,
          services: [...new Set(whole.spans.map((span) => span.service))].sort()
        })
      }
    })
  })
}
