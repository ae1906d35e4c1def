/** What the main thread and a shard's worker thread say to each other. */
import type { ShardCheckpoint } from './checkpoint.ts'
import type { JournalRecord } from './journal-record.ts'
import type { MetricsSnapshot } from './metrics-snapshot.ts'
import type { StoreBatch } from './store-batch.ts'

export type ToShard =
  /** First, once. `journalId` goes into batch tokens: positions start anew in a new journal. */
  | { readonly type: 'restore'; readonly journalId: string; readonly state: Uint8Array | undefined }
  /** In order of positions, without gaps. The record's bytes are transferred. */
  | { readonly type: 'record'; readonly record: JournalRecord }
  /**
   * The replay is over: the options of this start apply from here on. Until then those of the
   * checkpoint do, so that a changed option cannot make a replay differ from what it repeats.
   */
  | { readonly type: 'live' }
  /** All batches up to this position are stored: their traces may be shown as exemplars. */
  | { readonly type: 'stored'; readonly position: number }
  | { readonly type: 'snapshot'; readonly requestId: number }

export type FromShard =
  | {
      readonly type: 'restored'
      readonly position: number
      readonly replayFrom: number
      /** As of `position`: there may be no record to replay that would bring them. */
      readonly stats: ShardStats
    }
  /** After each record. */
  | {
      readonly type: 'progress'
      readonly position: number
      readonly stats: ShardStats
      /** Nothing waits for a tick: no open trace, no row to write, nothing to checkpoint. */
      readonly idle: boolean
    }
  | { readonly type: 'batch'; readonly batch: StoreBatch }
  | {
      readonly type: 'checkpoint'
      readonly checkpoint: ShardCheckpoint
      /**
       * New options apply from here on. Until it is saved no later batch may go to the store: a
       * replay from an older checkpoint would cut other batches under the same tokens.
       */
      readonly barrier: boolean
    }
  | { readonly type: 'snapshot'; readonly requestId: number; readonly snapshot: MetricsSnapshot }

/** Counted since the data directory was made: part of the checkpoint. */
export interface ShardStats {
  /** Counted, once each: duplicates are not in it, late spans are. */
  readonly spansAccepted: number
  readonly spansDuplicate: number
  readonly spansLate: number
  /** Calls that were counted in their process, as its metrics say. */
  readonly callsPrecounted: number
  /** Payloads of such metrics that came again. */
  readonly deltasDuplicate: number
  /** Counted, but not kept: their bytes could not be decoded although the payload was checked. */
  readonly spansDropped: number
  /** Payloads that could not be read although they were checked when accepted: dropped. */
  readonly payloadsDropped: number
  /** Decided; late entries do not count again. */
  readonly tracesCompleted: number
  /** Decided before their time: too many spans, too old, or memory was short. */
  readonly tracesDecidedEarly: number
  readonly tracesOpen: number
  readonly seriesCount: number
  /** Calls counted under the overflow series. */
  readonly seriesOverflow: number
  /** Server spans whose parent never came. */
  readonly edgesExpired: number
}
