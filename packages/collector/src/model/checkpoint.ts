/**
 * A shard's state at a tick. Written to disk only once every batch up to `position` is stored, and
 * then the journal before `replayFrom` is no longer needed.
 *
 * After a restart the shard is given `state`, then every record from `replayFrom` on: records up
 * to `position` only rebuild the traces that were open (they are already counted), those after it
 * count.
 */
export interface ShardCheckpoint {
  readonly shard: number
  /** The last record that `state` includes. */
  readonly position: number
  /** The oldest record that a trace open at `position` has a span in; `position` + 1 when none. */
  readonly replayFrom: number
  /** Everything that has to survive. Opaque to all but the shard; carries its own version. */
  readonly state: Uint8Array
}
