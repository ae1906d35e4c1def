import { ROOT_CONTEXT } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { seededWords } from '../lib/seeded.testkit.ts'
import { NO_SAMPLING_SETTINGS } from './head-sampler.ts'
import { readOtState, withThreshold } from './ot-tracestate.ts'
import { createRootSampler } from './root-sampler.ts'
import { DROP, RECORD_AND_SAMPLE } from './sampling-result.ts'
import type { SamplerParts } from './sampling-settings.ts'
import { isAbove, thresholdOf } from './threshold.ts'

/** The specification's rule, in the arithmetic it is written in. */
function specified(trace2: number, trace3: number, th: string): boolean {
  const random = (BigInt(trace2 & 0xffffff) << 32n) | BigInt(trace3)
  return random >= BigInt(`0x${th.padEnd(14, '0')}`)
}

describe('thresholds', () => {
  // The specification's table for a precision of four digits, "1 in N".
  it.each([
    [1, '0', 1],
    [2, '8', 0.5],
    [3, 'aaab', 0.3333282470703125],
    [4, 'c', 0.25],
    [5, 'cccd', 0.1999969482421875],
    [8, 'e', 0.125],
    [10, 'e666', 0.100006103515625],
    [16, 'f', 0.0625],
    [100, 'fd70a', 0.010000228881835938],
    [1_000, 'ffbe77', 0.0009999871253967285],
    [10_000, 'fff9724', 0.00010000169277191162],
    [100_000, 'ffff583a', 1.00000761449337e-5],
    [1_000_000, 'ffffef39', 1.00000761449337e-6]
  ])('of 1 in %d', (n, text, probability) => {
    const threshold = thresholdOf(1 / n)
    expect(threshold.text).toBe(text)
    // The table has the exact values of the same thresholds for all but the last rows' rounding.
    expect(threshold.probability).toBeCloseTo(probability, n < 100_000 ? 15 : 6)
    const bits = BigInt(`0x${text.padEnd(14, '0')}`)
    expect((BigInt(threshold.high) << 32n) | BigInt(threshold.low)).toBe(bits)
  })

  it('never come to "never", however small the probability', () => {
    for (const probability of [2 ** -48, 2 ** -56, Number.MIN_VALUE]) {
      const { text, high, low } = thresholdOf(probability)
      expect(text).toBe('f'.repeat(12))
      expect(isAbove(0xffffff, 0xffffffff, { high, low })).toBe(true)
      expect(isAbove(0xfffffe, 0xffffffff, { high, low })).toBe(false)
    }
  })

  it('accept the last randomness they shall, and refuse the first they shall not', () => {
    const { high, low } = thresholdOf(0.3)
    expect(isAbove(high, low, { high, low })).toBe(true)
    expect(isAbove(high, low + 1, { high, low })).toBe(true)
    const [belowHigh, belowLow] = low === 0 ? [high - 1, 0xffffffff] : [high, low - 1]
    expect(isAbove(belowHigh, belowLow, { high, low })).toBe(false)
    // The upper byte of the word is the trace id's, and no randomness.
    expect(isAbove(0xff000000, 0, { high: 1, low: 0 })).toBe(false)
  })

  it.each([0.9, 0.5, 0.25, 0.1, 1 / 3, 0.01])('decide as specified, and in proportion: %d', (p) => {
    const words = seededWords(7)
    const threshold = thresholdOf(p)
    const count = 100_000
    let kept = 0
    for (let index = 0; index < count; index++) {
      const [trace2, trace3] = [words(), words()]
      const above = isAbove(trace2, trace3, threshold)
      expect(above).toBe(specified(trace2, trace3, threshold.text))
      if (above) kept++
    }
    // Five standard deviations, on ids that are always the same.
    expect(Math.abs(kept - count * p)).toBeLessThan(5 * Math.sqrt(count * p * (1 - p)))
  })

  it('are consistent: what is kept with less is kept with more', () => {
    const words = seededWords(11)
    const [less, more] = [thresholdOf(0.1), thresholdOf(0.4)]
    for (let index = 0; index < 50_000; index++) {
      const [trace2, trace3] = [words(), words()]
      if (isAbove(trace2, trace3, less)) expect(isAbove(trace2, trace3, more)).toBe(true)
    }
  })
})

