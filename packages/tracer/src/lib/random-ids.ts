/**
 * Ids as unsigned 32-bit numbers, drawn from a pool of random words.
 * One `randomFillSync` of 8 KiB serves about 680 spans (two words for a span, four more for a root);
 * per id it costs less than a call into the operating system by two orders.
 */
import { randomFillSync } from 'node:crypto'

const POOL_WORDS = 2_048

/** Where ids come from; tests pass their own. */
export type RandomWord = () => number

/** @hot A word from a refilled pool. */
export function createRandomWords(
  fill: (pool: Uint32Array<ArrayBuffer>) => void = randomFillSync
): RandomWord {
  const pool = new Uint32Array(POOL_WORDS)
  let next = POOL_WORDS
  return () => {
    if (next === POOL_WORDS) {
      fill(pool)
      next = 0
    }
    return pool[next++]!
  }
}
