/**
 * The store port for traces, and for the batches that shards cut. Adapters: `chdb/` (embedded);
 * a ClickHouse server later. All speak the SQL of `clickhouse/`.
 */
import type { TraceResponse, TraceSummary } from '@spanloom/query-api'
import type { StoreBatch } from '../model/store-batch.ts'

export interface TraceQuery {
  readonly fromUnixMs: number
  readonly toUnixMs: number
  readonly service?: string
  readonly operation?: string
  readonly minDurationMs?: number
  readonly maxDurationMs?: number
  readonly status?: 'error' | 'ok'
  readonly attributes: readonly { readonly key: string; readonly value: string }[]
  readonly limit: number
  /** Only traces older than this one: (start, trace id), descending. */
  readonly after?: { readonly startUnixNano: string; readonly traceId: string }
}

export interface SpanStore {
  /** Starts the engine; creates or migrates the tables. Once, before anything else. */
  open(signal: AbortSignal): Promise<void>

  /**
   * Writes the batch; a batch whose token was written before changes nothing and succeeds. The
   * caller retries on STORE_UNAVAILABLE, with the same batch, for as long as it takes.
   * @throws CollectorError STORE_UNAVAILABLE, STORE_CLOSED
   */
  write(batch: StoreBatch, signal: AbortSignal): Promise<void>

  /** Newest first; at most `limit`. @throws CollectorError STORE_QUERY_TIMEOUT, STORE_UNAVAILABLE */
  findTraces(query: TraceQuery, signal: AbortSignal): Promise<readonly TraceSummary[]>

  /** `undefined` when there is none. At most `spansMax` spans, the earliest. */
  getTrace(
    traceId: string,
    spansMax: number,
    signal: AbortSignal
  ): Promise<TraceResponse | undefined>

  /**
   * Of these traces the ones that are there, with the ids of their spans that took at least
   * `durationMsMin`: the spans of a long list of traces are more than anyone may ask for.
   */
  findLongSpans(
    traceIds: readonly string[],
    durationMsMin: number,
    signal: AbortSignal
  ): Promise<ReadonlyMap<string, ReadonlySet<string>>>

  /** Spans and traces there, for the status page and for tests. */
  count(signal: AbortSignal): Promise<{ readonly spans: number; readonly traces: number }>

  /** Finishes the write under way, then lets go of the engine. */
  close(): Promise<void>
}
