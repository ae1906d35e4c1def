import type { DeriveOptions } from '../derive/options.ts'
import type { Options, ValuesOf } from '../lib/option.ts'
import type { SampleOptions } from '../sample/options.ts'
import type { StitchOptions } from '../stitch/options.ts'

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

/** Options of a shard as a whole: what it hands out, and how often. */
export const pipelineOptions = {
  checkpointIntervalMs: {
    type: 'number',
    default: 5_000,
    min: 1_000,
    max: 600_000,
    says: 'Time between two checkpoints of a shard. A restart replays what came after the last one.'
  },
  batchSpansMax: {
    type: 'number',
    default: 20_000,
    min: 100,
    max: 1_000_000,
    says: 'Spans in one batch to the store, give or take one trace. A tick that decides more is cut into several.'
  }
} as const satisfies Options

/** All that decides what a shard makes of its records: kept in the checkpoint. */
export type ShardOptions = StitchOptions &
  DeriveOptions &
  SampleOptions &
  ValuesOf<typeof pipelineOptions>
