import { describe, expect, it } from 'vitest'
import { cellOf } from './durations.ts'
import { metricsJsonToProtobuf } from './json-metrics.ts'
import { type DecodedMetric, decodeMetrics } from './metrics.ts'
import { packCells, readSpanStats } from './span-stats.ts'

const START = '1700000000000000000'
const TIME = '1700000010000000000'
const text = (key: string, stringValue: string) => ({ key, value: { stringValue } })
const times = { startTimeUnixNano: START, timeUnixNano: TIME }

function decode(metrics: object[], pointsMax = 100) {
  const resource = { attributes: [text('service.name', 'shop')] }
  const json = {
    resourceMetrics: [{ resource, scopeMetrics: [{ scope: { name: 's' }, metrics }] }]
  }
  return decodeMetrics(metricsJsonToProtobuf(json), pointsMax)
}

describe('metrics', () => {
  it('are decoded, of every kind', () => {
    const attributes = [text('a', 'b')]
    const { metrics, pointCount, pointsOver } = decode([
      { name: 'g', unit: 'By', gauge: { dataPoints: [{ asInt: '-5', timeUnixNano: TIME }] } },
      {
        ...{ name: 'c', description: 'what' },
        sum: {
          dataPoints: [{ asDouble: 2.5, attributes, ...times, flags: 1 }],
          aggregationTemporality: 'AGGREGATION_TEMPORALITY_CUMULATIVE',
          isMonotonic: true
        }
      },
      {
        name: 'h',
        histogram: {
          dataPoints: [
            { ...times, count: '6', sum: 9, bucketCounts: [1, '5'], explicitBounds: [0.25] }
          ],
          aggregationTemporality: 1
        }
      },
      { name: 'e', exponentialHistogram: { dataPoints: [{ ...times, count: '7', scale: -3 }] } },
      { name: 'q', summary: { dataPoints: [{ count: 3 }] } },
      { name: 'nothing' }
    ])
    expect([pointCount, pointsOver]).toEqual([5, 0])
    expect(metrics.map(({ type }) => type)).toEqual([
      ...['gauge', 'sum', 'histogram', 'exponential_histogram', 'summary', 'none']
    ])
    const [gauge, sum, histogram, exponential, summary] = metrics
    expect(gauge).toMatchObject({ name: 'g', unit: 'By', scope: 's' })
    expect(gauge!.resource).toEqual([{ key: 'service.name', text: 'shop' }])
    expect(gauge!.points[0]).toMatchObject({ value: -5, timeUnixMs: 1_700_000_010_000 })
    expect(sum).toMatchObject({ description: 'what', temporality: 2, monotonic: true })
    expect(sum!.points[0]).toMatchObject({ value: 2.5, startUnixMs: 1_700_000_000_000, flags: 1 })
    expect(sum!.points[0]!.attributes).toEqual([{ key: 'a', text: 'b' }])
    expect(histogram).toMatchObject({ temporality: 1, monotonic: false })
    const buckets = { count: 6, sum: 9, bucketCounts: [1, 5], bounds: [0.25] }
    expect(histogram!.points[0]).toMatchObject(buckets)
    expect(exponential!.points[0]).toMatchObject({ count: 7 })
    expect(summary!.points).toMatchObject([{ count: 0 }])
  })

  it('beyond the limit are counted and not decoded', () => {
    const dataPoints = [{ asInt: 1 }, { asInt: 2 }, { asInt: 3 }]
    const decoded = decode([{ name: 'g', gauge: { dataPoints } }], 2)
    expect(decoded.metrics[0]!.points).toHaveLength(2)
    expect([decoded.pointCount, decoded.pointsOver]).toEqual([3, 1])
    expect(decode([{ name: 'g', gauge: { dataPoints } }], 3).pointsOver).toBe(0)
  })

  it('that are not OTLP are errors', () => {
    expect(() => decodeMetrics(new Uint8Array([0x0a, 5, 1]), 1)).toThrow(/ends inside a field/)
    const odd = { name: 'h', histogram: { dataPoints: [{ bucketCounts: ['x'] }] } }
    expect(() => decode([odd])).toThrow(/dataPoints\[0\]\.bucketCounts\[0\] must be/)
  })
})

describe('span stats', () => {
  const cells = [cellOf(3e6), 2, cellOf(20e9), 300]
  const point = {
    ...{ ...times, count: '302', sum: 6000.006 },
    attributes: [
      text('span.name', 'GET /'),
      text('span.kind', 'SPAN_KIND_SERVER'),
      text('status.code', 'STATUS_CODE_ERROR')
    ]
  }
  const stats = (changes: object = {}, pointChanges: object = {}, packed = packCells([cells])) =>
    decode([
      {
        name: 'traces.span.sdk.metrics.duration',
        exponentialHistogram: {
          dataPoints: [{ ...point, ...pointChanges }],
          aggregationTemporality: 1
        },
        metadata: [
          text('spanloom.stream', 'x'),
          { key: 'spanloom.sequence', value: { intValue: '7' } },
          { key: 'spanloom.cells', value: { bytesValue: Buffer.from(packed).toString('base64') } }
        ],
        ...changes
      }
    ]).metrics[0] as DecodedMetric

  it('are read', () => {
    expect(readSpanStats(stats())).toEqual({
      ...{ resource: [{ key: 'service.name', text: 'shop' }], stream: 'x', sequence: 7 },
      points: [
        {
          ...{ name: 'GET /', kind: 2, status: 2, overflow: false, calls: 302 },
          ...{ startUnixMs: 1_700_000_000_000, sumNano: 6_000_006_000_000, cells }
        }
      ]
    })
  })

  it.each([
    ['another name', stats({ name: 'other' })],
    ['no metadata', stats({ metadata: [] })],
    ['another count than that of its cells', stats({}, { count: '301' })],
    ['an unknown kind', stats({}, { attributes: point.attributes.slice(0, 1) })],
    ['a cell that is none', stats({}, {}, packCells([[9_999, 302]]))],
    ['cells of more points than there are', stats({}, {}, packCells([cells, cells]))],
    ['cells that end too early', stats({}, {}, packCells([cells]).slice(0, -1))],
    ['a negative sum', stats({}, { sum: -1 })]
  ])('are not taken with %s', (_, metric) => {
    expect(readSpanStats(metric)).toBeUndefined()
  })
})
