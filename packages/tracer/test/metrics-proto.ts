/**
 * Decodes OTLP metrics with protobufjs, from the official field numbers written out here, so that the
 * tracer's own encoder proves nothing to itself.
 */
import protobuf from 'protobufjs'
import { COMMON_TYPES, field } from './common-proto.ts'

const attributes = (id: number) => ({ attributes: field('KeyValue', id, 'repeated') })
const times = { startTimeUnixNano: field('fixed64', 2), timeUnixNano: field('fixed64', 3) }

const METRICS_PROTO = {
  nested: {
    ExportMetricsServiceRequest: {
      fields: { resourceMetrics: field('ResourceMetrics', 1, 'repeated') }
    },
    ResourceMetrics: {
      fields: {
        resource: field('Resource', 1),
        scopeMetrics: field('ScopeMetrics', 2, 'repeated')
      }
    },
    ScopeMetrics: {
      fields: { scope: field('Scope', 1), metrics: field('Metric', 2, 'repeated') }
    },
    Metric: {
      fields: {
        name: field('string', 1),
        description: field('string', 2),
        unit: field('string', 3),
        gauge: field('Gauge', 5),
        sum: field('Sum', 7),
        histogram: field('Histogram', 9),
        exponentialHistogram: field('ExponentialHistogram', 10),
        metadata: field('KeyValue', 12, 'repeated')
      }
    },
    Gauge: { fields: { dataPoints: field('NumberDataPoint', 1, 'repeated') } },
    Sum: {
      fields: {
        dataPoints: field('NumberDataPoint', 1, 'repeated'),
        aggregationTemporality: field('int32', 2),
        isMonotonic: field('bool', 3)
      }
    },
    Histogram: {
      fields: {
        dataPoints: field('HistogramDataPoint', 1, 'repeated'),
        aggregationTemporality: field('int32', 2)
      }
    },
    ExponentialHistogram: {
      fields: {
        dataPoints: field('ExponentialHistogramDataPoint', 1, 'repeated'),
        aggregationTemporality: field('int32', 2)
      }
    },
    NumberDataPoint: {
      oneofs: { value: { oneof: ['asDouble', 'asInt'] } },
      fields: {
        ...attributes(7),
        ...times,
        asDouble: field('double', 4),
        asInt: field('sfixed64', 6)
      }
    },
    HistogramDataPoint: {
      fields: {
        ...attributes(9),
        ...times,
        count: field('fixed64', 4),
        sum: field('double', 5),
        bucketCounts: field('fixed64', 6, 'repeated'),
        explicitBounds: field('double', 7, 'repeated'),
        min: field('double', 11),
        max: field('double', 12)
      }
    },
    ExponentialHistogramDataPoint: {
      fields: {
        ...attributes(1),
        ...times,
        count: field('fixed64', 4),
        sum: field('double', 5),
        scale: field('sint32', 6),
        zeroCount: field('fixed64', 7),
        positive: field('Buckets', 8),
        negative: field('Buckets', 9),
        min: field('double', 12),
        max: field('double', 13)
      }
    },
    Buckets: {
      fields: { offset: field('sint32', 1), bucketCounts: field('uint64', 2, 'repeated') }
    },
    ...COMMON_TYPES
  }
}

const requestType = protobuf.Root.fromJSON(METRICS_PROTO).lookupType('ExportMetricsServiceRequest')

export interface RawPoint {
  readonly attributes: Record<string, unknown>
  readonly startTimeUnixNano?: number
  readonly timeUnixNano: number
  readonly asDouble?: number
  readonly count?: number
  readonly sum?: number
  readonly min?: number
  readonly max?: number
  readonly bucketCounts?: number[]
  readonly explicitBounds?: number[]
  readonly scale?: number
  readonly zeroCount?: number
  readonly positive?: { readonly offset?: number; readonly bucketCounts: number[] }
}

export interface RawMetric {
  readonly name: string
  readonly unit?: string
  readonly description?: string
  readonly kind: string
  readonly aggregationTemporality?: number
  readonly isMonotonic?: boolean
  readonly metadata: Record<string, unknown>
  readonly points: RawPoint[]
  readonly resource: Record<string, unknown>
  readonly scope: { readonly name: string; readonly version: string }
}

const KINDS = ['gauge', 'sum', 'histogram', 'exponentialHistogram'] as const

// biome-ignore lint/suspicious/noExplicitAny: protobufjs' objects have no static type
type Plain = any

export function decodeMetrics(body: Uint8Array): RawMetric[] {
  const request: Plain = requestType.toObject(requestType.decode(body), {
    longs: Number,
    arrays: true
  })
  const metrics: RawMetric[] = []
  for (const { resource, scopeMetrics } of request.resourceMetrics) {
    for (const { scope, metrics: inScope } of scopeMetrics) {
      for (const metric of inScope) {
        const kind = KINDS.find((name) => metric[name] !== undefined) ?? 'none'
        const { name, unit, description } = metric
        const { dataPoints = [], ...data } = metric[kind] ?? {}
        metrics.push({
          ...{ name, unit, description, kind, scope, ...data },
          metadata: plain(metric.metadata),
          resource: plain(resource.attributes),
          points: dataPoints.map((point: Plain) => ({
            ...point,
            attributes: plain(point.attributes)
          }))
        })
      }
    }
  }
  return metrics
}

function plain(pairs: Plain[]): Record<string, unknown> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, anyValue(value)]))
}

function anyValue(value: Plain): unknown {
  if (value.arrayValue !== undefined) return value.arrayValue.values.map(anyValue)
  return Object.values(value)[0]
}
