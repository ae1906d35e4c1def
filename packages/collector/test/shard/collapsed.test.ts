/** Calls that came as one span count as if each had come as a span of its own. */
import { COLLAPSED_CALLS, COLLAPSED_COUNT, packCollapsedCalls } from '@spanloom/otlp'
import { describe, expect, it } from 'vitest'
import { KIND, randomOf, type TestSpan } from './payloads.ts'
import { span, Timeline, UNIX_MS } from './timeline.ts'

const { CLIENT } = KIND
const DATABASE = { 'db.system.name': 'postgresql', 'db.namespace': 'shop', 'server.address': 'db' }

interface Call {
  readonly startMs: number
  readonly durationMs: number
}

/** Consecutive calls that cross rollup steps, and buckets. */
function randomCalls(seed: number, count: number): Call[] {
  const random = randomOf(seed)
  let startMs = 0
  return Array.from({ length: count }, () => {
    const durationMs = Math.round(random() ** 4 * 50_000) / 1_000
    const call = { startMs, durationMs }
    startMs += durationMs + Math.round(random() * 300_000) / 1_000
    return call
  })
}

function apart(calls: readonly Call[]): TestSpan[] {
  return calls.map(({ startMs, durationMs }, index) =>
    span(1, 10 + index, 1, {
      kind: CLIENT,
      name: 'SELECT',
      startUnixMs: UNIX_MS + startMs,
      durationMs,
      attributes: DATABASE
    })
  )
}

function together(calls: readonly Call[], facts: Partial<TestSpan> = {}): TestSpan {
  const last = calls.at(-1)!
  const pairs = calls.flatMap((call) =>
    [call.startMs, call.durationMs].map((ms) => Math.round(ms * 1e6))
  )
  return span(1, 10, 1, {
    kind: CLIENT,
    name: 'SELECT',
    durationMs: last.startMs + last.durationMs,
    attributes: {
      ...DATABASE,
      [COLLAPSED_COUNT]: calls.length,
      [COLLAPSED_CALLS]: packCollapsedCalls(pairs)
    },
    ...facts
  })
}

function run(spans: readonly TestSpan[]) {
  const root = span(1, 1, 0, { durationMs: 20_000 })
  return new Timeline()
    .payload(0, ...spans, root)
    .tick(100)
    .tick(60_000)
}

describe('a collapsed span', () => {
  it.each([2, 7, 100])(
    'of %d calls gives the series, edges and rollups of as many spans',
    (count) => {
      const calls = randomCalls(count, count)
      const many = run(apart(calls))
      const one = run([together(calls)])
      const [ofMany, ofOne] = [many.snapshot(), one.snapshot()]
      expect(ofMany.spans.calls).toContain(count)
      expect({ ...ofOne.spans, exemplars: [] }).toEqual({ ...ofMany.spans, exemplars: [] })
      expect({ ...ofOne.edges, exemplars: [] }).toEqual({ ...ofMany.edges, exemplars: [] })
      expect(one.written.spanMetrics).toEqual(many.written.spanMetrics)
      expect(one.written.edges).toEqual(many.written.edges)
      expect(one.stats!.edgesExpired).toBe(0)
      const self = (line: Timeline) =>
        line.written.traces[0]!.spans.map((each) => each.selfTimeNano)
      expect(self(one).at(-1)).toBe(self(many).at(-1))
      expect(self(one)[0]).toBe(
        self(many)
          .slice(0, -1)
          .reduce((sum, nano) => sum + nano, 0)
      )
    }
  )

  it('is counted once when it comes twice', () => {
    const collapsed = together(randomCalls(5, 5))
    const line = run([collapsed])
    line.payload(60_100, collapsed).tick(120_000)
    expect([...line.snapshot().spans.calls].toSorted()).toEqual([1, 5])
    expect(line.stats!.spansDuplicate).toBe(1)
  })

  it('is one call when what it says is damaged, or it is no client', () => {
    const calls = randomCalls(3, 3)
    const damaged = {
      ...DATABASE,
      [COLLAPSED_COUNT]: 3,
      [COLLAPSED_CALLS]: new Uint8Array([1, 0x80])
    }
    expect([...run([together(calls, { attributes: damaged })]).snapshot().spans.calls]).toEqual([
      1, 1
    ])
    const internal = run([together(calls, { kind: KIND.INTERNAL })])
    expect([...internal.snapshot().spans.calls]).toEqual([1, 1])
  })
})
