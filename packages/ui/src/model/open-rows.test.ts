import type { OpenSpanRow } from '@spanloom/query-api'
import { expect, it } from 'vitest'
import { openRows, runningCount, runningForMs } from './open-rows.ts'

function span(spanId: string, startUnixMs: number, more: Partial<OpenSpanRow> = {}): OpenSpanRow {
  return {
    ...{ traceId: 'ab'.repeat(16), spanId, service: 'shop', instance: 'i-1', name: 'GET /cart' },
    ...{ kind: 'server', startUnixMs, reportedUnixMs: startUnixMs + 10_000, stored: 'none' },
    eventLoopBlockedMs: 0,
    ...more
  }
}

const spans = [
  span('b', 2_000),
  span('a', 1_000, { stored: 'trace' }),
  span('c', 2_000, { service: 'orders' }),
  span('d', 500, { stored: 'span' }),
  span('e', 600, { stored: 'span' })
]
const ids = (rows: readonly OpenSpanRow[]) => rows.map(({ spanId }) => spanId)

it('what has run longest is first, what has ended is apart, the latest first', () => {
  const { running, ended } = openRows(spans)

  expect(ids(running)).toEqual(['a', 'b', 'c'])
  expect(ids(ended)).toEqual(['e', 'd'])
  expect(runningCount(spans)).toBe(3)
})

it('finds by every word, whatever its case', () => {
  expect(ids(openRows(spans, ' ORDERS  get ').running)).toEqual(['c'])
  expect(ids(openRows(spans, 'orders abc').running)).toEqual([])
})

it('a span whose state the collector could not look up counts as running', () => {
  const { stored: _, ...unknown } = span('a', 1_000)

  expect(ids(openRows([unknown]).running)).toEqual(['a'])
  expect(runningCount([unknown])).toBe(1)
})

it('runs for whole seconds, at least what was reported, never less than nothing', () => {
  expect(runningForMs(span('a', 1_000), 13_999)).toBe(12_000)
  expect(runningForMs(span('a', 1_000), 2_000)).toBe(10_000)
  expect(runningForMs(span('a', 9_000, { reportedUnixMs: 5_000 }), 4_000)).toBe(0)
})
