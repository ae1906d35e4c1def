/** Which shard a trace belongs to: the same on every machine and in every version. */
import { finishHash, mixWord } from './hash.ts'

/** @hot `words` holds the trace id's four big-endian words at `at`. */
export function shardOf(words: Uint32Array, at: number, shardCount: number): number {
  if (shardCount === 1) return 0
  // Another seed than the trace table's, so that a shard's traces spread over all its slots.
  const left = mixWord(mixWord(0x5bd1_e995, words[at]!), words[at + 1]!)
  const hash = finishHash(mixWord(mixWord(left, words[at + 2]!), words[at + 3]!))
  return (hash >>> 0) % shardCount
}
