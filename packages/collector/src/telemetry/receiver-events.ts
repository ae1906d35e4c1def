/** What a receiver counts, in self metrics. Shaped after the receiver's port without knowing it. */
import type { Log } from './log.ts'
import type { SelfMetrics } from './self-metrics.ts'

export function receiverEvents(metrics: SelfMetrics, log: Log) {
  return {
    payloadAccepted(_spanCount: number, byteCount: number): void {
      metrics.add('spanloom_payloads_accepted')
      metrics.add('spanloom_payload_bytes', byteCount)
    },
    payloadRejected(reason: string): void {
      metrics.add('spanloom_payloads_rejected', 1, reason)
    },
    spansRejected(spanCount: number): void {
      metrics.add('spanloom_spans_rejected', spanCount)
    },
    pointsRejected(pointCount: number): void {
      metrics.add('spanloom_points_rejected', pointCount)
    },
    connectionRejected(): void {
      metrics.add('spanloom_connections_rejected')
    },
    failed(error: unknown): void {
      log.error('receiver failed', { reason: error instanceof Error ? error.stack : String(error) })
    }
  }
}
