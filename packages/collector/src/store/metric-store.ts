/** The store port for metric rollups: what was counted, by time step. */
import type { ConnectionType, NodeType } from '@spanloom/query-api'
import type { BucketCounts, Latency } from '../lib/log-histogram.ts'

export interface RollupPoint {
  readonly unixMs: number
  readonly calls: number
  readonly errors: number
  readonly p95Ms: number
}

export interface ServiceRollup extends Latency {
  readonly service: string
  readonly calls: number
  readonly errors: number
  /** Start of the first step in the window that has a call. */
  readonly firstUnixMs: number
  /** Steps with calls, oldest first, of the width that was asked for. */
  readonly points: readonly RollupPoint[]
}

export interface OperationRollup extends ServiceRollup {
  readonly operation: string
  /** OTLP's number. */
  readonly kind: number
}

export interface EdgeRollup extends Latency {
  readonly clientType: NodeType
  readonly client: string
  readonly serverType: NodeType
  readonly server: string
  readonly connectionType: ConnectionType
  readonly calls: number
  readonly errors: number
  /** Start of the first step in the window that has a call. */
  readonly firstUnixMs: number
  /** Empty when there is none. */
  readonly exampleTraceId: string
  /** By bucket of `SparseHistogram`; what the percentiles are cut from: a node's are cut from the sum over its edges. */
  readonly durations: BucketCounts
}

/** Half-open, on whole rollup steps: every step that begins at or after `from` and before `to`. */
export interface Window {
  readonly fromUnixMs: number
  readonly toUnixMs: number
}

export interface MetricStore {
  services(window: Window, pointMs: number, signal: AbortSignal): Promise<readonly ServiceRollup[]>
  operations(
    service: string,
    window: Window,
    pointMs: number,
    signal: AbortSignal
  ): Promise<readonly OperationRollup[]>
  edges(window: Window, signal: AbortSignal): Promise<readonly EdgeRollup[]>
}
