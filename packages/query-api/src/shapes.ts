/**
 * The answers, as JSON. Counts are exact (every span that was accepted, whether its trace was kept
 * or not); latencies come from histograms whose buckets are 9 % wide. Times that need nanoseconds
 * are decimal strings, because 2^53 ns is only 104 days.
 */

export type SpanKind = 'unspecified' | 'internal' | 'server' | 'client' | 'producer' | 'consumer'
export type SpanStatus = 'unset' | 'ok' | 'error'

/** Percentiles in milliseconds; `undefined` (absent in JSON) when nothing was called. */
export interface LatencyMs {
  readonly p50Ms?: number
  readonly p95Ms?: number
  readonly p99Ms?: number
}

export interface SparklinePoint {
  /** Start of the step. */
  readonly unixMs: number
  readonly calls: number
  readonly errors: number
  readonly p95Ms?: number
}

/** One service over the window. Counts its entry spans: kind server or consumer. */
export interface ServiceRow extends LatencyMs {
  readonly service: string
  readonly calls: number
  readonly errors: number
  /** Calls per second over the window; the window is shortened to when the service was first seen. */
  readonly callsPerSecond: number
  /** Evenly spaced over the window, oldest first, steps without calls included as zeros. */
  readonly sparkline: readonly SparklinePoint[]
}

export interface ServicesResponse {
  readonly fromUnixMs: number
  readonly toUnixMs: number
  readonly stepMs: number
  readonly services: readonly ServiceRow[]
}

/** One (operation, kind) of a service over the window; all kinds, not only entries. */
export interface OperationRow extends LatencyMs {
  readonly operation: string
  readonly kind: SpanKind
  readonly calls: number
  readonly errors: number
  readonly callsPerSecond: number
  readonly sparkline: readonly SparklinePoint[]
}

export interface OperationsResponse {
  readonly fromUnixMs: number
  readonly toUnixMs: number
  readonly stepMs: number
  readonly service: string
  readonly operations: readonly OperationRow[]
}

/**
 * `service`: reports spans. `database`, `messaging`: known from its callers. `external`: an address
 * that was called and sent no spans. `user`: whoever calls a service without a trace context.
 */
export type NodeType = 'service' | 'database' | 'messaging' | 'external' | 'user'

/** As Tempo's and the service graph connector's label, except that '' is written out. */
export type ConnectionType = 'http' | 'database' | 'messaging_system' | 'virtual_node'

export interface GraphNode extends LatencyMs {
  /** Unique: `type:name`. */
  readonly id: string
  readonly name: string
  readonly type: NodeType
  /** What came in over all edges to this node; for `user`, what it sent. */
  readonly calls: number
  readonly errors: number
  readonly callsPerSecond: number
}

export interface GraphEdge extends LatencyMs {
  /** `GraphNode.id` of the caller and of the called. */
  readonly source: string
  readonly target: string
  readonly connectionType: ConnectionType
  readonly calls: number
  readonly errors: number
  readonly callsPerSecond: number
  /** A stored trace that went over this edge, when there is one. */
  readonly exampleTraceId?: string
}

export interface GraphResponse {
  readonly fromUnixMs: number
  readonly toUnixMs: number
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
}

export interface TraceSummary {
  readonly traceId: string
  readonly startTimeUnixNano: string
  readonly durationMs: number
  /** Of the root span; of the earliest span when the root never came. */
  readonly rootService: string
  readonly rootOperation: string
  readonly rootStatus: SpanStatus
  readonly spanCount: number
  readonly errorCount: number
  readonly services: readonly string[]
}

export interface TracesResponse {
  /** Newest first, then by trace id: the same question gives the same answer. */
  readonly traces: readonly TraceSummary[]
  /** Ask again with `cursor` for older ones; absent when there are none. */
  readonly nextCursor?: string
  /** How far back the search has looked. Older traces may match when `nextCursor` is there. */
  readonly searchedFromUnixMs: number
}

export interface SpanEvent {
  readonly timeUnixNano: string
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
}

export interface SpanLink {
  readonly traceId: string
  readonly spanId: string
  readonly attributes: Readonly<Record<string, string>>
}

export interface TraceSpan {
  readonly spanId: string
  /** Absent for a root. */
  readonly parentSpanId?: string
  readonly service: string
  readonly name: string
  readonly kind: SpanKind
  readonly status: SpanStatus
  readonly statusMessage?: string
  readonly startTimeUnixNano: string
  readonly durationNano: string
  /** Time in which no child was running. */
  readonly selfTimeNano: string
  readonly scopeName: string
  readonly attributes: Readonly<Record<string, string>>
  readonly events: readonly SpanEvent[]
  readonly links: readonly SpanLink[]
  /** Index into `TraceResponse.resources`. */
  readonly resource: number
}

export interface TraceResponse {
  readonly traceId: string
  /** By start time. At most LIMITS.spansPerTrace; `truncated` says that there were more. */
  readonly spans: readonly TraceSpan[]
  readonly resources: readonly Readonly<Record<string, string>>[]
  readonly truncated: boolean
}

/** A span that had not ended when its process reported it, ten seconds after its start. */
export interface OpenSpanRow {
  readonly traceId: string
  readonly spanId: string
  readonly service: string
  readonly instance: string
  readonly name: string
  readonly kind: string
  readonly startUnixMs: number
  readonly reportedUnixMs: number
  /** For how long the process's event loop had been blocked when it reported; 0 when it was not. */
  readonly eventLoopBlockedMs: number
  /**
   * What is stored by now: nothing, other spans of its `trace`, or the `span` itself, which has ended then.
   * Absent when the store did not say.
   */
  readonly stored?: 'none' | 'trace' | 'span'
}

/** Newest reports first, of the last ten minutes; one that has ended since is still here. */
export interface OpenSpansResponse {
  readonly spans: readonly OpenSpanRow[]
}

/** What the collector did, since its data directory was made (survives restarts). */
export interface StatusResponse {
  readonly version: string
  readonly uptimeMs: number
  readonly spans: {
    readonly accepted: number
    readonly duplicate: number
    readonly late: number
    readonly stored: number
    readonly dropped: number
  }
  readonly payloads: { readonly accepted: number; readonly rejected: number }
  readonly traces: { readonly open: number; readonly stored: number }
  readonly journal: { readonly bytes: number; readonly nextPosition: number; readonly lag: number }
  readonly seriesCount: number
}
