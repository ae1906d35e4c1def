/**
 * Ids as signed 32-bit numbers, drawn from a pool of random words. Signed, because every such number is a
 * small integer to V8; an unsigned one above 2^31 is an object of its own in each field that holds it.
 * One `randomFillSync` of 32 KiB serves about 2,700 spans (two words for a span, four more for a root);
 * per id it costs less than a call into the operating system by two orders.
 */
import { randomFillSync } from 'node:crypto'

const POOL_WORDS = 8_192

/** Where ids come from; tests pass their own. */
export type RandomWord = () => number

/** @hot A word from a refilled pool. */
export function createRandomWords(
  fill: (pool: Int32Array<ArrayBuffer>) => void = randomFillSync
): RandomWord {
  const pool = new Int32Array(POOL_WORDS)
  let next = POOL_WORDS
  return () => {
    if (next === POOL_WORDS) {
      fill(pool)
      next = 0
    }
    return pool[next++]!
  }
}
