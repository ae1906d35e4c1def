/**
 * Span metrics and the service graph as Prometheus scrapes them: under the names, labels and
 * buckets of OpenTelemetry's span metrics connector and of Tempo's service graph, so that the
 * dashboards made for those work. As OpenMetrics 1.0, with exemplars, or as Prometheus text 0.0.4,
 * whichever the scraper prefers.
 *
 * At the series limits a page has some 400,000 lines and 50 MB, rendered in one go.
 */
import {
  DURATION_BOUNDS_MS,
  DURATION_BUCKET_COUNT,
  SPAN_KIND_NAMES,
  STATUS_CODE_NAMES
} from '@spanloom/otlp'
import type {
  EdgeSeriesColumns,
  MetricsSnapshot,
  SpanSeriesColumns
} from '../model/metrics-snapshot.ts'
import type { ObservedFamily, ObservedHistogram } from '../model/observed-metric.ts'
import type { SelfMetric } from '../model/self-metric.ts'
import {
  type MergedEdgeSeries,
  type MergedHistogram,
  type MergedSpanSeries,
  mergeEdgeSeries,
  mergeSpanSeries
} from './merge-series.ts'
import type { RenderedMetrics } from './metric-exporter.ts'
import { type Bucket, labelsText, TextPage } from './prometheus-text.ts'

const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8'
const TEXT = 'text/plain; version=0.0.4; charset=utf-8'

/** The span metrics connector's default buckets, in milliseconds. */
const SPAN_BOUNDS_MS = [
  2, 4, 6, 8, 10, 50, 100, 200, 400, 800, 1000, 1400, 2000, 5000, 10000, 15000
]
/** Tempo's default buckets of the service graph, in milliseconds; shown as seconds. */
const EDGE_BOUNDS_MS = [100, 200, 400, 800, 1600, 3200, 6400, 12800]

/** OpenTelemetry's label of the series that takes what the limit refuses, as Prometheus spells it. */
const OVERFLOW_LABELS = labelsText({ otel_metric_overflow: 'true' })

export function renderMetrics(
  snapshots: readonly MetricsSnapshot[],
  accept: string | undefined,
  selfMetrics: readonly SelfMetric[],
  observed: readonly ObservedFamily[] = []
): RenderedMetrics {
  const openMetrics = prefersOpenMetrics(accept)
  const page = new TextPage(openMetrics)
  renderSpans(page, mergeSpanSeries(snapshots, spanLabels))
  renderEdges(page, mergeEdgeSeries(snapshots, edgeLabels))
  for (const metric of selfMetrics) renderSelf(page, metric)
  for (const family of observed) renderObserved(page, family)
  return { contentType: openMetrics ? OPEN_METRICS : TEXT, body: page.finish() }
}

function renderSpans(page: TextPage, merged: readonly MergedSpanSeries[]): void {
  page.family({
    name: 'traces_span_metrics_calls',
    type: 'counter',
    help: 'Spans, each counted once, whether its trace was kept or not.'
  })
  for (const { labels, calls, createdUnixMs } of merged) page.counter(labels, calls, createdUnixMs)
  page.family({
    name: 'traces_span_metrics_duration_milliseconds',
    type: 'histogram',
    unit: 'milliseconds',
    help: 'Durations of spans.'
  })
  for (const { labels, duration, createdUnixMs } of merged) {
    renderHistogram(page, labels, duration, createdUnixMs, SPAN_BUCKETS, 1)
  }
}

function renderEdges(page: TextPage, merged: readonly MergedEdgeSeries[]): void {
  page.family({
    name: 'traces_service_graph_request',
    type: 'counter',
    help: 'Calls between two nodes of the service graph.'
  })
  for (const { labels, calls, createdUnixMs } of merged) page.counter(labels, calls, createdUnixMs)
  page.family({
    name: 'traces_service_graph_request_failed',
    type: 'counter',
    help: 'Calls between two nodes that either side reports as failed.'
  })
  for (const { labels, failed, createdUnixMs } of merged) {
    page.counter(labels, failed, createdUnixMs)
  }
  for (const side of ['server', 'client'] as const) {
    page.family({
      name: `traces_service_graph_request_${side}_seconds`,
      type: 'histogram',
      unit: 'seconds',
      help: `Durations of calls between two nodes, as the ${side} saw them.`
    })
    for (const series of merged) {
      const duration = series[`${side}Duration`]
      if (duration.count === 0) continue
      renderHistogram(page, series.labels, duration, series.createdUnixMs, EDGE_BUCKETS, 1e-3)
    }
  }
}

