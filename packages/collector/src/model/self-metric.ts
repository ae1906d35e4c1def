/** What the collector says about itself, as plain data that a metric exporter renders. */
export interface SelfMetricSample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface SelfMetric {
  /** Whole, with unit, without the exporter's suffix for counters: `spanloom_store_write_seconds`. */
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly samples: readonly SelfMetricSample[]
}
