/**
 * Percentiles from merged log-scale histograms: bucket i holds durations from 2^(i/8) up to
 * 2^((i+1)/8) nanoseconds, and bucket 0 also all below.
 *
 * Inside a bucket the rank is placed on a straight line in log scale. The true value lies in the
 * same bucket, so the answer is off by less than one bucket's width: 2^(1/8) - 1 = 9.05 %.
 */
const BUCKETS_PER_DOUBLING = 8
const NANO_PER_MS = 1e6

/** Calls by bucket index, sparse. */
export type BucketCounts = Readonly<Record<string, number>>

export interface Latency {
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
}

const NOTHING: Latency = { p50Ms: 0, p95Ms: 0, p99Ms: 0 }

export function quantilesOf(counts: BucketCounts): Latency {
  const buckets = sortedBuckets(counts)
  if (buckets.total === 0) return NOTHING
  return {
    p50Ms: quantileMs(buckets, 0.5),
    p95Ms: quantileMs(buckets, 0.95),
    p99Ms: quantileMs(buckets, 0.99)
  }
}

export function p95MsOf(counts: BucketCounts): number {
  const buckets = sortedBuckets(counts)
  return buckets.total === 0 ? 0 : quantileMs(buckets, 0.95)
}

/** Adds `more` to `sum`. */
export function addCounts(sum: Record<string, number>, more: BucketCounts): void {
  for (const [index, count] of Object.entries(more)) sum[index] = (sum[index] ?? 0) + count
}

interface Buckets {
  readonly indexes: readonly number[]
  readonly counts: readonly number[]
  readonly total: number
}

function sortedBuckets(counts: BucketCounts): Buckets {
  // Integer-like keys of an object come in ascending order.
  const indexes = Object.keys(counts).map(Number)
  const values = Object.values(counts)
  return { indexes, counts: values, total: values.reduce((sum, count) => sum + count, 0) }
}

function quantileMs(buckets: Buckets, quantile: number): number {
  const rank = quantile * buckets.total
  let below = 0
  for (let at = 0; at < buckets.indexes.length; at++) {
    const count = buckets.counts[at]!
    if (count > 0 && below + count >= rank) {
      const share = (rank - below) / count
      return 2 ** ((buckets.indexes[at]! + share) / BUCKETS_PER_DOUBLING) / NANO_PER_MS
    }
    below += count
  }
  return 2 ** ((buckets.indexes.at(-1)! + 1) / BUCKETS_PER_DOUBLING) / NANO_PER_MS
}
