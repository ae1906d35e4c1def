import type { Options, ValuesOf } from '../lib/option.ts'

/** Options of the derive stage. */
export const deriveOptions = {
  seriesMax: {
    type: 'number',
    default: 20_000,
    min: 100,
    max: 1_000_000,
    says: 'Span series (service, operation, kind, status) of a shard, about 300 bytes each. Beyond it one overflow series takes the counts, so that totals stay exact.'
  },
  edgesMax: {
    type: 'number',
    default: 10_000,
    min: 100,
    max: 1_000_000,
    says: 'Edges of the service graph of a shard, about 400 bytes each. Beyond it one overflow edge takes the counts.'
  }
} as const satisfies Options

export type DeriveOptions = ValuesOf<typeof deriveOptions>
