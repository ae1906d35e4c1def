import { formatHeadRate, headRateFor, headRateName, readHeadRate } from '@spanloom/otlp'
import { describe, expect, it } from 'vitest'
import { HeadRate } from './head-rate.ts'

function harness() {
  const changes: number[] = []
  const waits: { ms: number; then: () => void; cancelled: boolean }[] = []
  const headRate = new HeadRate({
    name: 'shop',
    after(ms, then) {
      const wait = { ms, then, cancelled: false }
      waits.push(wait)
      return () => {
        wait.cancelled = true
      }
    },
    changed: (rate) => void changes.push(rate)
  })
  return { headRate, changes, waits }
}

describe('the head rate', () => {
  it('is what was heard last, and told only when it changes', () => {
    const { headRate, changes, waits } = harness()
    expect(headRate.header).toBe('shop=1')
    headRate.heard('shop=0.25')
    headRate.heard('shop=0.25')
    headRate.heard('other=0.5')
    headRate.heard(undefined)
    headRate.heard(['shop=0.5', 'shop=0.6'])
    expect(headRate.header).toBe('shop=0.25')
    expect(changes).toEqual([0.25])
    expect(waits.map((wait) => wait.cancelled)).toEqual([true, false])
  })

  it('expires 60 s after the last answer that had one', () => {
    const { headRate, changes, waits } = harness()
    headRate.heard('shop=0.25')
    headRate.heard('*=0.5')
    expect(waits.map((wait) => wait.ms)).toEqual([60_000, 60_000])
    waits.at(-1)!.then()
    expect(headRate.header).toBe('shop=1')
    headRate.heard('shop=0.5')
    headRate.heard('shop=1')
    expect(changes).toEqual([0.25, 0.5, 1, 0.5, 1])
    expect(waits.at(-1)!.cancelled).toBe(true)
  })

  it.each([
    ['shop=0.001', 0.001],
    ['shop=0.000999', 0.001],
    ['shop=0.000001', 0.001],
    ['shop=1', 1]
  ])('%s is %d', (header, rate) => {
    const { headRate } = harness()
    headRate.heard(header)
    expect(headRate.header).toBe(`shop=${rate}`)
  })

  it.each([
    'shop=0',
    'shop=0.0',
    'shop=2',
    'shop=-1',
    'shop=1e-3',
    'shop=.5',
    'shop',
    'shop =1',
    ''
  ])('"%s" says nothing', (header) => {
    const { headRate, changes } = harness()
    headRate.heard(header)
    expect(changes).toEqual([])
  })
})

describe('the header', () => {
  it.each(['shop', '*', 'a=1,b=0.5', 'a\r\nset-cookie: x', 'café ☃', '%', `~!'()`])(
    'carries the name "%s" there and back',
    (service) => {
      const name = headRateName(service)!
      expect(name).toMatch(/^[\x21-\x2b\x2d-\x3c\x3e-\x7e]+$/)
      const header = formatHeadRate(name, 0.123)
      expect(readHeadRate(header)).toEqual({ name, rate: 0.123 })
      expect(headRateFor(name, `x=1,${header},*=0.5`)).toBe(0.123)
    }
  )

  it('takes no name that is empty, broken or too long', () => {
    expect(headRateName('')).toBeUndefined()
    expect(headRateName('\ud800')).toBeUndefined()
    expect(headRateName('x'.repeat(256))).toHaveLength(256)
    expect(headRateName('x'.repeat(257))).toBeUndefined()
    expect(headRateName('é'.repeat(43))).toBeUndefined()
  })

  it('is read up to 1024 characters', () => {
    expect(headRateFor('a', `${'b=1,'.repeat(255)}*=1 `)).toBe(1)
    expect(headRateFor('a', `${'b=1,'.repeat(255)}a=0.5`)).toBeUndefined()
  })

  it('writes every rate so that it is above nothing', () => {
    expect(formatHeadRate('a', 1e-9)).toBe('a=0.000001')
    expect(formatHeadRate('a', 0.9999999)).toBe('a=1')
    expect(formatHeadRate('a', 7)).toBe('a=1')
  })
})
