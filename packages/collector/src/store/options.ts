/** The store's options. */
import type { Options } from '../lib/option.ts'
import { CUT_BLOCK_MS } from './clickhouse/schema.ts'

const HOUR_MS = 3_600_000

export const STORE_OPTIONS = {
  retentionHours: {
    type: 'number',
    default: 72,
    min: CUT_BLOCK_MS / HOUR_MS,
    max: 90 * 24,
    says: `How long spans, traces and metric rollups are kept, in hours. They are dropped in blocks, so up to ${CUT_BLOCK_MS / HOUR_MS} hours more.`
  }
} as const satisfies Options
