/**
 * The same series of several shards, added up. A trace is in one shard, a series in all of them;
 * who scrapes sees it once. Two series are the same when their labels are.
 */
import { DURATION_BUCKET_COUNT } from '@spanloom/otlp'
import type {
  EdgeSeriesColumns,
  Exemplar,
  HistogramColumns,
  MetricsSnapshot,
  SpanSeriesColumns
} from '../model/metrics-snapshot.ts'

export interface MergedHistogram {
  sumMs: number
  count: number
  /** By DURATION_BOUNDS_MS, not cumulated. */
  readonly buckets: Float64Array
  /** By bucket, the newest. */
  readonly exemplars: Array<Exemplar | undefined>
}

export interface MergedSpanSeries {
  readonly labels: string
  createdUnixMs: number
  calls: number
  readonly duration: MergedHistogram
}

export interface MergedEdgeSeries {
  readonly labels: string
  createdUnixMs: number
  calls: number
  failed: number
  readonly clientDuration: MergedHistogram
  readonly serverDuration: MergedHistogram
}

/** `labelsOf`: the series' labels as text, by its columns and index. */
export function mergeSpanSeries(
  snapshots: readonly MetricsSnapshot[],
  labelsOf: (columns: SpanSeriesColumns, series: number) => string
): MergedSpanSeries[] {
  const merged = new Map<string, MergedSpanSeries>()
  for (const { spans, createdUnixMs } of snapshots) {
    const targets: MergedSpanSeries[] = []
    for (let series = 0; series < spans.calls.length; series++) {
      const labels = labelsOf(spans, series)
      let target = merged.get(labels)
      if (target === undefined) {
        target = { labels, createdUnixMs, calls: 0, duration: newHistogram() }
        merged.set(labels, target)
      }
      target.createdUnixMs = Math.min(target.createdUnixMs, createdUnixMs)
      target.calls += spans.calls[series]!
      addHistogram(target.duration, spans.duration, series)
      targets.push(target)
    }
    for (const exemplar of spans.exemplars) {
      offerExemplar(targets[exemplar.series]!.duration, exemplar)
    }
  }
  return [...merged.values()]
}

export function mergeEdgeSeries(
  snapshots: readonly MetricsSnapshot[],
  labelsOf: (columns: EdgeSeriesColumns, series: number) => string
): MergedEdgeSeries[] {
  const merged = new Map<string, MergedEdgeSeries>()
  for (const { edges, createdUnixMs } of snapshots) {
    const targets: MergedEdgeSeries[] = []
    for (let series = 0; series < edges.calls.length; series++) {
      const labels = labelsOf(edges, series)
      let target = merged.get(labels)
      if (target === undefined) {
        const clientDuration = newHistogram()
        const serverDuration = newHistogram()
        target = { labels, createdUnixMs, calls: 0, failed: 0, clientDuration, serverDuration }
        merged.set(labels, target)
      }
      target.createdUnixMs = Math.min(target.createdUnixMs, createdUnixMs)
      target.calls += edges.calls[series]!
      target.failed += edges.failed[series]!
      addHistogram(target.clientDuration, edges.clientDuration, series)
      addHistogram(target.serverDuration, edges.serverDuration, series)
      targets.push(target)
    }
    for (const exemplar of edges.exemplars) {
      offerExemplar(targets[exemplar.series]!.serverDuration, exemplar)
    }
  }
  return [...merged.values()]
}

function newHistogram(): MergedHistogram {
  return {
    sumMs: 0,
    count: 0,
    buckets: new Float64Array(DURATION_BUCKET_COUNT),
    exemplars: new Array<Exemplar | undefined>(DURATION_BUCKET_COUNT).fill(undefined)
  }
}

function addHistogram(target: MergedHistogram, from: HistogramColumns, series: number): void {
  target.sumMs += from.sumsMs[series]!
  const at = series * DURATION_BUCKET_COUNT
  for (let bucket = 0; bucket < DURATION_BUCKET_COUNT; bucket++) {
    target.buckets[bucket]! += from.buckets[at + bucket]!
    target.count += from.buckets[at + bucket]!
  }
}

function offerExemplar(target: MergedHistogram, exemplar: Exemplar): void {
  const known = target.exemplars[exemplar.bucket]
  if (known === undefined || known.unixMs < exemplar.unixMs) {
    target.exemplars[exemplar.bucket] = exemplar
  }
}
