/**
 * OpenTelemetry's consistent probability sampling, in numbers that need no BigInt:
 *
 *   randomness R   the last 56 bits of the trace id, or `rv` of the tracestate's `ot` member
 *   threshold  T   (1 - probability) × 2^56, rounded to four significant hex digits
 *   sampled        R >= T
 *
 *   56 bits   | high: 24 | low: 32 |        so R is (trace2 & 0xffffff, trace3) as it lies in the span
 *
 * Whoever decides about a trace with a higher probability samples all that others sample with a lower
 * one. What is sampled carries T as `th`, so that a count can be adjusted: one span stands for
 * 2^56 / (2^56 - T).
 */

/** The specification's recommendation; leading `f`s come on top, so small probabilities stay exact. */
const DIGITS = 4
/** 48 of the 56 bits: what a double can hold next to one. */
const DIGITS_MAX = 12
const HEX_DIGITS = 14
const TWO_32 = 2 ** 32
const TWO_56 = 2 ** 56
const HIGH_MASK = 0xffffff

export interface Bits56 {
  readonly high: number
  readonly low: number
}

export interface Threshold extends Bits56 {
  /** As in `th`: hex digits without trailing zeros. */
  readonly text: string
  /** What the rounding made of it: the inverse is the count one sampled span stands for. */
  readonly probability: number
}

/** `probability` in (0, 1]; rounding never makes "never" of it. */
export function thresholdOf(probability: number): Threshold {
  // The binary exponent e of p = m × 2^e, m in [0.5, 1): each four below zero are one leading `f`.
  const exponent = Math.floor(Math.log2(probability)) + 1
  const digits = Math.max(1, Math.min(DIGITS_MAX, DIGITS + Math.floor(exponent / -4)))
  const steps = 16 ** digits
  const rejected = Math.min(Math.round((1 - probability) * steps), steps - 1)
  const value = rejected * 16 ** (HEX_DIGITS - digits)
  const high = Math.floor(value / TWO_32)
  const text = rejected === 0 ? '0' : rejected.toString(16).padStart(digits, '0')
  return {
    high,
    low: value - high * TWO_32,
    text: text.length > 1 ? text.replace(/0+$/, '') : text,
    probability: (TWO_56 - value) / TWO_56
  }
}

/** @hot Words of a trace id as they are: `randomHigh` with more than its 24 bits, `randomLow` signed. */
export function isAbove(randomHigh: number, randomLow: number, threshold: Bits56): boolean {
  const high = randomHigh & HIGH_MASK
  return high > threshold.high || (high === threshold.high && randomLow >>> 0 >= threshold.low)
}
