/**
 * The metric exporter port: series → the metrics pipeline that a team already has. Adapters: one
 * file each, beside this one. A pull exporter renders when it is asked; one that pushes will take
 * the same columns.
 */
import type { MetricsSnapshot } from '../model/metrics-snapshot.ts'
import type { ObservedFamily } from '../model/observed-metric.ts'
import type { SelfMetric } from '../model/self-metric.ts'

export interface RenderedMetrics {
  readonly contentType: string
  readonly body: string
}

/** Snapshots of all shards: a series that several have is added up, and shown once. */
export type MetricRenderer = (
  snapshots: readonly MetricsSnapshot[],
  /** The Accept header of who asks. */
  accept: string | undefined,
  selfMetrics: readonly SelfMetric[],
  observed: readonly ObservedFamily[]
) => RenderedMetrics
