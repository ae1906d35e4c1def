/**
 * A payload of metrics as objects. It reads the payload whole, so that what decodes here once decodes
 * anywhere; there is no check before it, because senders send a few hundred points every ten seconds.
 *
 * Limits: points beyond `pointsMax` are counted and not decoded. The buckets of exponential histograms,
 * exemplars and what is in a summary are passed over.
 */
import { decodeResource, decodeScope } from './decode.ts'
import { OtlpError } from './errors.ts'
import { FieldReader, type KeyText } from './field-reader.ts'
import {
  EXPONENTIAL,
  EXPONENTIAL_POINT,
  HISTOGRAM,
  HISTOGRAM_POINT,
  METRIC,
  METRICS,
  type Message,
  NUMBER_POINT,
  NUMBERS,
  RESOURCE_METRICS,
  SCOPE_METRICS,
  SUMMARY
} from './messages.ts'
import { assertReadable } from './wire-reader.ts'

export type MetricType =
  | 'none'
  | 'gauge'
  | 'sum'
  | 'histogram'
  | 'exponential_histogram'
  | 'summary'

/** OTLP's numbers. */
export const Temporality = { UNSPECIFIED: 0, DELTA: 1, CUMULATIVE: 2 } as const

export interface DecodedPoint {
  attributes: KeyText[]
  startUnixMs: number
  timeUnixMs: number
  /** Of gauges and sums. */
  value: number
  /** Of histograms. Exact up to 2^53. */
  count: number
  sum: number
  bucketCounts: number[]
  bounds: number[]
  /** Bit 0: there is no value. */
  flags: number
}

export interface DecodedMetric {
  /** Of the resource; the same array for all metrics of a resource. */
  resource: readonly KeyText[]
  scope: string
  name: string
  description: string
  unit: string
  type: MetricType
  temporality: number
  monotonic: boolean
  metadata: KeyText[]
  points: DecodedPoint[]
}

export interface DecodedMetrics {
  readonly metrics: DecodedMetric[]
  /** All points of the payload, summaries' and those that were too many included. */
  readonly pointCount: number
  /** Points that were not decoded because there were too many. */
  readonly pointsOver: number
}

const TYPES: Readonly<Record<number, readonly [MetricType, Message, Message | undefined]>> = {
  5: ['gauge', NUMBERS, NUMBER_POINT],
  7: ['sum', NUMBERS, NUMBER_POINT],
  9: ['histogram', HISTOGRAM, HISTOGRAM_POINT],
  10: ['exponential_histogram', EXPONENTIAL, EXPONENTIAL_POINT],
  11: ['summary', SUMMARY, undefined]
}

/** @throws OtlpError when the payload is not an ExportMetricsServiceRequest. */
export function decodeMetrics(payload: Uint8Array, pointsMax: number): DecodedMetrics {
  assertReadable(payload)
  const decoder = new MetricsDecoder(payload, pointsMax)
  decoder.request()
  return decoder
}

class MetricsDecoder implements DecodedMetrics {
  readonly metrics: DecodedMetric[] = []
  pointCount = 0
  pointsOver = 0
  readonly #payload: Uint8Array
  readonly #pointsMax: number

  constructor(payload: Uint8Array, pointsMax: number) {
    this.#payload = payload
    this.#pointsMax = pointsMax
  }

  request(): void {
    const fields = this.#fields(METRICS, 0, this.#payload.length)
    while (fields.next()) this.#resourceMetrics(fields.at, fields.length)
  }

  /** A resource may stand after its metrics. */
  #resourceMetrics(offset: number, length: number): void {
    const resource: KeyText[] = []
    const fields = this.#fields(RESOURCE_METRICS, offset, length)
    while (fields.next()) {
      if (fields.field === 1) {
        const { attributes } = decodeResource(this.#payload, fields.at, fields.length)
        resource.splice(0, resource.length, ...attributes)
      } else if (fields.field === 2) {
        this.#scopeMetrics(fields.at, fields.length, resource)
      }
    }
  }

