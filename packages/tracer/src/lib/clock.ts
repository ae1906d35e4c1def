/**
 * One clock for all spans: milliseconds since the epoch as a double (resolution 0.25 µs), from the
 * monotonic clock plus an anchor. A laptop's sleep or a corrected wall clock moves the two apart:
 * `anchor()`, called once per batch, follows when they differ by more than 100 ms, so that a small
 * correction never makes a span run backwards.
 */
const DRIFT_MAX_MS = 100

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Compares with the wall clock, and follows it when the two have come apart. */
  anchor(): void
  /** The epoch milliseconds of a reading of `performance.now()`. */
  fromMonotonic(ms: number): number
}

export function createClock(
  monotonicNow: () => number = () => performance.now(),
  wallNow: () => number = Date.now
): Clock {
  let offset = wallNow() - monotonicNow()
  return {
    now: () => offset + monotonicNow(),
    anchor() {
      const drift = wallNow() - (offset + monotonicNow())
      if (drift > DRIFT_MAX_MS || drift < -DRIFT_MAX_MS) offset += drift
    },
    fromMonotonic: (ms) => offset + ms
  }
}

/** @hot What lies between two epoch times as `nanosOf` writes them: whole nanoseconds. */
export function nanosBetween(fromMs: number, toMs: number): number {
  const fromSecond = Math.floor(fromMs / 1_000)
  const toSecond = Math.floor(toMs / 1_000)
  const nanos =
    Math.round((toMs - toSecond * 1_000) * 1e6) - Math.round((fromMs - fromSecond * 1_000) * 1e6)
  return (toSecond - fromSecond) * NANOS + nanos
}

const TWO_16 = 65_536
const NANOS = 1_000_000_000

/** @hot Writes the nanoseconds of an epoch time as two words into `pair` (high, low). */
export function nanosOf(epochMs: number, pair: Uint32Array): void {
  const seconds = Math.floor(epochMs / 1_000)
  const nanos = Math.round((epochMs - seconds * 1_000) * 1e6)
  // seconds × 10^9 has 61 bits: split so that every product stays under 2^53.
  const high = Math.floor(seconds / TWO_16) * NANOS
  const low = (seconds % TWO_16) * NANOS + nanos
  const upper = high + Math.floor(low / TWO_16)
  pair[0] = Math.floor(upper / TWO_16)
  pair[1] = (upper % TWO_16) * TWO_16 + (low % TWO_16)
}
