/** Hashes of numbers that are already there as words: ids of traces, spans, names. */

/** @hot One word into a running hash: murmur3's multiply-rotate, then its finish. */
export function mixWord(hash: number, word: number): number {
  let mixed = Math.imul(hash ^ word, 0xcc9e_2d51)
  mixed = (mixed << 15) | (mixed >>> 17)
  mixed = Math.imul(mixed, 0x1b87_3593)
  return mixed ^ (mixed >>> 13)
}

/** @hot Spreads the last bits of a running hash over all bits. */
export function finishHash(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35)
  return mixed ^ (mixed >>> 16)
}
