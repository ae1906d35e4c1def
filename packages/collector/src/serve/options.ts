/** The options of the UI and API server. */
import type { Options } from '../lib/option.ts'

export const SERVE_OPTIONS = {
  uiPort: {
    type: 'number',
    default: 4319,
    min: 0,
    max: 65_535,
    says: 'Port of the UI, the query API and /metrics. 0 takes any that is free.'
  }
} as const satisfies Options
