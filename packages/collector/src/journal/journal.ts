/**
 * The journal port: an append-only log of what was accepted. Everything after it is derived from
 * it. Adapters: `local/` (segment files); Kafka later.
 */
import type { JournalRecord, MetricsRecord, PayloadRecord } from '../model/journal-record.ts'

export type NewRecord =
  | Pick<PayloadRecord, 'kind' | 'clockMs' | 'receivedUnixMs' | 'compression' | 'bytes'>
  | Pick<MetricsRecord, 'kind' | 'clockMs' | 'receivedUnixMs' | 'compression' | 'bytes'>
  | { readonly kind: 'tick'; readonly clockMs: number; readonly receivedUnixMs: number }

export interface JournalState {
  /** Random, made with the journal: positions of another journal are other records. */
  readonly journalId: string
  /** Oldest record still there. */
  readonly firstPosition: number
  /** Position that the next record will get. */
  readonly nextPosition: number
  /** `clockMs` of the newest record, 0 in a new journal. */
  readonly lastClockMs: number
}

export interface Journal {
  /**
   * Opens or creates it; a half-written record at the end (never acknowledged) is cut off.
   * @throws CollectorError JOURNAL_DAMAGED when a record before the end does not check.
   */
  open(): Promise<JournalState>

  /**
   * Resolves with the record's position once it is durable. Appends become durable, and resolve,
   * in the order of the calls. Several are written with one fsync.
   * @throws CollectorError JOURNAL_FULL, JOURNAL_WRITE_FAILED: then nothing was written.
   */
  append(record: NewRecord): Promise<number>

  /** Records from position `from` to the end as it is now, in order. */
  read(from: number): AsyncIterable<JournalRecord>

  /** Lets go of records before `position`, as far as whole segments go. */
  trim(position: number): Promise<void>

  /** What it takes on disk, now. */
  readonly sizeBytes: number

  /** Finishes the appends under way. */
  close(): Promise<void>
}
