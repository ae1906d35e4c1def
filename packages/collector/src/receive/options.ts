import type { Options } from '../lib/option.ts'

const MIB = 1_048_576

/** Options of the receive stage: `--receive-…`, `SPANLOOM_RECEIVE_…`. */
export const receiveOptions = {
  bodyBytesMax: {
    type: 'number',
    default: 16 * MIB,
    min: 1_024,
    max: 256 * MIB,
    says: 'Largest body as sent, compressed or not. Larger ones are answered with 413.'
  },
  inflatedBytesMax: {
    type: 'number',
    default: 64 * MIB,
    min: 1_024,
    max: 256 * MIB,
    says: 'Largest body once inflated. Larger ones are answered with 413. Two are inflated at a time.'
  },
  bodiesBytesMax: {
    type: 'number',
    default: 128 * MIB,
    min: 1_024,
    max: 4_096 * MIB,
    says: 'Bodies being received at one moment, in all. Those beyond are answered with 429.'
  },
  connectionsMax: {
    type: 'number',
    default: 2_048,
    min: 1,
    max: 100_000,
    says: 'Connections open at one moment. Those beyond are closed at once.'
  },
  headersTimeoutMs: {
    type: 'number',
    default: 10_000,
    min: 100,
    max: 600_000,
    says: 'How long a sender may take for the headers of a request.'
  },
  requestTimeoutMs: {
    type: 'number',
    default: 30_000,
    min: 100,
    max: 600_000,
    says: 'How long a sender may take for a whole request. Slower ones are answered with 408.'
  },
  headSpansPerSecond: {
    type: 'number',
    default: 0,
    min: 0,
    max: 1_000_000,
    says: 'Spans of one service that shall arrive in a second, on average. Tracers of Spanloom are told how much to sample for it. 0: they are told nothing.'
  }
} as const satisfies Options
