import { describe, expect, it } from 'vitest'
import { decodeMetrics } from '../../test/metrics-proto.ts'
import { createResource } from '../resource/resource.ts'
import { encodeMetrics, type Metric } from './metric-encoder.ts'

const START_MS = 1_795_426_790_000
const TIME_MS = 1_795_426_799_999.5
const resource = createResource({ 'service.name': 'shop', 'process.pid': 7 })
const scope = { name: 'scope', version: '1.2' }
const times = { startMs: START_MS, timeMs: TIME_MS }
const rawTimes = { startTimeUnixNano: START_MS * 1e6, timeUnixNano: TIME_MS * 1e6 }

function roundTrip(...metrics: Metric[]) {
  return decodeMetrics(encodeMetrics(resource, scope, metrics))
}

describe('the metric encoder', () => {
  it('writes gauges and sums, with resource, scope and unit', () => {
    const attributes = { 'v8.heap.space.name': 'old', list: ['a', 'b'], on: true, n: -3, part: 0.5 }
    const [gauge, sum, upDown] = roundTrip(
      {
        kind: 'gauge',
        name: 'g',
        unit: 'By',
        points: [{ attributes, timeMs: TIME_MS, value: -1.5 }]
      },
      {
        ...{ kind: 'sum', name: 's', unit: 's', description: 'what', monotonic: true },
        temporality: 'cumulative',
        points: [
          { attributes: {}, ...times, value: 2 ** 40 },
          { attributes: { a: 1 }, ...times, value: 0 }
        ]
      },
      { kind: 'sum', name: 'u', unit: '1', monotonic: false, temporality: 'delta', points: [] }
    )
    expect(gauge).toEqual({
      ...{ name: 'g', unit: 'By', kind: 'gauge', metadata: {}, scope },
      resource: { 'service.name': 'shop', 'process.pid': 7 },
      points: [{ attributes, timeUnixNano: TIME_MS * 1e6, asDouble: -1.5 }]
    })
    expect(sum).toMatchObject({ description: 'what', aggregationTemporality: 2, isMonotonic: true })
    expect(sum!.points).toEqual([
      { attributes: {}, ...rawTimes, asDouble: 2 ** 40 },
      { attributes: { a: 1 }, ...rawTimes, asDouble: 0 }
    ])
    expect(upDown).toMatchObject({ aggregationTemporality: 1, points: [] })
    expect(upDown!.isMonotonic).toBeUndefined()
  })

  it('writes histograms of both kinds, counts up to 2^53', () => {
    const [histogram, exponential] = roundTrip(
      {
        ...{ kind: 'histogram', name: 'h', unit: 's', temporality: 'cumulative' },
        points: [
          {
            ...{ attributes: { a: 'b' }, ...times, count: 6, sum: 7.25, min: 0.5, max: 3 },
            ...{ bucketCounts: [1, 0, 5], bounds: [0.5, 1e9] }
          }
        ]
      },
      {
        ...{ kind: 'exponentialHistogram', name: 'e', unit: 's', temporality: 'delta' },
        metadata: { sequence: 9, bytes: new Uint8Array([0, 255]) },
        points: [
          {
            ...{ attributes: { a: 'b' }, ...times, count: 2 ** 53 - 1, sum: 0.125, scale: 3 },
            ...{ zeroCount: 1, offset: -80, counts: [3, 0, 2 ** 52] }
          }
        ]
      }
    )
    expect(histogram!.points).toEqual([
      {
        ...{ attributes: { a: 'b' }, ...rawTimes, count: 6, sum: 7.25, min: 0.5, max: 3 },
        ...{ bucketCounts: [1, 0, 5], explicitBounds: [0.5, 1e9] }
      }
    ])
    expect(exponential!.aggregationTemporality).toBe(1)
    expect(exponential!.metadata.sequence).toBe(9)
    expect([...(exponential!.metadata.bytes as Uint8Array)]).toEqual([0, 255])
    expect(exponential!.points).toEqual([
      {
        ...{ attributes: { a: 'b' }, ...rawTimes, count: 2 ** 53 - 1, sum: 0.125, scale: 3 },
        ...{ zeroCount: 1, positive: { offset: -80, bucketCounts: [3, 0, 2 ** 52] } }
      }
    ])
  })
})
