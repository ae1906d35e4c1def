import type { Options, ValuesOf } from '../lib/option.ts'

/** Options of the stitch stage. */
export const stitchOptions = {
  settledIdleMs: {
    type: 'number',
    default: 2_000,
    min: 100,
    max: 60_000,
    says: 'How long a trace in which nothing is missing waits for more spans after the last one. Traces and the service graph are this far behind.'
  },
  unsettledIdleMs: {
    type: 'number',
    default: 30_000,
    min: 100,
    max: 600_000,
    says: 'How long a trace in which a root, a parent or a called service is missing waits for it after the last span.'
  },
  traceAgeMaxMs: {
    type: 'number',
    default: 60_000,
    min: 1_000,
    max: 3_600_000,
    says: 'How long a trace may stay open after its first span. Later spans follow the decision taken then. Memory and replay after a restart grow with it.'
  },
  spansPerTraceMax: {
    type: 'number',
    default: 10_000,
    min: 100,
    max: 1_000_000,
    says: 'Spans of one open trace. A trace that reaches it is decided early; further spans follow the decision.'
  },
  openSpansMax: {
    type: 'number',
    default: 2_000_000,
    min: 10_000,
    max: 100_000_000,
    says: 'Spans of all open traces of a shard, about 100 bytes each. When full, the oldest trace is decided early.'
  },
  openPayloadBytesMax: {
    type: 'number',
    default: 268_435_456,
    min: 16_777_216,
    max: 17_179_869_184,
    says: 'Bytes of compressed payloads that open traces of a shard hold. When full, the oldest trace is decided early.'
  },
  decidedSpansMax: {
    type: 'number',
    default: 2_000_000,
    min: 10_000,
    max: 50_000_000,
    says: 'Decided spans a shard remembers at least, to know duplicates; it holds up to twice as many, 16 bytes each.'
  },
  decidedTracesMax: {
    type: 'number',
    default: 500_000,
    min: 10_000,
    max: 50_000_000,
    says: 'Decided traces a shard remembers at least, so that late spans follow the decision; up to twice as many, 17 bytes each.'
  }
} as const satisfies Options

export type StitchOptions = ValuesOf<typeof stitchOptions>
