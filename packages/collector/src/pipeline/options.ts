import type { Options } from '../lib/option.ts'

const MIB = 1_048_576

/** Options of the intake half: `--pipeline-…`, `SPANLOOM_PIPELINE_…`. */
export const intakeOptions = {
  tickIntervalMs: {
    type: 'number',
    default: 500,
    min: 10,
    max: 10_000,
    says: 'How often traces complete and rows go to the store. Shorter is fresher and costs more.'
  },
  waitingBytesMax: {
    type: 'number',
    default: 64 * MIB,
    min: MIB,
    max: 4_096 * MIB,
    says: 'Accepted bytes that wait, in memory, to be processed. Beyond, senders hear 429.'
  },
  unstoredBytesMax: {
    type: 'number',
    default: 128 * MIB,
    min: MIB,
    max: 4_096 * MIB,
    says: 'Bytes that wait, in memory, for the store. Beyond, processing pauses until it catches up.'
  }
} as const satisfies Options
