import {
  defaultTextMapGetter,
  defaultTextMapSetter,
  propagation,
  ROOT_CONTEXT,
  trace
} from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { SUPPRESSED_FRAME } from '../context/frame.ts'
import { formatBaggage, parseBaggage } from './baggage.ts'
import { W3cPropagator } from './propagator.ts'
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
    expect(parseTraceparent(VALID, `a=${'x'.repeat(600)}`)?.traceState).toBe('')
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
    const big = propagation.createBaggage({ a: { value: 'x'.repeat(5_000) }, b: { value: '1' } })
    expect(formatBaggage(big)).toBe('b=1')
  })
})

describe('the propagator', () => {
  const both = new W3cPropagator({ traceContext: true, baggage: true })

  it('carries span and baggage from one context to another', () => {
    const carrier = { traceparent: VALID, tracestate: 'a=1', baggage: 'k=v' }
    const context = both.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter)
    expect(trace.getSpanContext(context)).toMatchObject({
      traceId: TRACE,
      spanId: SPAN,
      traceFlags: 1,
      isRemote: true
    })
    const written: Record<string, string> = {}
    both.inject(context, written, defaultTextMapSetter)
    expect(written).toEqual(carrier)
    expect(both.fields()).toEqual(['traceparent', 'tracestate', 'baggage'])
  })

  it('writes nothing where nothing is traced, and only what is switched on', () => {
    const written: Record<string, string> = {}
    both.inject(SUPPRESSED_FRAME, written, defaultTextMapSetter)
    expect(written).toEqual({})
    const none = new W3cPropagator({ traceContext: false, baggage: false })
    const carrier = { traceparent: VALID, baggage: 'k=v' }
    expect(none.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter)).toBe(ROOT_CONTEXT)
    const onlyBaggage = new W3cPropagator({ traceContext: false, baggage: true })
    onlyBaggage.inject(
      both.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter),
      written,
      defaultTextMapSetter
    )
    expect(written).toEqual({ baggage: 'k=v' })
  })
})
