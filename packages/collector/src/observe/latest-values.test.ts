import { deepStrictEqual, match, strictEqual } from 'node:assert'
import type { DecodedMetric, DecodedPoint } from '@spanloom/otlp'
import { beforeEach, describe, it } from 'vitest'
import { LatestValues, SERIES_MAX, SILENT_MS } from './latest-values.ts'

const START_MS = 1_800_000_000_000

function point(value: number, facts: Partial<DecodedPoint> = {}): DecodedPoint {
  return {
    ...{ attributes: [], startUnixMs: 0, timeUnixMs: START_MS, value, count: 0, sum: 0 },
    ...{ bucketCounts: [], bounds: [], flags: 0 },
    ...facts
  }
}

function metric(name: string, points: DecodedPoint[], facts: Partial<DecodedMetric> = {}) {
  return {
    resource: [
      { key: 'service.name', text: 'shop' },
      { key: 'service.instance.id', text: 'i' }
    ],
    ...{ scope: '', name, description: 'what', unit: '', type: 'gauge', temporality: 0 },
    ...{ monotonic: false, metadata: [], points },
    ...facts
  } as DecodedMetric
}

const counter = { type: 'sum', temporality: 2, monotonic: true } as const
const labels = { service_name: 'shop', service_instance_id: 'i' }

let nowMs = START_MS
let values = new LatestValues(() => nowMs)

beforeEach(() => {
  nowMs = START_MS
  values = new LatestValues(() => nowMs)
})

const shown = () =>
  values.list().map(({ name, type, samples }) => [name, type, samples.map(({ value }) => value)])

describe('latest values', () => {
  it('are one for each service, instance and set of attributes', () => {
    const attribute = (text: string) => ({ attributes: [{ key: 'a.b', text }] })
    const other = { resource: [{ key: 'service.name', text: 'other' }] }
    const refused = values.take([
      metric('g', [point(1, attribute('x')), point(2, attribute('y')), point(3, attribute('x'))]),
      metric('g', [point(4, attribute('x'))], other)
    ])
    deepStrictEqual(refused, { count: 0, reason: '' })
    deepStrictEqual(values.list(), [
      {
        ...{ name: 'g', type: 'gauge', help: 'what' },
        samples: [
          { labels: { ...labels, a_b: 'x' }, value: 3, histogram: undefined, startUnixMs: 0 },
          { labels: { ...labels, a_b: 'y' }, value: 2, histogram: undefined, startUnixMs: 0 },
          {
            labels: { service_name: 'other', a_b: 'x' },
            ...{ value: 4, histogram: undefined, startUnixMs: 0 }
          }
        ]
      }
    ])
  })

  it('are not replaced by older ones, nor by none', () => {
    values.take([metric('g', [point(1), point(2, { timeUnixMs: START_MS - 1 })])])
    deepStrictEqual(shown(), [['g', 'gauge', [1]]])
    values.take([metric('g', [point(Number.NaN, { flags: 1 })])])
    deepStrictEqual([shown(), values.seriesCount], [[], 0])
  })

  it('have the types of Prometheus', () => {
    const buckets = { count: 3, sum: 7, bucketCounts: [1, 2], bounds: [5] }
    values.take([
      metric('c', [point(1)], { ...counter, unit: 's' }),
      metric('u', [point(2)], { ...counter, monotonic: false }),
      metric('h', [point(Number.NaN, buckets)], { type: 'histogram', temporality: 2 })
    ])
    deepStrictEqual(
      values.list().map(({ name, type, unit }) => [name, type, unit]),
      [
        ['c_seconds', 'counter', 'seconds'],
        ['h', 'histogram', undefined],
        ['u', 'gauge', undefined]
      ]
    )
  })

  it.each([
    ['a delta', { type: 'sum', temporality: 1 }, /only cumulative/],
    ['an exponential histogram', { type: 'exponential_histogram' }, /exponential_histogram points/],
    ['a summary', { type: 'summary' }, /summary points/],
    [
      'a histogram without buckets',
      { name: 'h', type: 'histogram', temporality: 2 },
      /up to 64 buckets/
    ],
    ['a name of the collector', { name: 'spanloom.uptime' }, /collector's own/],
    ['another type than before', { ...counter, name: 'g' }, /it is a gauge elsewhere/]
  ] as const)('are not of %s', (_, facts, reason) => {
    values.take([metric('g', [point(1)])])
    const refused = values.take([metric('g', [point(1), point(2)], facts)])
    strictEqual(refused.count, 2)
    match(refused.reason, reason)
    deepStrictEqual(shown(), [['g', 'gauge', [1]]])
  })

  it('of the tracer’s own name are shown', () => {
    strictEqual(values.take([metric('spanloom.tracer.cpu', [point(1)])]).count, 0)
  })

  it('have 32 attributes and 64 buckets at most', () => {
    const attributes = (count: number) => ({
      attributes: Array.from({ length: count }, (_, key) => ({ key: `k${key}`, text: 'v' }))
    })
    const histogram = (count: number) => ({
      bucketCounts: new Array<number>(count).fill(1),
      bounds: Array.from({ length: count - 1 }, (_, bound) => bound)
    })
    const asHistogram = { type: 'histogram', temporality: 2 } as const
    const counts = [
      values.take([metric('a', [point(1, attributes(32))])]).count,
      values.take([metric('a', [point(1, attributes(33))])]).count,
      values.take([metric('h', [point(1, histogram(64))], asHistogram)]).count,
      values.take([metric('h', [point(1, histogram(65))], asHistogram)]).count
    ]
    deepStrictEqual(counts, [0, 1, 0, 1])
  })

  it('are let go of when their sender is silent for five minutes', () => {
    values.take([metric('a', [point(1)]), metric('b', [point(2)])])
    nowMs += SILENT_MS - 1_000
    values.take([metric('b', [point(3, { timeUnixMs: nowMs })])])
    nowMs += 1_000
    deepStrictEqual(shown().length, 2)
    nowMs += 1
    deepStrictEqual(shown(), [['b', 'gauge', [3]]])
  })

  it('are 20,000; what is beyond is refused until there is room', () => {
    const numbered = (number: number) =>
      point(number, { attributes: [{ key: 'n', text: `${number}` }] })
    const all = Array.from({ length: SERIES_MAX }, (_, number) => numbered(number))
    strictEqual(values.take([metric('g', all)]).count, 0)
    const refused = values.take([metric('g', [numbered(7), numbered(-1)])])
    deepStrictEqual(refused, { count: 1, reason: 'g: there are 20000 series already.' })
    strictEqual(values.take([metric('new', [point(1)])]).count, 1)
    nowMs += SILENT_MS + 1
    strictEqual(values.take([metric('new', [point(1)])]).count, 0)
    strictEqual(values.seriesCount, 1)
  })
})
