import { describe, expect, it } from 'vitest'
import {
  bucketOf,
  bucketOfCell,
  cellOf,
  DURATION_BOUNDS_MS,
  DURATION_CELL_COUNT,
  logIndexOf
} from './durations.ts'

describe('duration cells', () => {
  it('give back the bucket and the log index of every duration', () => {
    const durations = [0, 1, 2, 3, 2 ** 53, 2 ** 63]
    for (const boundMs of DURATION_BOUNDS_MS) {
      durations.push(boundMs * 1e6 - 1, boundMs * 1e6, boundMs * 1e6 + 1)
    }
    for (let index = 0; index < 8 * 64; index += 1) {
      const first = Math.ceil(2 ** (index / 8))
      durations.push(first - 1, first, first + 1)
    }
    for (let index = 0; index < 200_000; index++) durations.push(Math.floor(1.0002 ** index))
    for (const nano of durations.filter((each) => each >= 0 && each < 2 ** 64)) {
      const bucket = bucketOfCell(cellOf(nano))
      expect(bucket).toBe(bucketOf(nano))
      expect(cellOf(nano) - bucket).toBe(logIndexOf(nano))
    }
  })

  it('know what is none', () => {
    expect(bucketOfCell(-1)).toBe(-1)
    expect(bucketOfCell(DURATION_CELL_COUNT)).toBe(-1)
    expect(bucketOfCell(0.5)).toBe(-1)
  })
})