function renderSelf(page: TextPage, { name, type, help, samples }: SelfMetric): void {
  page.family({ name, type, help })
  for (const { labels, value } of samples) page[type](labelsText(labels), value)
}

function renderObserved(page: TextPage, { samples, ...family }: ObservedFamily): void {
  page.family(family)
  for (const { labels, value, histogram, startUnixMs } of samples) {
    const text = labelsText(labels)
    const createdUnixMs = startUnixMs === 0 ? undefined : startUnixMs
    if (histogram !== undefined) {
      const { count, sum } = histogram
      page.histogram(text, { buckets: cumulated(histogram), sum, count, createdUnixMs }, 1)
    } else if (family.type === 'counter') {
      page.counter(text, value, createdUnixMs)
    } else {
      page.gauge(text, value)
    }
  }
}

function cumulated({ bounds, bucketCounts }: ObservedHistogram): Bucket[] {
  let sum = 0
  return bucketCounts.map((count, index) => {
    sum += count
    return { bound: bounds[index] ?? Number.POSITIVE_INFINITY, cumulated: sum }
  })
}

/** A skin's buckets: its bounds, and which of ours each takes in (up to, not including). */
interface SkinBuckets {
  readonly boundsMs: readonly number[]
  readonly ends: readonly number[]
}

const SPAN_BUCKETS = skinBuckets(SPAN_BOUNDS_MS)
const EDGE_BUCKETS = skinBuckets(EDGE_BOUNDS_MS)

function skinBuckets(boundsMs: readonly number[]): SkinBuckets {
  return {
    boundsMs: [...boundsMs, Number.POSITIVE_INFINITY],
    ends: [...boundsMs.map((bound) => DURATION_BOUNDS_MS.indexOf(bound) + 1), DURATION_BUCKET_COUNT]
  }
}

function renderHistogram(
  page: TextPage,
  labels: string,
  histogram: MergedHistogram,
  createdUnixMs: number,
  { boundsMs, ends }: SkinBuckets,
  unitsPerMs: number
): void {
  let cumulated = 0
  let own = 0
  const buckets = boundsMs.map((boundMs, index): Bucket => {
    let exemplar: Bucket['exemplar']
    for (; own < ends[index]!; own++) {
      cumulated += histogram.buckets[own]!
      // A span may be here before its process says that it counted it.
      const other = histogram.buckets[own] === 0 ? undefined : histogram.exemplars[own]
      if (other !== undefined && (exemplar === undefined || other.unixMs > exemplar.unixMs)) {
        exemplar = other
      }
    }
    // Seconds of whole milliseconds by division: 0.2, where a product may give 0.2000…01.
    const bound = unitsPerMs === 1 ? boundMs : boundMs / 1000
    return { bound, cumulated, ...(exemplar === undefined ? {} : { exemplar }) }
  })
  const sum = unitsPerMs === 1 ? histogram.sumMs : histogram.sumMs / 1000
  page.histogram(labels, { buckets, sum, count: histogram.count, createdUnixMs }, unitsPerMs)
}

function spanLabels(columns: SpanSeriesColumns, series: number): string {
  if (series === columns.overflow) return OVERFLOW_LABELS
  return labelsText({
    service_name: columns.service[series]!,
    span_name: columns.spanName[series]!,
    span_kind: `SPAN_KIND_${SPAN_KIND_NAMES[columns.kind[series]!]}`,
    status_code: `STATUS_CODE_${STATUS_CODE_NAMES[columns.status[series]!]}`
  })
}

function edgeLabels(columns: EdgeSeriesColumns, series: number): string {
  if (series === columns.overflow) return OVERFLOW_LABELS
  return labelsText({
    client: columns.client[series]!,
    server: columns.server[series]!,
    connection_type: columns.connectionType[series]!
  })
}

/** The better of the two by the Accept header's weights; text when nothing is said. */
function prefersOpenMetrics(accept: string | undefined): boolean {
  let open = 0
  let text = 0
  for (const part of (accept ?? '').split(',')) {
    const [type = '', ...parameters] = part.split(';').map((word) => word.trim().toLowerCase())
    const weight = Number(parameterOf(parameters, 'q') ?? 1)
    const version = parameterOf(parameters, 'version')
    if (type === 'application/openmetrics-text' && (version ?? '1.0.0') === '1.0.0') {
      open = Math.max(open, weight)
    } else if (type === 'text/plain' || type === 'text/*' || type === '*/*') {
      text = Math.max(text, weight)
    }
  }
  return open > 0 && open >= text
}

function parameterOf(parameters: readonly string[], name: string): string | undefined {
  const found = parameters.find((parameter) => parameter.startsWith(`${name}=`))
  return found?.slice(name.length + 1).replaceAll('"', '')
}
