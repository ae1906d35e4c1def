/**
 * Where a duration falls: in the explicit buckets that metric exporters show, and in the log-scale
 * histogram of rollups (OpenTelemetry's exponential histogram of schema 3: eight buckets for each
 * doubling, 9 % wide).
 */
import { DURATION_BOUNDS_MS, DURATION_BUCKET_COUNT } from '../model/metrics-snapshot.ts'

const BOUNDS_NANO = Float64Array.from(DURATION_BOUNDS_MS, (bound) => bound * 1e6)

/** 2^(i/8) for i = 1 … 7. Irrational, so no double stands on a bound by chance. */
const EIGHTHS = Float64Array.from({ length: 7 }, (_, index) => 2 ** ((index + 1) / 8))

/** Durations are below 2^64 ns. */
export const LOG_INDEX_MAX = 8 * 64

/** @hot The first bucket whose upper bound is not below the duration; the last one is +Inf. */
export function bucketOf(durationNano: number): number {
  let low = 0
  let high = DURATION_BUCKET_COUNT - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (durationNano <= BOUNDS_NANO[middle]!) high = middle
    else low = middle + 1
  }
  return low
}

/** @hot floor(8 * log2(ns)), 0 below 1 ns. By exponent and comparison: `Math.log2` may round up. */
export function logIndexOf(durationNano: number): number {
  if (durationNano < 2) return durationNano < 1 ? 0 : eighthOf(durationNano)
  const high = Math.floor(durationNano / 0x1_0000_0000)
  const exponent = high === 0 ? 31 - Math.clz32(durationNano) : 63 - Math.clz32(high)
  return exponent * 8 + eighthOf(durationNano / 2 ** exponent)
}

function eighthOf(mantissa: number): number {
  let eighth = 0
  while (eighth < 7 && mantissa >= EIGHTHS[eighth]!) eighth++
  return eighth
}
