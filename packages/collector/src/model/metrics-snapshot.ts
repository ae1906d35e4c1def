/**
 * All cumulative series of a shard at one moment, as the metric exporters take them. Columns, not
 * objects: 20,000 series cross the thread border in a few milliseconds.
 */

/** One per (series, bucket) at most: the newest. Its trace is stored: it can be opened. */
export interface Exemplar {
  /** Index of the series in the columns. */
  readonly series: number
  /** Index into DURATION_BOUNDS_MS; the bucket that it fell into. */
  readonly bucket: number
  readonly traceId: string
  readonly spanId: string
  readonly valueMs: number
  readonly unixMs: number
}

/** Bucket counts of series s stand at s * DURATION_BUCKET_COUNT, not cumulated. */
export interface HistogramColumns {
  readonly sumsMs: Float64Array
  readonly buckets: Float64Array
}

export interface SpanSeriesColumns {
  readonly service: readonly string[]
  readonly spanName: readonly string[]
  /** OTLP's numbers: 0 unspecified … 5 consumer. */
  readonly kind: Uint8Array
  /** OTLP's numbers: 0 unset, 1 ok, 2 error. */
  readonly status: Uint8Array
  readonly calls: Float64Array
  readonly duration: HistogramColumns
  readonly exemplars: readonly Exemplar[]
  /** Index of the series that takes what the limit refuses, or -1. */
  readonly overflow: number
}

export interface EdgeSeriesColumns {
  readonly client: readonly string[]
  readonly server: readonly string[]
  /** Tempo's words: '', 'database', 'messaging_system', 'virtual_node'. */
  readonly connectionType: readonly string[]
  readonly calls: Float64Array
  readonly failed: Float64Array
  /** Has fewer calls than `calls` where the caller sends no spans. */
  readonly clientDuration: HistogramColumns
  /** As the called side saw it; as the caller did where only that is known. */
  readonly serverDuration: HistogramColumns
  /** On the buckets of `serverDuration`. */
  readonly exemplars: readonly Exemplar[]
  /** Index of the edge that takes what the limit refuses, or -1. */
  readonly overflow: number
}

export interface MetricsSnapshot {
  readonly spans: SpanSeriesColumns
  readonly edges: EdgeSeriesColumns
  /** When the first span was counted; the `_created` of every series; 0 before. */
  readonly createdUnixMs: number
}
