/**
 * Writes metrics as OTLP, from plain objects: a few hundred data points every ten seconds at most, so
 * nothing is remembered between two payloads.
 *
 *   ExportMetricsServiceRequest
 *     1 resource_metrics   ResourceMetrics
 *         1 resource
 *         2 scope_metrics  ScopeMetrics
 *             1 scope { 1 name  2 version }
 *             2 metrics    Metric { 1 name  2 description  3 unit  12 metadata }
 *                 5 gauge, 7 sum, 9 histogram, 10 exponential_histogram
 *                     1 data_points …  2 aggregation_temporality  3 is_monotonic (sum)
 *
 * Times are milliseconds since the epoch. A bucket count, like any count, is a whole number up to 2^53.
 */
import type { Attributes, AttributeValue } from '@opentelemetry/api'
import { WireWriter } from '@spanloom/otlp'
import { nanosOf } from '../lib/clock.ts'
import type { Resource } from '../resource/resource.ts'
import { writeScalar } from './attribute-cache.ts'

interface PointHead {
  readonly attributes: Attributes
  /** From when on it counts; a gauge has none. */
  readonly startMs?: number
  readonly timeMs: number
}

export interface NumberPoint extends PointHead {
  readonly value: number
}

export interface HistogramPoint extends PointHead {
  readonly count: number
  readonly sum: number
  readonly min?: number
  readonly max?: number
  /** One more than there are bounds: the last has none. */
  readonly bucketCounts: readonly number[]
  /** Upper bounds, inclusive. */
  readonly bounds: readonly number[]
}

/** Bucket i of `counts` is (base^(offset + i), base^(offset + i + 1)], with base = 2^(2^-scale). */
export interface ExponentialPoint extends PointHead {
  readonly count: number
  readonly sum: number
  readonly min?: number
  readonly max?: number
  readonly scale: number
  readonly zeroCount: number
  readonly offset: number
  readonly counts: readonly number[]
}

interface MetricHead {
  readonly name: string
  readonly unit: string
  readonly description?: string
  /** Attributes that do not identify the metric. */
  readonly metadata?: Readonly<Record<string, MetadataValue>>
}

type MetadataValue = AttributeValue | Uint8Array
type Temporality = 'delta' | 'cumulative'

export type Metric = MetricHead &
  (
    | { readonly kind: 'gauge'; readonly points: readonly NumberPoint[] }
    | {
        readonly kind: 'sum'
        readonly monotonic: boolean
        readonly temporality: Temporality
        readonly points: readonly NumberPoint[]
      }
    | {
        readonly kind: 'histogram'
        readonly temporality: Temporality
        readonly points: readonly HistogramPoint[]
      }
    | {
        readonly kind: 'exponentialHistogram'
        readonly temporality: Temporality
        readonly points: readonly ExponentialPoint[]
      }
  )

export interface MetricScope {
  readonly name: string
  readonly version: string
}

const INITIAL_BYTES = 4_096
const TEMPORALITY = { delta: 1, cumulative: 2 } as const
const FIELD = { gauge: 5, sum: 7, histogram: 9, exponentialHistogram: 10 } as const
const TWO_32 = 0x1_0000_0000

/** The request as bytes of their own. */
export function encodeMetrics(
  resource: Resource,
  scope: MetricScope,
  metrics: readonly Metric[]
): Uint8Array<ArrayBuffer> {
  const writer = new MetricWriter()
  writer.request(resource, scope, metrics)
  return writer.finish()
}

class MetricWriter {
  readonly #writer = new WireWriter(INITIAL_BYTES)
  readonly #pair = new Uint32Array(2)

