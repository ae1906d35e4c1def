/** Finds which of a few wanted keys some bytes are: by length first, then byte by byte. */
export interface KeyMatcher {
  /** The index of the key, or -1. */
  match(bytes: Uint8Array, offset: number, length: number): number
}

const NONE = -1

export function createKeyMatcher(keys: readonly string[]): KeyMatcher {
  const encoded = keys.map((key) => new Uint8Array(Buffer.from(key)))
  if (new Set(keys).size !== keys.length) throw new RangeError('A key is wanted twice.')
  const lengthMax = encoded.reduce((longest, key) => Math.max(longest, key.length), 0)
  // Chains of keys of the same length: the first by length, the next by key.
  const first = new Int32Array(lengthMax + 1).fill(NONE)
  const next = new Int32Array(keys.length).fill(NONE)
  for (let key = keys.length - 1; key >= 0; key--) {
    const { length } = encoded[key]!
    next[key] = first[length]!
    first[length] = key
  }
  return { match }

  /** @hot Compares from the end: keys of one namespace differ there. */
  function match(bytes: Uint8Array, offset: number, length: number): number {
    if (length > lengthMax) return NONE
    candidates: for (let key = first[length]!; key !== NONE; key = next[key]!) {
      const wanted = encoded[key]!
      for (let index = length - 1; index >= 0; index--) {
        if (wanted[index] !== bytes[offset + index]) continue candidates
      }
      return key
    }
    return NONE
  }
}
