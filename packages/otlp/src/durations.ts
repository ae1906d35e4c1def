/**
 * Where a duration falls, in whole nanoseconds. Tracer and collector both count with this, so that a
 * span is in the same buckets whoever counts it:
 *
 *   explicit   the first bound of DURATION_BOUNDS_MS that is not below it: what metric exporters show
 *   log        floor(8 * log2(ns)): OpenTelemetry's exponential histogram of scale 3 (eight buckets for
 *              each doubling, 9 % wide), for percentiles
 *   cell       explicit + log. Neither goes back as durations grow, so a cell stands for exactly one
 *              pair of them, and counts by cell give both histograms exactly.
 */

/**
 * Upper bounds, inclusive, of the explicit duration buckets that are kept beside the exponential
 * histogram, in milliseconds: the union of what the skins need, so that each skin's buckets are
 * sums of these and exact. The last bucket is +Inf.
 *
 * - OpenTelemetry span metrics: 2 4 6 8 10 50 100 200 400 800 1000 1400 2000 5000 10000 15000
 * - Tempo's service graph: 100 200 400 800 1600 3200 6400 12800
 */
export const DURATION_BOUNDS_MS: readonly number[] = [
  2, 4, 6, 8, 10, 50, 100, 200, 400, 800, 1000, 1400, 1600, 2000, 3200, 5000, 6400, 10000, 12800,
  15000
]
export const DURATION_BUCKET_COUNT = DURATION_BOUNDS_MS.length + 1

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

/** Cells count from 0 to this, exclusive. */
export const DURATION_CELL_COUNT = LOG_INDEX_MAX + DURATION_BUCKET_COUNT

/** @hot */
export function cellOf(durationNano: number): number {
  return logIndexOf(durationNano) + bucketOf(durationNano)
}

/** The explicit bucket of a cell, or -1 when there is no such cell. Its log index is cell - bucket. */
export function bucketOfCell(cell: number): number {
  buckets ??= bucketsOfCells()
  return buckets[cell] ?? -1
}

/** Made when first asked for: who only counts does not need it. */
let buckets: Int8Array | undefined

/** By cell: cells begin at the first duration of a log bucket or just above an explicit bound. */
function bucketsOfCells(): Int8Array {
  const all = new Int8Array(DURATION_CELL_COUNT).fill(-1)
  const firsts = [...BOUNDS_NANO]
  for (let index = 0; index < LOG_INDEX_MAX; index++) firsts.push(Math.ceil(2 ** (index / 8)))
  for (const first of firsts) {
    // Beyond 2^53 a first duration is found but roughly; bucketOf is the last one there anyway.
    for (const nano of [first - 1, first, first + 1]) {
      if (nano >= 0) all[cellOf(nano)] = bucketOf(nano)
    }
  }
  return all
}