  finish(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#writer.length)
    bytes.set(this.#writer.bytes.subarray(0, this.#writer.length))
    return bytes
  }

  request(resource: Resource, scope: MetricScope, metrics: readonly Metric[]): void {
    this.#message(1, () => {
      this.#message(1, () => this.#attributes(1, resource.attributes))
      this.#message(2, () => {
        this.#message(1, () => {
          this.#text(1, scope.name)
          this.#text(2, scope.version)
        })
        for (const metric of metrics) this.#message(2, () => this.#metric(metric))
      })
    })
  }

  #metric(metric: Metric): void {
    this.#text(1, metric.name)
    this.#text(2, metric.description)
    this.#text(3, metric.unit)
    this.#message(FIELD[metric.kind], () => {
      switch (metric.kind) {
        case 'gauge':
          for (const point of metric.points) this.#message(1, () => this.#number(point))
          return
        case 'sum':
          for (const point of metric.points) this.#message(1, () => this.#number(point))
          break
        case 'histogram':
          for (const point of metric.points) this.#message(1, () => this.#histogram(point))
          break
        case 'exponentialHistogram':
          for (const point of metric.points) this.#message(1, () => this.#exponential(point))
      }
      this.#varint(2, TEMPORALITY[metric.temporality])
      if (metric.kind === 'sum' && metric.monotonic) this.#varint(3, 1)
    })
    if (metric.metadata !== undefined) this.#attributes(12, metric.metadata)
  }

  /** NumberDataPoint: 2 start, 3 time, 4 as_double, 7 attributes. */
  #number(point: NumberPoint): void {
    this.#times(point)
    this.#double(4, point.value)
    this.#attributes(7, point.attributes)
  }

  /** HistogramDataPoint: 2 start, 3 time, 4 count, 5 sum, 6 bucket_counts, 7 bounds, 9 attributes, 11 min, 12 max. */
  #histogram(point: HistogramPoint): void {
    const writer = this.#writer
    this.#times(point)
    this.#fixed64(4, point.count)
    this.#double(5, point.sum)
    this.#message(6, () => {
      for (const count of point.bucketCounts) this.#fixed64Value(count)
    })
    this.#message(7, () => {
      for (const bound of point.bounds) writer.double(bound)
    })
    this.#attributes(9, point.attributes)
    if (point.min !== undefined) this.#double(11, point.min)
    if (point.max !== undefined) this.#double(12, point.max)
  }

  /**
   * ExponentialHistogramDataPoint: 1 attributes, 2 start, 3 time, 4 count, 5 sum, 6 scale (sint32),
   * 7 zero_count, 8 positive { 1 offset (sint32), 2 bucket_counts }, 12 min, 13 max.
   */
  #exponential(point: ExponentialPoint): void {
    const writer = this.#writer
    this.#attributes(1, point.attributes)
    this.#times(point)
    this.#fixed64(4, point.count)
    this.#double(5, point.sum)
    this.#varint(6, zigzag(point.scale))
    this.#fixed64(7, point.zeroCount)
    this.#message(8, () => {
      this.#varint(1, zigzag(point.offset))
      this.#message(2, () => {
        for (const count of point.counts) writer.varint(count)
      })
    })
    if (point.min !== undefined) this.#double(12, point.min)
    if (point.max !== undefined) this.#double(13, point.max)
  }

  #times({ startMs, timeMs }: PointHead): void {
    if (startMs !== undefined) this.#time(2, startMs)
    this.#time(3, timeMs)
  }

  #time(field: number, epochMs: number): void {
    nanosOf(epochMs, this.#pair)
    this.#writer.taggedFixed64((field << 3) | 1, this.#pair[0]!, this.#pair[1]!)
  }

  #attributes(field: number, attributes: Readonly<Record<string, unknown>>): void {
    for (const [key, value] of Object.entries(attributes)) {
      if (value === undefined) continue
      this.#message(field, () => {
        this.#text(1, key)
        this.#message(2, () => this.#value(value))
      })
    }
  }

  /** AnyValue: scalars, 5 array_value { 1 values }, 7 bytes_value. Anything else is an empty value. */
  #value(value: unknown): void {
    const writer = this.#writer
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      writeScalar(writer, value)
    } else if (value instanceof Uint8Array) {
      writer.tag(7, 2)
      writer.lengthDelimited(value)
    } else if (Array.isArray(value)) {
      this.#message(5, () => {
        for (const element of value) this.#message(1, () => this.#value(element))
      })
    }
  }

  #message(field: number, write: () => void): void {
    this.#writer.tag(field, 2)
    const slot = this.#writer.openSlot()
    write()
    this.#writer.closeSlot(slot)
  }

  #text(field: number, text: string | undefined): void {
    if (text === undefined || text === '') return
    this.#writer.tag(field, 2)
    this.#writer.string(text)
  }

  #varint(field: number, value: number): void {
    this.#writer.tag(field, 0)
    this.#writer.varint(value)
  }

  #double(field: number, value: number): void {
    this.#writer.tag(field, 1)
    this.#writer.double(value)
  }

  #fixed64(field: number, value: number): void {
    this.#writer.tag(field, 1)
    this.#fixed64Value(value)
  }

  #fixed64Value(value: number): void {
    this.#writer.fixed64(Math.floor(value / TWO_32), value % TWO_32)
  }
}

/** sint32: 0, -1, 1, -2 … as 0, 1, 2, 3 … */
function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value
}
