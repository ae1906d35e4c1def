/** 64-bit fingerprints of ids, for `FingerprintMemory`. Part of the checkpoint: never change them. */
import { finishHash, mixWord } from '../lib/hash.ts'

/** Of the last call; two halves, unsigned. Reused, because this runs once per span. */
export const fingerprint = { high: 0, low: 0 }

const HIGH_SEED = 0x243f_6a88
const LOW_SEED = 0x85a3_08d3

/** @hot */
export function traceFingerprint(words: Uint32Array, at: number): void {
  let high = HIGH_SEED
  let low = LOW_SEED
  for (let word = at; word < at + 4; word++) {
    high = mixWord(high, words[word]!)
    low = mixWord(low, ~words[word]!)
  }
  fingerprint.high = finishHash(high) >>> 0
  fingerprint.low = finishHash(low) >>> 0
}

/** @hot Span ids are unique within a trace only, so both go in. */
export function spanFingerprint(words: Uint32Array, at: number, high: number, low: number): void {
  let left = HIGH_SEED
  let right = LOW_SEED
  for (let word = at; word < at + 4; word++) {
    left = mixWord(left, words[word]!)
    right = mixWord(right, ~words[word]!)
  }
  fingerprint.high = finishHash(mixWord(mixWord(left, high), low)) >>> 0
  fingerprint.low = finishHash(mixWord(mixWord(right, ~low), ~high)) >>> 0
}
