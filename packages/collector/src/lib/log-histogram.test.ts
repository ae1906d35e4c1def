import { describe, expect, it } from 'vitest'
import { addCounts, p95MsOf, quantilesOf } from './log-histogram.ts'

function histogramOf(nanos: readonly number[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const nano of nanos) {
    const index = String(nano < 1 ? 0 : Math.floor(8 * Math.log2(nano)))
    counts[index] = (counts[index] ?? 0) + 1
  }
  return counts
}

describe('percentiles', () => {
  it('are within a bucket of the true ones, over eight orders of magnitude', () => {
    const nanos = Array.from({ length: 5_000 }, (_, index) => 10 ** (2 + (index / 5_000) * 8))
    const quantiles = quantilesOf(histogramOf(nanos))
    for (const [share, ms] of [
      [0.5, quantiles.p50Ms],
      [0.95, quantiles.p95Ms],
      [0.99, quantiles.p99Ms]
    ] as const) {
      const exactMs = nanos[Math.ceil(share * nanos.length) - 1]! / 1e6
      expect(Math.abs(ms / exactMs - 1)).toBeLessThan(2 ** (1 / 8) - 1)
    }
    expect(p95MsOf(histogramOf(nanos))).toBe(quantiles.p95Ms)
  })

  it('never fall as the share rises', () => {
    const { p50Ms, p95Ms, p99Ms } = quantilesOf({ 100: 1, 160: 1, 240: 1 })
    expect(p50Ms).toBeLessThanOrEqual(p95Ms)
    expect(p95Ms).toBeLessThanOrEqual(p99Ms)
  })

  it('of nothing are zero, and of one call in its bucket', () => {
    expect(quantilesOf({})).toEqual({ p50Ms: 0, p95Ms: 0, p99Ms: 0 })
    const { p50Ms } = quantilesOf({ 160: 1 })
    expect(p50Ms).toBeGreaterThanOrEqual(2 ** 20 / 1e6)
    expect(p50Ms).toBeLessThanOrEqual(2 ** (161 / 8) / 1e6)
  })

  it('are of the sum when histograms are added', () => {
    const sum: Record<string, number> = {}
    addCounts(sum, { 1: 2, 3: 4 })
    addCounts(sum, { 3: 1, 5: 6 })
    expect(sum).toEqual({ 1: 2, 3: 5, 5: 6 })
  })
})
