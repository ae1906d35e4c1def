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
  const nanos = nanosInSecond(toMs, toSecond) - nanosInSecond(fromMs, fromSecond)
  return (toSecond - fromSecond) * NANOS + nanos
}

const TWO_16 = 65_536
const TWO_32 = 2 ** 32
const NANOS = 1_000_000_000

/** The second that was asked for last, and its nanoseconds as two words: times come in order, or nearly. */
let lastSecond = Number.NaN
let secondHigh = 0
let secondLow = 0

/** @hot Writes the nanoseconds of an epoch time as two words into `pair` (high, low). */
export function nanosOf(epochMs: number, pair: Uint32Array): void {
  const second = Math.floor(epochMs / 1_000)
  if (second !== lastSecond) splitSecond(second)
  const low = secondLow + nanosInSecond(epochMs, second)
  pair[0] = low < TWO_32 ? secondHigh : secondHigh + 1
  pair[1] = low
}

/** Below 2^30, so rounding is adding a half and cutting. */
function nanosInSecond(epochMs: number, second: number): number {
  return ((epochMs - second * 1_000) * 1e6 + 0.5) | 0
}

function splitSecond(second: number): void {
  lastSecond = second
  // second × 10^9 has 61 bits: split so that every product stays under 2^53.
  const low = (second % TWO_16) * NANOS
  const upper = Math.floor(second / TWO_16) * NANOS + Math.floor(low / TWO_16)
  secondHigh = Math.floor(upper / TWO_16)
  secondLow = (upper % TWO_16) * TWO_16 + (low % TWO_16)
}