describe('the ot member', () => {
  it.each([
    ['', 'ot=th:8'],
    ['vendor=1', 'ot=th:8,vendor=1'],
    ['a=1,ot=th:c,b=2', 'ot=th:8,a=1,b=2'],
    ['ot=rv:6e6d1a75832a2f;th:c', 'ot=th:8;rv:6e6d1a75832a2f'],
    ['ot=xx:1;th:c;yy:2', 'ot=th:8;xx:1;yy:2'],
    ['ot=rv:123', 'ot=th:8'],
    [' a=1 , ot=th:c ', 'ot=th:8,a=1']
  ])('of "%s" takes a threshold: "%s"', (before, after) => {
    expect(withThreshold(readOtState(before), thresholdOf(0.5))).toBe(after)
  })

  it.each([
    ['ot=th:c', ''],
    ['ot=th:c,a=1', 'a=1'],
    ['ot=th:c;rv:6e6d1a75832a2f,a=1', 'ot=rv:6e6d1a75832a2f,a=1']
  ])('of "%s" loses it: "%s"', (before, after) => {
    expect(withThreshold(readOtState(before), undefined)).toBe(after)
  })

  it.each([
    ['ot=th:0', 0, 0],
    ['ot=th:8', 0x800000, 0],
    ['ot=th:fffffffffffffe', 0xffffff, 0xfffffffe],
    ['ot=th:FFbe77', 0xffbe77, 0]
  ])('is read: %s', (state, high, low) => {
    expect(readOtState(state).threshold).toEqual({ high, low })
  })

  it.each([
    'ot=th:',
    'ot=th:g',
    'ot=th:123456789abcdef',
    'ot=',
    'x=th:8',
    `ot=th:8;${'x'.repeat(300)}`
  ])('is not believed: %s', (state) => {
    expect(readOtState(state).threshold).toBeUndefined()
  })

  it('keeps to the bounds of a tracestate', () => {
    const own = (chars: number) => `ot=x:${'y'.repeat(chars - 5)}`
    const half = thresholdOf(0.5)
    expect(withThreshold(readOtState(own(251)), half)).toHaveLength(256)
    expect(withThreshold(readOtState(own(252)), half)).toBe(own(252))
    const long = (chars: number) => `a=${'x'.repeat(chars - 14)},b=1`
    expect(withThreshold(readOtState(long(512)), half)).toBe(`ot=th:8,${long(512)}`)
    expect(withThreshold(readOtState(long(513)), half)).toBe(`ot=th:8,${long(513).slice(0, -4)}`)
    expect(withThreshold(readOtState(`a=${'x'.repeat(503)}`), half)).toBe('ot=th:8')
    const many = Array.from({ length: 32 }, (_, index) => `k${index}=`).join(',')
    expect(withThreshold(readOtState(many), half).split(',')).toHaveLength(32)
  })
})

describe('traceidratio below a remote parent', () => {
  const sampler = createRootSampler(
    'traceidratio',
    { ...NO_SAMPLING_SETTINGS, samplerArg: '0.5' },
    { serviceName: 'a', nowMs: () => 0, notify: () => {} } as Partial<SamplerParts> as SamplerParts,
    () => {}
  )
  const decide = (trace2: number, traceState: string) =>
    sampler.decide({
      trace0: 1,
      trace1: 1,
      trace2,
      trace3: 0,
      parent: { traceState, traceFlags: 3, remote: true } as never,
      name: 'a',
      kind: 1,
      attributes: {},
      links: [],
      context: ROOT_CONTEXT
    })

  it('takes the explicit randomness when there is one, and the trace id’s when there is none', () => {
    expect(decide(0x800000, '').decision).toBe(RECORD_AND_SAMPLE)
    expect(decide(0x7fffff, '').decision).toBe(DROP)
    expect(decide(0x7fffff, 'ot=rv:80000000000000')).toEqual({
      decision: RECORD_AND_SAMPLE,
      traceState: 'ot=th:8;rv:80000000000000',
      attributes: undefined
    })
    expect(decide(0x800000, 'a=1,ot=rv:7fffffffffffff;th:0')).toEqual({
      decision: DROP,
      traceState: 'ot=rv:7fffffffffffff,a=1',
      attributes: undefined
    })
  })
})
