/** What the pipeline says about itself: the status page's answer, and the self metrics' gauges. */
import type { StatusResponse } from '@spanloom/query-api'
import type { Journal } from '../journal/journal.ts'
import type { Clock } from '../lib/clock.ts'
import { VERSION } from '../lib/version.ts'
import type { ShardStats } from '../model/shard-messages.ts'
import type { SpanStore } from '../store/span-store.ts'
import type { SelfMetrics } from '../telemetry/self-metrics.ts'
import type { Intake } from './intake.ts'
import type { ShardHost } from './shard-host.ts'

/** The store may be busy; the status page is asked every few seconds. */
const COUNT_TIMEOUT_MS = 5_000

export interface StatusParts {
  readonly intake: Intake
  readonly journal: Journal
  readonly shards: readonly ShardHost[]
  readonly store: Pick<SpanStore, 'count'>
  readonly clock: Clock
  readonly metrics: SelfMetrics
  readonly startedMs: number
}

export async function collectStatus(
  parts: StatusParts,
  signal: AbortSignal
): Promise<StatusResponse> {
  const { intake, journal, shards, store, clock, metrics, startedMs } = parts
  const deadline = AbortSignal.timeout(COUNT_TIMEOUT_MS)
  const stored = await store.count(AbortSignal.any([signal, deadline]))
  const processed = Math.min(...shards.map((shard) => shard.processedPosition))
  return {
    version: VERSION,
    uptimeMs: Math.round(clock.monotonicMs() - startedMs),
    spans: {
      accepted: sumOf(shards, 'spansAccepted'),
      duplicate: sumOf(shards, 'spansDuplicate'),
      late: sumOf(shards, 'spansLate'),
      stored: stored.spans,
      // The spans of a payload that turns out to be unreadable are not known: it counts as one.
      dropped: sumOf(shards, 'spansDropped') + sumOf(shards, 'payloadsDropped')
    },
    payloads: {
      accepted: shards[0]!.payloadsAccepted,
      rejected: payloadsRejected(shards, metrics)
    },
    traces: { open: sumOf(shards, 'tracesOpen'), stored: stored.traces },
    journal: {
      bytes: journal.sizeBytes,
      nextPosition: intake.nextPosition,
      lag: intake.nextPosition - 1 - processed
    },
    seriesCount: sumOf(shards, 'seriesCount')
  }
}

/** Since the journal was made, as far as checkpoints tell: those since the last one may be missing. */
export function payloadsRejected(shards: readonly ShardHost[], metrics: SelfMetrics): number {
  return shards[0]!.restoredPayloadsRejected + metrics.total('spanloom_payloads_rejected')
}

/** Sets what is only known by looking. */
export function observe(parts: Omit<StatusParts, 'store'>): void {
  const { intake, journal, shards, clock, metrics, startedMs } = parts
  metrics.set('spanloom_uptime_seconds', (clock.monotonicMs() - startedMs) / 1_000)
  metrics.set('spanloom_journal_bytes', journal.sizeBytes)
  metrics.set('spanloom_journal_next_position', intake.nextPosition)
  for (const host of shards) {
    const shard = String(host.shard)
    metrics.set('spanloom_shard_position', host.processedPosition, shard)
    metrics.set('spanloom_shard_waiting_bytes', host.waitingBytes, shard)
    metrics.set('spanloom_store_unstored_bytes', host.unstoredBytes, shard)
    metrics.set('spanloom_store_unstored_batches', host.unstoredCount, shard)
  }
  metrics.set('spanloom_shard_spans', sumOf(shards, 'spansAccepted'), 'accepted')
  metrics.set('spanloom_shard_spans', sumOf(shards, 'spansDuplicate'), 'duplicate')
  metrics.set('spanloom_shard_spans', sumOf(shards, 'spansLate'), 'late')
  metrics.set('spanloom_calls_precounted', sumOf(shards, 'callsPrecounted'))
  metrics.set('spanloom_deltas_duplicate', sumOf(shards, 'deltasDuplicate'))
  metrics.set('spanloom_shard_traces', sumOf(shards, 'tracesCompleted'), 'completed')
  metrics.set('spanloom_shard_traces', sumOf(shards, 'tracesDecidedEarly'), 'decided_early')
  metrics.set('spanloom_shard_traces_open', sumOf(shards, 'tracesOpen'))
  metrics.set('spanloom_shard_spans', sumOf(shards, 'spansDropped'), 'dropped')
  metrics.set('spanloom_payloads_dropped', sumOf(shards, 'payloadsDropped'))
  metrics.set('spanloom_series', sumOf(shards, 'seriesCount'))
  metrics.set('spanloom_series_overflow', sumOf(shards, 'seriesOverflow'))
  metrics.set('spanloom_edges_expired', sumOf(shards, 'edgesExpired'))
}

function sumOf(shards: readonly ShardHost[], name: keyof ShardStats): number {
  return shards.reduce((sum, shard) => sum + shard.stats[name], 0)
}
