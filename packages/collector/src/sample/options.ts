import type { Options, ValuesOf } from '../lib/option.ts'

/** Options of the sample stage. */
export const sampleOptions = {
  exemplarAgeMaxMs: {
    type: 'number',
    default: 3_600_000,
    min: 60_000,
    max: 604_800_000,
    says: 'Older exemplars are no longer shown. Must be below the retention of traces, so that every exemplar opens.'
  }
} as const satisfies Options

export type SampleOptions = ValuesOf<typeof sampleOptions>
