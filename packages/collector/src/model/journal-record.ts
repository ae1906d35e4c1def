/**
 * What the journal holds, and all that a shard ever sees. A shard is a pure function of these
 * records in the order of their positions: no other clock, no other input that counts. That is
 * why a replay after `kill -9` gives the same counts, the same traces and the same batches.
 *
 * Two clocks:
 * - `clockMs` runs only while the collector runs and never goes back; a restart resumes it where
 *   the journal's last record stood. Every wait (idle, maximum age) is measured on it, so the time
 *   that a collector was down does not expire a trace whose other half is being retried.
 * - `receivedUnixMs` is the wall clock, for the time axis of rollups. Nothing waits on it.
 */
import type { Compression } from './compression.ts'

interface RecordHead {
  /** Counts records from 0, without gaps. */
  readonly position: number
  readonly clockMs: number
  readonly receivedUnixMs: number
}

/** An accepted body: an OTLP ExportTraceServiceRequest in protobuf, checked, still compressed. */
export interface PayloadRecord extends RecordHead {
  readonly kind: 'payload'
  readonly compression: Compression
  readonly bytes: Uint8Array
}

/**
 * Time has passed. Traces complete, batches are cut and checkpoints are taken at ticks and nowhere
 * else. Journaled (durably) before the shard sees it; not written while the shard is idle.
 */
export interface TickRecord extends RecordHead {
  readonly kind: 'tick'
}

/**
 * An accepted body with spans that their process has counted: an OTLP ExportMetricsServiceRequest in
 * protobuf, decoded once, still compressed. Metrics of which only the latest value counts are not
 * journaled.
 */
export interface MetricsRecord extends RecordHead {
  readonly kind: 'metrics'
  readonly compression: Compression
  readonly bytes: Uint8Array
}

export type JournalRecord = PayloadRecord | MetricsRecord | TickRecord
