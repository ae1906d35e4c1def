/**
 * Prometheus' two text formats, line by line. What differs:
 *
 *                        OpenMetrics 1.0                 text 0.0.4
 *   a counter's family   name without _total             name with _total
 *   UNIT, _created       yes                             no
 *   exemplars            on buckets                      no
 *   le                   "2.0"                           "2"
 *   the end              # EOF                           nothing
 *
 * https://prometheus.io/docs/specs/om/open_metrics_spec/
 */
import type { Exemplar } from '../model/metrics-snapshot.ts'

export interface Family {
  /** Without _total, _bucket and the like; ends with the unit when it has one. */
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly unit?: string
  readonly help: string
}

export interface Bucket {
  /** Inclusive; +Infinity for the last. */
  readonly bound: number
  readonly cumulated: number
  readonly exemplar?: Exemplar
}

export interface HistogramValue {
  readonly buckets: readonly Bucket[]
  readonly sum: number
  readonly count: number
  readonly createdUnixMs: number | undefined
}

export class TextPage {
  readonly #openMetrics: boolean
  readonly #lines: string[] = []
  #family: Family = { name: '', type: 'gauge', help: '' }

  constructor(openMetrics: boolean) {
    this.#openMetrics = openMetrics
  }

  /** All samples of a family stand together, so all until the next `family` are of this one. */
  family(family: Family): void {
    this.#family = family
    const name =
      this.#openMetrics || family.type !== 'counter' ? family.name : `${family.name}_total`
    this.#lines.push(`# HELP ${name} ${escapeHelp(family.help, this.#openMetrics)}`)
    this.#lines.push(`# TYPE ${name} ${family.type}`)
    if (this.#openMetrics && family.unit !== undefined) {
      this.#lines.push(`# UNIT ${name} ${family.unit}`)
    }
  }

  gauge(labels: string, value: number): void {
    this.#sample('', labels, value)
  }

  counter(labels: string, value: number, createdUnixMs?: number): void {
    this.#sample('_total', labels, value)
    this.#created(labels, createdUnixMs)
  }

  /** `unitsPerMs`: what exemplars, which are in milliseconds, are multiplied with. */
  histogram(labels: string, value: HistogramValue, unitsPerMs: number): void {
    const rest = labels === '' ? '' : `${labels},`
    for (const { bound, cumulated, exemplar } of value.buckets) {
      const le = `${rest}le="${this.#bound(bound)}"`
      this.#sample('_bucket', le, cumulated, exemplar, unitsPerMs)
    }
    this.#sample('_sum', labels, value.sum)
    this.#sample('_count', labels, value.count)
    this.#created(labels, value.createdUnixMs)
  }

  finish(): string {
    return `${this.#lines.join('\n')}\n${this.#openMetrics ? '# EOF\n' : ''}`
  }

  #created(labels: string, createdUnixMs: number | undefined): void {
    if (createdUnixMs === undefined || !this.#openMetrics) return
    this.#sample('_created', labels, createdUnixMs / 1000)
  }

  #sample(
    suffix: string,
    labels: string,
    value: number,
    exemplar?: Exemplar,
    unitsPerMs = 1
  ): void {
    const head = `${this.#family.name}${suffix}${labels === '' ? '' : `{${labels}}`}`
    const line = `${head} ${numberText(value)}`
    this.#lines.push(
      exemplar === undefined || !this.#openMetrics ? line : line + tail(exemplar, unitsPerMs)
    )
  }

  #bound(bound: number): string {
    if (bound === Number.POSITIVE_INFINITY) return '+Inf'
    const text = String(bound)
    return this.#openMetrics && Number.isInteger(bound) ? `${text}.0` : text
  }
}

const LONE_SURROGATES = /\p{Surrogate}/gu

/** `name="value",…`, values escaped. */
export function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabel(value)}"`)
    .join()
}

function tail({ traceId, spanId, valueMs, unixMs }: Exemplar, unitsPerMs: number): string {
  const labels = `trace_id="${traceId}",span_id="${spanId}"`
  return ` # {${labels}} ${numberText(valueMs * unitsPerMs)} ${(unixMs / 1000).toFixed(3)}`
}

/** Halves of surrogate pairs cannot be written as UTF-8: each becomes U+FFFD. */
function escapeLabel(value: string): string {
  return value
    .replace(LONE_SURROGATES, '\ufffd')
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('"', '\\"')
}

function escapeHelp(help: string, openMetrics: boolean): string {
  const escaped = help
    .replace(LONE_SURROGATES, '\ufffd')
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
  return openMetrics ? escaped.replaceAll('"', '\\"') : escaped
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value)
  if (Number.isNaN(value)) return 'NaN'
  return value > 0 ? '+Inf' : '-Inf'
}
