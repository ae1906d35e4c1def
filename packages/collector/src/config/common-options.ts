import type { Options } from '../lib/option.ts'
import { SERVE_OPTIONS } from '../serve/options.ts'

/** What most people set, and so without a section: `--data-dir`, `SPANLOOM_DATA_DIR`. */
export const commonOptions = {
  dataDir: {
    type: 'text',
    default: '.spanloom',
    maxChars: 4_096,
    says: 'Directory of the journal, the checkpoints and the store. Made when it is not there.'
  },
  host: {
    type: 'text',
    default: '127.0.0.1',
    maxChars: 255,
    says: 'Address to listen on, for OTLP and for the UI. There is no login yet: anyone who reaches it can send spans and read them all.'
  },
  otlpPort: {
    type: 'number',
    default: 4318,
    min: 0,
    max: 65_535,
    says: 'Port that takes OTLP over HTTP. 0 takes any free one.'
  },
  ...SERVE_OPTIONS
} as const satisfies Options
