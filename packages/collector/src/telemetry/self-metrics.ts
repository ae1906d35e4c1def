/**
 * What the collector counts about itself. Declared here once, with a sentence each; the stages add
 * to them, metric exporters get them as plain data. Those marked in `sources` are read when asked.
 */
import type { SelfMetric, SelfMetricSample } from '../model/self-metric.ts'

const DECLARED = {
  spanloom_payloads_accepted: ['counter', 'Payloads answered with 200.', undefined],
  spanloom_payloads_rejected: ['counter', 'Payloads refused, by reason.', 'reason'],
  spanloom_payloads_dropped: ['counter', 'Accepted payloads that could not be read.', undefined],
  spanloom_payload_bytes: ['counter', 'Bytes of accepted payloads, as sent.', undefined],
  spanloom_spans_rejected: ['counter', 'Spans refused in accepted payloads.', undefined],
  spanloom_connections_rejected: ['counter', 'Connections over the limit.', undefined],
  spanloom_journal_bytes: ['gauge', 'What the journal takes on disk.', undefined],
  spanloom_journal_next_position: ['gauge', 'Position the next record will get.', undefined],
  spanloom_journal_write_failures: ['counter', 'Appends that could not be written.', undefined],
  spanloom_ticks: ['counter', 'Tick records written.', undefined],
  spanloom_shard_position: ['gauge', 'Last record the shard has processed.', 'shard'],
  spanloom_shard_waiting_bytes: ['gauge', 'Bytes accepted and not yet processed.', 'shard'],
  spanloom_shard_spans: ['counter', 'Spans processed, by outcome.', 'outcome'],
  spanloom_calls_precounted: ['counter', 'Calls that their own process has counted.', undefined],
  spanloom_deltas_duplicate: ['counter', 'Payloads of such counts that came again.', undefined],
  spanloom_points_rejected: ['counter', 'Metric points refused in accepted payloads.', undefined],
  spanloom_shard_traces: ['counter', 'Traces decided, by when.', 'outcome'],
  spanloom_shard_traces_open: ['gauge', 'Traces waiting for spans.', undefined],
  spanloom_series: ['gauge', 'Span metric series.', undefined],
  spanloom_series_overflow: ['counter', 'Calls counted under the overflow series.', undefined],
  spanloom_edges_expired: ['counter', 'Edges whose other side never came.', undefined],
  spanloom_store_writes: ['counter', 'Batches the store has taken.', undefined],
  spanloom_store_write_seconds: ['counter', 'Time spent writing batches.', undefined],
  spanloom_store_write_retries: ['counter', 'Writes that failed and were tried again.', 'code'],
  spanloom_store_unstored_bytes: ['gauge', 'Bytes of batches the store has not taken.', 'shard'],
  spanloom_store_unstored_batches: ['gauge', 'Batches the store has not taken.', 'shard'],
  spanloom_checkpoints: ['counter', 'Checkpoints written.', undefined],
  spanloom_checkpoint_failures: ['counter', 'Checkpoints that could not be written.', undefined],
  spanloom_checkpoint_position: ['gauge', 'Position of the last checkpoint.', 'shard'],
  spanloom_uptime_seconds: ['gauge', 'Since the collector was started.', undefined]
} as const satisfies Record<
  string,
  readonly ['counter' | 'gauge', help: string, label: string | undefined]
>

export type SelfMetricName = keyof typeof DECLARED

/** Label values come from this code's own tables, so their number is bounded by it. */
export class SelfMetrics {
  readonly #values = new Map<SelfMetricName, Map<string, number>>()
  readonly #sources: Array<() => void> = []

  add(name: SelfMetricName, amount = 1, labelValue = ''): void {
    const values = this.#valuesOf(name)
    values.set(labelValue, (values.get(labelValue) ?? 0) + amount)
  }

  set(name: SelfMetricName, value: number, labelValue = ''): void {
    this.#valuesOf(name).set(labelValue, value)
  }

  /** All label values together. */
  total(name: SelfMetricName): number {
    let sum = 0
    for (const value of this.#valuesOf(name).values()) sum += value
    return sum
  }

  /** `refresh` is called before each `collect`, to `set` what is only known by looking. */
  addSource(refresh: () => void): void {
    this.#sources.push(refresh)
  }

  collect(): SelfMetric[] {
    for (const refresh of this.#sources) refresh()
    return Object.entries(DECLARED).map(([name, [type, help, label]]) => ({
      name,
      type,
      help,
      samples: this.#samples(name as SelfMetricName, label)
    }))
  }

  #samples(name: SelfMetricName, label: string | undefined): SelfMetricSample[] {
    const values = this.#valuesOf(name)
    if (label === undefined) return [{ labels: {}, value: values.get('') ?? 0 }]
    return [...values].map(([labelValue, value]) => ({ labels: { [label]: labelValue }, value }))
  }

  #valuesOf(name: SelfMetricName): Map<string, number> {
    const known = this.#values.get(name)
    if (known !== undefined) return known
    const values = new Map<string, number>()
    this.#values.set(name, values)
    return values
  }
}
