import { baggageEntryMetadataFromString, propagation } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { formatBaggage, parseBaggage } from './baggage.ts'
import { formatTraceparent, parseTraceparent } from './trace-context.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'
const VALID = `00-${TRACE}-${SPAN}-01`

describe('traceparent', () => {
  it.each([
    VALID,
    `00-${TRACE}-${SPAN}-00`,
    `00-${TRACE}-${SPAN}-ff`,
    '00-ffffffffffffffffffffffffffffffff-ffffffffffffffff-01'
  ])('reads and writes %s', (header) => {
    expect(formatTraceparent(parseTraceparent(header, undefined)!)).toBe(header)
  })

  it.each([
    ['a later version that starts alike', `01-${TRACE}-${SPAN}-01-more`],
    ['a later version of the same length', `cc-${TRACE}-${SPAN}-01`],
    ['blanks around', ` ${VALID} `]
  ])('accepts %s', (_what, header) => {
    expect(parseTraceparent(header, undefined)?.spanContext().traceId).toBe(TRACE)
  })

  it.each([
    '',
    'nonsense',
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00_${TRACE}-${SPAN}-01`,
    `00-${TRACE.slice(0, -1)}g-${SPAN}-01`,
    `01-${TRACE}-${SPAN}-01.`
  ])('refuses "%s"', (header) => {
    expect(parseTraceparent(header, undefined)).toBeUndefined()
  })

  it('carries tracestate on as it came, unless it is too long', () => {
    expect(parseTraceparent(VALID, ' a=1,b=2 ')?.traceState).toBe('a=1,b=2')
    const longest = `a=${'x'.repeat(510)}`
    expect(parseTraceparent(VALID, longest)?.traceState).toBe(longest)
    expect(parseTraceparent(VALID, `${longest}x`)?.traceState).toBe('')
    const members = (count: number) => Array.from({ length: count }, (_, i) => `k${i}=v`).join(',')
    expect(parseTraceparent(VALID, members(32))?.traceState).toBe(members(32))
    expect(parseTraceparent(VALID, members(33))?.traceState).toBe('')
    expect(parseTraceparent(VALID, 'a=1\r\nevil: yes')?.traceState).toBe('')
  })
})

describe('baggage', () => {
  it('reads and writes keys, values and metadata', () => {
    const baggage = parseBaggage('user=a%20b;secret, empty=,bad,%=1,key=%E6%BC%A2')!
    expect(baggage.getEntry('user')?.value).toBe('a b')
    expect(baggage.getEntry('user')?.metadata?.toString()).toBe('secret')
    expect(baggage.getEntry('key')?.value).toBe('漢')
    expect(formatBaggage(baggage)).toBe('user=a%20b;secret,empty=,key=%E6%BC%A2')
  })

  it('keeps to the standard’s bounds', () => {
    expect(parseBaggage(`k=${'x'.repeat(9_000)}`)).toBeUndefined()
    const many = Array.from({ length: 300 }, (_, index) => `k${index}=v`).join(',')
    expect(parseBaggage(many)!.getAllEntries()).toHaveLength(180)
    const unsendable = propagation.createBaggage({
      half: { value: '\ud800' },
      none: null as never,
      unset: { value: undefined as never },
      split: { value: '1', metadata: baggageEntryMetadataFromString('a\r\nb') },
      good: { value: '1' }
    })
    expect(formatBaggage(unsendable)).toBe('good=1')
    const big = propagation.createBaggage({ a: { value: 'x'.repeat(5_000) }, b: { value: '1' } })
    expect(formatBaggage(big)).toBe('b=1')
  })
})
