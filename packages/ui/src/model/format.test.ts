import { describe, expect, it } from 'vitest'
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatDurationMs,
  formatDurationNano,
  formatExact,
  formatMoment,
  formatRate,
  formatShare,
  plural
} from './format.ts'

/** The spaces do not break; here they are written as plain ones. */
const plain = (text: string) => text.replaceAll('\u00a0', ' ')

describe('formatDurationMs', () => {
  it.each([
    [undefined, '–'],
    [Number.NaN, '–'],
    [0, '0 ms'],
    [0.000_001, '1 ns'],
    [0.000_999, '999 ns'],
    [0.000_999_9, '1 µs'],
    [0.004_21, '4.21 µs'],
    [0.812, '812 µs'],
    [0.999_4, '999 µs'],
    [0.999_6, '1 ms'],
    [46.25, '46.3 ms'],
    [100, '100 ms'],
    [999.4, '999 ms'],
    [999.6, '1 s'],
    [3_049, '3.05 s'],
    [42_000, '42 s'],
    [59_999, '1 m 00 s'],
    [125_400, '2 m 05 s'],
    [3_599_600, '1 h 00 m'],
    [3_720_000, '1 h 02 m'],
    [200_000_000, '2 d 7 h'],
    [-20, '−20 ms']
  ])('%s is %s', (ms, text) => {
    expect(plain(formatDurationMs(ms))).toBe(text)
  })

  it('takes nanoseconds too', () => {
    expect(plain(formatDurationNano(1_500_000))).toBe('1.5 ms')
  })
})

describe('formatCount and formatRate', () => {
  it.each([
    [0, '0'],
    [7, '7'],
    [1_234, '1,234'],
    [9_999, '9,999'],
    [10_000, '10 k'],
    [45_120, '45.1 k'],
    [999_499, '999 k'],
    [999_500, '1 M'],
    [8_123_456, '8.12 M'],
    [2_500_000_000, '2.5 G'],
    [7_000_000_000_000, '7 T'],
    [12.34, '12.3']
  ])('counts %s as %s', (count, text) => {
    expect(plain(formatCount(count))).toBe(text)
  })

  it.each([
    [undefined, '–'],
    [0, '0'],
    [0.000_1, '<0.01'],
    [0.25, '0.25'],
    [3.456, '3.46'],
    [212, '212'],
    [1_500, '1,500']
  ])('writes %s per second as %s', (perSecond, text) => {
    expect(plain(formatRate(perSecond))).toBe(text)
  })

  it('groups all digits of an exact count', () => {
    expect(formatExact(1_234_567)).toBe('1,234,567')
    expect(formatExact(123)).toBe('123')
  })
})

describe('formatShare', () => {
  it('never writes some as none, nor almost all as all', () => {
    expect(plain(formatShare(0, 10))).toBe('0 %')
    expect(plain(formatShare(1, 1_000_000))).toBe('<0.01 %')
    expect(plain(formatShare(999_999, 1_000_000))).toBe('>99.9 %')
    expect(plain(formatShare(10, 10))).toBe('100 %')
    expect(plain(formatShare(1, 80))).toBe('1.25 %')
    expect(plain(formatShare(1, 3))).toBe('33.3 %')
    expect(formatShare(0, 0)).toBe('–')
  })
})

describe('times and sizes', () => {
  const noon = new Date(2026, 10, 23, 12, 4, 9).getTime()

  it('leaves the date out today', () => {
    expect(formatMoment(noon, noon + 60_000)).toBe('12:04:09')
    expect(formatMoment(noon, noon + 86_400_000)).toBe('2026-11-23 12:04:09')
  })

  it('is coarser the longer ago', () => {
    expect(plain(formatAgo(noon, noon + 900))).toBe('just now')
    expect(plain(formatAgo(noon, noon + 12_000))).toBe('12 s ago')
    expect(plain(formatAgo(noon, noon + 180_000))).toBe('3 min ago')
    expect(plain(formatAgo(noon, noon + 7_200_000))).toBe('2 h ago')
  })

  it('writes bytes in decimal units', () => {
    expect(plain(formatBytes(412_345_678))).toBe('412 MB')
    expect(plain(formatBytes(12))).toBe('12 B')
  })

  it('knows one from many', () => {
    expect(plural(1, 'span')).toBe('1 span')
    expect(plural(0, 'match', 'matches')).toBe('0 matches')
  })
})
