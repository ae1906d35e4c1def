import type { Options } from '../lib/option.ts'

const MIB = 1_048_576

/** Options of the journal: `--journal-…`, `SPANLOOM_JOURNAL_…`. */
export const journalOptions = {
  bytesMax: {
    type: 'number',
    default: 1024 * MIB,
    min: 4 * MIB,
    max: 1024 * 1024 * MIB,
    says: 'Bytes of accepted payloads kept on disk until the store has them. When full, senders hear 429.'
  },
  segmentBytes: {
    type: 'number',
    default: 64 * MIB,
    min: 65_536,
    max: 1024 * MIB,
    says: 'Size of one file of the journal, at most a quarter of bytesMax. Space is freed by whole files.'
  }
} as const satisfies Options
