/** The latest values of metrics that apps send, as plain data that a metric exporter renders. */
export interface ObservedHistogram {
  readonly count: number
  readonly sum: number
  /** Inclusive upper bounds; the last bucket has none. Counts are not cumulated. */
  readonly bounds: readonly number[]
  readonly bucketCounts: readonly number[]
}

export interface ObservedSample {
  readonly labels: Readonly<Record<string, string>>
  /** A histogram has none. */
  readonly value: number
  readonly histogram?: ObservedHistogram | undefined
  /** 0 when the sender does not say. */
  readonly startUnixMs: number
}

export interface ObservedFamily {
  /** As a metric exporter shows it, unit included. */
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly unit?: string
  readonly help: string
  readonly samples: readonly ObservedSample[]
}
