/** Small generators with a seed (mulberry32): the same numbers in every run, so that a failure is seen again. */

/** Words of 32 bits. */
export function seededWords(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}

/** From 0 to below 1. */
export function seeded(seed: number): () => number {
  const word = seededWords(seed)
  return () => word() / 2 ** 32
}
