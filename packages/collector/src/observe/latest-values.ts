/**
 * The latest value of each series that apps send: runtime metrics and their own gauges, counters and
 * histograms. They are shown to whoever scrapes, and kept nowhere.
 *
 *   point ─→ family (name and unit) ─→ series (service, instance, attributes) ─→ value, time
 *
 * Not journaled: a value is replaced by the next one within seconds, so a restart loses nothing that
 * would still be true, and a duplicate changes nothing. A value older than the one at hand is passed over.
 *
 * Limits: SERIES_MAX series, of BUCKETS_MAX buckets and LABELS_MAX labels; a series that was silent for
 * SILENT_MS is let go of. Points beyond, and what has no latest value (delta temporality, exponential
 * histograms, summaries), are refused, and the sender hears why.
 */
import {
  type DecodedMetric,
  type DecodedPoint,
  type KeyText,
  SERVICE_INSTANCE_ID,
  SERVICE_NAME,
  Temporality,
  UNKNOWN_SERVICE
} from '@spanloom/otlp'
import { familyName, labelName } from '../lib/metric-names.ts'
import type { ObservedFamily, ObservedSample } from '../model/observed-metric.ts'

export const SERIES_MAX = 20_000
export const SILENT_MS = 5 * 60_000
const BUCKETS_MAX = 64
const LABELS_MAX = 32
const VALUE_CHARS_MAX = 1_024
const HELP_CHARS_MAX = 1_024

/** A point that says that there is no value any more. */
const FLAG_NO_VALUE = 1

/** Families of the collector itself. */
const RESERVED = /^(?:traces_|spanloom_(?!tracer_))/

interface Held {
  readonly sample: ObservedSample
  readonly timeUnixMs: number
  readonly heardUnixMs: number
}

interface HeldFamily extends Omit<ObservedFamily, 'samples'> {
  readonly series: Map<string, Held>
}

export interface Refused {
  readonly count: number
  /** Of the first one, as a sentence for the sender. */
  readonly reason: string
}

export class LatestValues {
  readonly #families = new Map<string, HeldFamily>()
  readonly #nowUnixMs: () => number
  #seriesCount = 0

  constructor(nowUnixMs: () => number) {
    this.#nowUnixMs = nowUnixMs
  }

  get seriesCount(): number {
    return this.#seriesCount
  }

  take(metrics: readonly DecodedMetric[]): Refused {
    let count = 0
    let reason = ''
    const nowUnixMs = this.#nowUnixMs()
    for (const metric of metrics) {
      const family = this.#familyOf(metric)
      for (const point of metric.points) {
        const fault =
          typeof family === 'string' ? family : this.#put(family, metric, point, nowUnixMs)
        if (fault === undefined) continue
        count++
        reason ||= fault
      }
    }
    return { count, reason }
  }

  /** By name; those that were silent for too long are let go of. */
  list(): ObservedFamily[] {
    this.#expire(this.#nowUnixMs())
    return [...this.#families.values()]
      .sort((left, right) => (left.name < right.name ? -1 : 1))
      .map(({ series, ...family }) => ({
        ...family,
        samples: [...series.values()].map(({ sample }) => sample)
      }))
  }

  #familyOf(metric: DecodedMetric): HeldFamily | string {
    const { type: kind, temporality, monotonic, unit, description } = metric
    if (kind !== 'gauge' && kind !== 'sum' && kind !== 'histogram') {
      return `${metric.name}: ${kind} points are not taken.`
    }
    if (kind !== 'gauge' && temporality !== Temporality.CUMULATIVE) {
      return `${metric.name}: only cumulative points have a latest value.`
    }
    const type = kind === 'histogram' ? kind : kind === 'sum' && monotonic ? 'counter' : 'gauge'
    const named = familyName(metric.name, unit, type)
    if (RESERVED.test(named.name)) return `${metric.name}: the name is the collector's own.`
    const known = this.#families.get(named.name)
    if (known === undefined) {
      return { ...named, type, help: description.slice(0, HELP_CHARS_MAX), series: new Map() }
    }
    return known.type === type ? known : `${metric.name}: it is a ${known.type} elsewhere.`
  }

  /** Returns why the point is not taken. */
  #put(
    family: HeldFamily,
    metric: DecodedMetric,
    point: DecodedPoint,
    nowUnixMs: number
  ): string | undefined {
    const { name } = metric
    if (point.attributes.length > LABELS_MAX) return `${name}: more than ${LABELS_MAX} attributes.`
    const labels = labelsOf(metric.resource, point.attributes)
    const key = JSON.stringify(labels)
    const held = family.series.get(key)
    if ((point.flags & FLAG_NO_VALUE) !== 0) {
      this.#remove(family, key)
      return undefined
    }
    if (held !== undefined && held.timeUnixMs > point.timeUnixMs) return undefined
    if (family.type === 'histogram' && !isHistogram(point)) {
      return `${name}: a histogram needs up to ${BUCKETS_MAX} buckets, one more than bounds.`
    }
    if (held === undefined) {
      if (this.#seriesCount >= SERIES_MAX) this.#expire(nowUnixMs)
      if (this.#seriesCount >= SERIES_MAX) return `${name}: there are ${SERIES_MAX} series already.`
      this.#seriesCount++
      this.#families.set(family.name, family)
    }
    const { value, timeUnixMs, startUnixMs } = point
    const histogram = family.type === 'histogram' ? point : undefined
    const sample = { labels, value, histogram, startUnixMs }
    family.series.set(key, { sample, timeUnixMs, heardUnixMs: nowUnixMs })
    return undefined
  }

  #expire(nowUnixMs: number): void {
    for (const family of [...this.#families.values()]) {
      for (const [key, { heardUnixMs }] of family.series) {
        if (heardUnixMs < nowUnixMs - SILENT_MS) this.#remove(family, key)
      }
    }
  }

  #remove(family: HeldFamily, key: string): void {
    if (!family.series.delete(key)) return
    this.#seriesCount--
    if (family.series.size === 0) this.#families.delete(family.name)
  }
}

function isHistogram({ bucketCounts, bounds }: DecodedPoint): boolean {
  return bucketCounts.length <= BUCKETS_MAX && bucketCounts.length === bounds.length + 1
}

/**
 * `service_name` as span metrics have it, and not `job` and `instance`: those a scraper sets itself. Keys
 * that become one label are joined by `;`, as the specification has it.
 */
function labelsOf(
  resource: readonly KeyText[],
  attributes: readonly KeyText[]
): Record<string, string> {
  const labels: Record<string, string> = {
    service_name: textOf(resource, SERVICE_NAME) || UNKNOWN_SERVICE
  }
  const instance = textOf(resource, SERVICE_INSTANCE_ID)
  if (instance !== '') labels.service_instance_id = instance
  const sorted = [...attributes].sort((left, right) => (left.key < right.key ? -1 : 1))
  for (const { key, text } of sorted) {
    const name = labelName(key)
    const value = text.slice(0, VALUE_CHARS_MAX)
    labels[name] = name in labels ? `${labels[name]};${value}` : value
  }
  return labels
}

function textOf(attributes: readonly KeyText[], wanted: string): string {
  const text = attributes.findLast(({ key }) => key === wanted)?.text ?? ''
  return text.slice(0, VALUE_CHARS_MAX)
}