  #scopeMetrics(offset: number, length: number, resource: readonly KeyText[]): void {
    const first = this.metrics.length
    let scope = ''
    const fields = this.#fields(SCOPE_METRICS, offset, length)
    while (fields.next()) {
      if (fields.field === 1) scope = decodeScope(this.#payload, fields.at, fields.length).name
      else if (fields.field === 2) this.#metric(fields.at, fields.length, resource)
    }
    for (let index = first; index < this.metrics.length; index++) this.metrics[index]!.scope = scope
  }

  #metric(offset: number, length: number, resource: readonly KeyText[]): void {
    const metric: DecodedMetric = {
      resource,
      scope: '',
      name: '',
      description: '',
      unit: '',
      type: 'none',
      temporality: Temporality.UNSPECIFIED,
      monotonic: false,
      metadata: [],
      points: []
    }
    const fields = this.#fields(METRIC, offset, length)
    while (fields.next()) {
      if (fields.field === 1) metric.name = fields.text()
      else if (fields.field === 2) metric.description = fields.text()
      else if (fields.field === 3) metric.unit = fields.text()
      else if (fields.field === 12) metric.metadata.push(fields.keyText())
      else this.#data(fields.field, fields.at, fields.length, metric)
    }
    this.metrics.push(metric)
  }

  #data(field: number, offset: number, length: number, metric: DecodedMetric): void {
    const [type, message, pointMessage] = TYPES[field]!
    metric.type = type
    const fields = this.#fields(message, offset, length)
    while (fields.next()) {
      if (fields.field === 2) metric.temporality = fields.low
      else if (fields.field === 3) metric.monotonic = fields.low !== 0
      else this.#point(pointMessage, fields.at, fields.length, metric)
    }
  }

  #point(
    message: Message | undefined,
    offset: number,
    length: number,
    metric: DecodedMetric
  ): void {
    if (this.pointCount++ >= this.#pointsMax) {
      this.pointsOver++
      return
    }
    const point: DecodedPoint = {
      attributes: [],
      startUnixMs: 0,
      timeUnixMs: 0,
      value: Number.NaN,
      count: 0,
      sum: 0,
      bucketCounts: [],
      bounds: [],
      flags: 0
    }
    metric.points.push(point)
    if (message === undefined) return
    const fields = this.#fields(message, offset, length)
    const isNumber = message === NUMBER_POINT
    while (fields.next()) {
      if (message.children[fields.field] !== undefined) point.attributes.push(fields.keyText())
      else if (fields.field === 2) point.startUnixMs = unixMs(fields)
      else if (fields.field === 3) point.timeUnixMs = unixMs(fields)
      else if (fields.field === 4 && !isNumber) point.count = unsigned(fields)
      else if (fields.field === 4) point.value = fields.double()
      else if (fields.field === 5) point.sum = fields.double()
      else if (fields.field === 6 && isNumber) point.value = signed(fields)
      else if (fields.field === 6) point.bucketCounts = this.#packed(fields, countAt)
      else if (fields.field === 7) point.bounds = this.#packed(fields, doubleAt)
      else point.flags = fields.low
    }
  }

  #packed(fields: FieldReader, read: (view: DataView, at: number) => number): number[] {
    const { at, length } = fields
    if (length % 8 !== 0) throw new OtlpError('OTLP_TRUNCATED', [at + length])
    const { buffer, byteOffset } = this.#payload
    const view = new DataView(buffer, byteOffset + at, length)
    return Array.from({ length: length / 8 }, (_, index) => read(view, index * 8))
  }

  #fields({ wireTypes }: Message, offset: number, length: number): FieldReader {
    return new FieldReader(this.#payload, offset, length, wireTypes)
  }
}

const TWO_32 = 0x1_0000_0000

function unsigned(fields: FieldReader): number {
  return (fields.high >>> 0) * TWO_32 + (fields.low >>> 0)
}

function signed(fields: FieldReader): number {
  return (fields.high | 0) * TWO_32 + (fields.low >>> 0)
}

function unixMs(fields: FieldReader): number {
  return unsigned(fields) / 1e6
}

function countAt(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * TWO_32 + view.getUint32(at, true)
}

function doubleAt(view: DataView, at: number): number {
  return view.getFloat64(at, true)
}
