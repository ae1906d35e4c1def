/** The options of the UI and API server. */
import type { Options } from '../lib/option.ts'

export const SERVE_OPTIONS = {
  uiHost: {
    type: 'text',
    default: '127.0.0.1',
    maxChars: 255,
    says: 'Address that the UI and the query API listen on. There is no login yet: anyone who reaches it can read all spans.'
  },
  uiPort: {
    type: 'number',
    default: 4319,
    min: 0,
    max: 65_535,
    says: 'Port of the UI, the query API and /metrics. 0 takes any that is free.'
  }
} as const satisfies Options
