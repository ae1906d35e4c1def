/**
 * Turns what a shard decided into rows in the store's encoding. Runs on the shard's thread, so it
 * touches no file and no socket. Adapter: `clickhouse/` (RowBinary).
 */
import type { TableRows } from '../model/store-batch.ts'

/** Spans of one payload share its inflated bytes: ranges point into them. Borrowed per call. */
export interface KeptSpan {
  readonly payload: Uint8Array
  /** The Span message's content (without tag and length). */
  readonly spanOffset: number
  readonly spanLength: number
  /** The Resource message's content; length 0 when the payload had none. */
  readonly resourceOffset: number
  readonly resourceLength: number
  /** The InstrumentationScope message's content; length 0 when the payload had none. */
  readonly scopeOffset: number
  readonly scopeLength: number
  readonly service: string
  /** Nanoseconds in which no child was running. */
  readonly selfTimeNano: number
}

export interface KeptTrace {
  /** 32 hex digits. */
  readonly traceId: string
  /** Of the root; of the earliest span when the root is missing. */
  readonly rootService: string
  readonly rootOperation: string
  /** OTLP's number: 0 unset, 1 ok, 2 error. */
  readonly rootStatus: number
  /** Earliest start, as Unix milliseconds with a fraction; good to a microsecond. */
  readonly startUnixMs: number
  /** Latest end minus earliest start. */
  readonly durationNano: number
  readonly errorCount: number
  readonly services: readonly string[]
  readonly spans: readonly KeptSpan[]
  /** Spans that arrived after their trace was decided: they add to what is stored of it. */
  readonly late: boolean
  /** Why it was kept (the policy's name), and how many traces it stands for. */
  readonly keepReason: string
  readonly weight: number
}

/** Log-scale histogram: bucket i holds durations d (ns) with floor(8 * log2(d)) = i; d < 1 → 0. */
export interface SparseHistogram {
  readonly indexes: readonly number[]
  readonly counts: readonly number[]
}

/** What one series gained, in the rollup step that its spans ended in. */
export interface SpanMetricsDelta {
  readonly stepUnixMs: number
  readonly service: string
  readonly operation: string
  /** OTLP's number. */
  readonly kind: number
  readonly calls: number
  readonly errors: number
  readonly durationSumNano: number
  readonly durations: SparseHistogram
}

export interface EdgeDelta {
  readonly stepUnixMs: number
  /** `NodeType` of the query API, and the name. */
  readonly clientType: string
  readonly client: string
  readonly serverType: string
  readonly server: string
  /** `ConnectionType` of the query API. */
  readonly connectionType: string
  readonly calls: number
  readonly errors: number
  readonly durationSumNano: number
  /** As the called side saw it; as the caller did where only that is known. */
  readonly durations: SparseHistogram
  /** A trace of the same batch. */
  readonly exampleTraceId: string
}

/** Rollup step: fine enough for a live sparkline, 360 rows an hour and series. */
export const ROLLUP_STEP_MS = 10_000

export interface BatchEncoder {
  addTrace(trace: KeptTrace): void
  addSpanMetrics(delta: SpanMetricsDelta): void
  addEdge(delta: EdgeDelta): void
  /** Rows added since the last `take`. */
  readonly rowCount: number
  /**
   * Hands over all rows, tables without any left out, and starts afresh. `cutUnixMs` is the
   * journal's wall clock at the tick that cuts the batch: retention goes by it, because what spans
   * say about the time may be wrong. Without it, the median time of what was added stands in.
   */
  take(cutUnixMs?: number): readonly TableRows[]
}
