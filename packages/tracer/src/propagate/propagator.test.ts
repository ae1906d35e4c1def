import {
  type Baggage,
  type Context,
  defaultTextMapGetter,
  defaultTextMapSetter,
  propagation,
  ROOT_CONTEXT,
  trace
} from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import type { FormatName, PropagatorConfig } from '../config/propagation.ts'
import { SUPPRESSED_FRAME } from '../context/frame.ts'
import type { InertSpan } from '../trace/inert-span.ts'
import type { Header } from './carrier.ts'
import { decimalOfWords, wordsOfDecimal } from './ids.ts'
import { Propagator } from './propagator.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SHORT = '8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'
const VALID = `00-${TRACE}-${SPAN}-01`
const OTHER = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`

type Carrier = Record<string, Header>

function propagatorOf(
  formats: readonly FormatName[],
  behavior: PropagatorConfig['behavior'] = 'continue'
) {
  return new Propagator({ extract: formats, inject: formats, behavior })
}

function extracted(formats: readonly FormatName[], carrier: Carrier) {
  const parent = propagatorOf(formats).parentOf(carrier)
  return parent && { ids: `${parent.traceId}-${parent.spanId}`, sampled: parent.traceFlags }
}

function written(formats: readonly FormatName[], span: InertSpan, baggage?: Baggage) {
  const headers: Record<string, string> = {}
  propagatorOf(formats).eachHeader(span, baggage, (name, value) => {
    headers[name] = value
  })
  return headers
}

const remote = (carrier: Carrier, format: FormatName) => propagatorOf([format]).parentOf(carrier)!
const span = (sampled = 1) =>
  remote({ traceparent: `00-${TRACE}-${SPAN}-0${sampled}` }, 'tracecontext')

describe('the propagator', () => {
  const both = propagatorOf(['tracecontext', 'baggage'])

  it('carries span and baggage from one context to another', () => {
    const carrier = { traceparent: VALID, tracestate: 'a=1', baggage: 'k=v' }
    const context = both.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter)
    expect(trace.getSpanContext(context)).toMatchObject({
      traceId: TRACE,
      spanId: SPAN,
      traceFlags: 1,
      isRemote: true
    })
    const headers: Record<string, string> = {}
    both.inject(context, headers, defaultTextMapSetter)
    expect(headers).toEqual(carrier)
    expect(both.fields()).toEqual(['traceparent', 'tracestate', 'baggage'])
  })

  it('writes nothing where nothing is traced, and only what is switched on', () => {
    const headers: Record<string, string> = {}
    both.inject(SUPPRESSED_FRAME, headers, defaultTextMapSetter)
    expect(headers).toEqual({})
    const none = propagatorOf([])
    const carrier = { traceparent: VALID, baggage: 'k=v' }
    expect(none.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter)).toBe(ROOT_CONTEXT)
    const context = both.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter)
    none.inject(context, headers, defaultTextMapSetter)
    expect(headers).toEqual({})
    propagatorOf(['baggage']).inject(context, headers, defaultTextMapSetter)
    expect(headers).toEqual({ baggage: 'k=v' })
  })

  it('reads one list of formats and writes another', () => {
    const mixed = new Propagator({ extract: ['b3'], inject: ['datadog'], behavior: 'continue' })
    const parent = mixed.parentOf({ traceparent: OTHER, b3: `${SHORT}-${SPAN}-1` })!
    const headers: Record<string, string> = {}
    mixed.eachHeader(parent, undefined, (name, value) => {
      headers[name] = value
    })
    expect(headers).toEqual({
      'x-datadog-trace-id': BigInt(`0x${SHORT}`).toString(),
      'x-datadog-parent-id': BigInt(`0x${SPAN}`).toString(),
      'x-datadog-sampling-priority': '1'
    })
    expect(mixed.fields()).toContain('x-datadog-trace-id')
    expect(mixed.fields()).not.toContain('b3')
  })

  it('takes the first format that has a valid context', () => {
    const carrier = { b3: `${TRACE}-${SPAN}-0`, traceparent: OTHER }
    expect(extracted(['tracecontext', 'b3'], carrier)?.ids).toContain('1'.repeat(32))
    expect(extracted(['b3', 'tracecontext'], carrier)?.ids).toContain(TRACE)
    const broken = { ...carrier, b3: 'broken' }
    expect(extracted(['b3', 'tracecontext'], broken)?.ids).toContain('1'.repeat(32))
  })

  it('writes all', () => {
    const formats = ['tracecontext', 'b3', 'b3multi', 'jaeger', 'xray', 'datadog'] as const
    expect(Object.keys(written(formats, span())).sort()).toEqual([
      'b3',
      'traceparent',
      'uber-trace-id',
      'x-amzn-trace-id',
      'x-b3-sampled',
      'x-b3-spanid',
      'x-b3-traceid',
      'x-datadog-parent-id',
      'x-datadog-sampling-priority',
      'x-datadog-tags',
      'x-datadog-trace-id'
    ])
  })

  it.each([
    ['continue', true, false, true],
    ['restart', false, true, true],
    ['ignore', false, false, false]
  ] as const)('%s', (behavior, parent, link, baggage) => {
    const propagator = propagatorOf(['tracecontext', 'baggage'], behavior)
    const carrier = { traceparent: VALID, baggage: 'k=v' }
    expect(propagator.parentOf(carrier)?.traceId === TRACE).toBe(parent)
    expect(propagator.linkOf(carrier)?.traceId === TRACE).toBe(link)
    expect(propagator.baggageOf(carrier) !== undefined).toBe(baggage)
    const context = propagator.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter)
    expect(trace.getSpanContext(context) !== undefined).toBe(parent)
  })

  it('reads the bytes of a message’s headers, one of them or in a list', () => {
    const bytes = (text: string) => Buffer.from(text)
    const expected = { ids: `${TRACE}-${SPAN}`, sampled: 1 }
    expect(extracted(['tracecontext'], { traceparent: bytes(VALID) })).toEqual(expected)
    expect(extracted(['tracecontext'], { traceparent: [bytes(VALID)] })).toEqual(expected)
    expect(extracted(['b3'], { b3: bytes(`${TRACE}-${SPAN}-1`) })).toEqual(expected)
    const two = [bytes(VALID), bytes(OTHER)]
    expect(extracted(['tracecontext'], { traceparent: two })).toBeUndefined()
    const carrier = { traceparent: bytes(VALID), baggage: [bytes('a=1'), 'b=2'] }
    const getter = {
      keys: (message: Carrier) => Object.keys(message),
      get: (message: Carrier, key: string) => message[key] as string
    }
    const context = both.extract(ROOT_CONTEXT, carrier, getter)
    expect(trace.getSpanContext(context)?.traceId).toBe(TRACE)
    expect(propagation.getBaggage(context)?.getAllEntries().length).toBe(2)
  })
})

describe('B3', () => {
  it.each<[string, Carrier, string | undefined, number?]>([
    ['one header', { b3: `${TRACE}-${SPAN}-1` }, TRACE, 1],
    ['not sampled', { b3: `${TRACE}-${SPAN}-0` }, TRACE, 0],
    ['debug, with a parent', { b3: `${TRACE}-${SPAN}-d-${SPAN}` }, TRACE, 1],
    ['the decision is left to us', { b3: `${TRACE}-${SPAN}` }, TRACE, 1],
    ['64 bits', { b3: `${SHORT}-${SPAN}-1` }, SHORT.padStart(32, '0'), 1],
    ['many headers', { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-sampled': '0' }, TRACE, 0],
    [
      'many, in words',
      { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-sampled': 'False' },
      TRACE,
      0
    ],
    [
      'many, debug',
      { 'x-b3-traceid': TRACE, 'x-b3-spanid': SPAN, 'x-b3-sampled': '0', 'x-b3-flags': '1' },
      TRACE,
      1
    ],
    ['a state alone', { b3: '0' }, undefined],
    ['no span', { 'x-b3-traceid': TRACE }, undefined],
    ['an id too long', { b3: `0${TRACE}-${SPAN}-1` }, undefined],
    ['no hex', { b3: `${TRACE.slice(1)}g-${SPAN}-1` }, undefined],
    ['zeros', { b3: `${'0'.repeat(32)}-${SPAN}-1` }, undefined]
  ])('reads %s', (_what, carrier, traceId, sampled) => {
    for (const format of ['b3', 'b3multi'] as const) {
      const expected = traceId && { ids: `${traceId}-${SPAN}`, sampled }
      expect(extracted([format], carrier)).toEqual(expected)
    }
  })

  it('writes either form', () => {
    expect(written(['b3'], span())).toEqual({ b3: `${TRACE}-${SPAN}-1` })
    expect(written(['b3multi'], span(0))).toEqual({
      'x-b3-traceid': TRACE,
      'x-b3-spanid': SPAN,
      'x-b3-sampled': '0'
    })
  })
})

describe('Jaeger', () => {
  it.each<[string, string, string | undefined, number?]>([
    ['sampled', `${TRACE}:${SPAN}:0:1`, TRACE, 1],
    ['not sampled', `${TRACE}:${SPAN}:0:0`, TRACE, 0],
    ['debug', `${TRACE}:${SPAN}:0:03`, TRACE, 1],
    ['short', `${SHORT}:${SPAN}:0:1`, SHORT.padStart(32, '0'), 1],
    ['percent-encoded', `${TRACE}%3A${SPAN}%3A0%3A1`, TRACE, 1],
    ['no flags', `${TRACE}:${SPAN}:0`, undefined],
    ['odd flags', `${TRACE}:${SPAN}:0:x`, undefined],
    ['broken encoding', `${TRACE}%3${SPAN}`, undefined]
  ])('reads %s', (_what, header, traceId, sampled) => {
    const expected = traceId && { ids: `${traceId}-${SPAN}`, sampled }
    expect(extracted(['jaeger'], { 'uber-trace-id': header })).toEqual(expected)
  })

  it('carries the baggage of its own', () => {
    const carrier = { 'uberctx-user': 'a%20b', 'uberctx-broken': '%E0%A4%A', 'uberctx-': 'none' }
    const baggage = propagatorOf(['jaeger']).baggageOf(carrier)!
    expect(baggage.getAllEntries().map(([key, { value }]) => [key, value])).toEqual([
      ['user', 'a b'],
      ['broken', '%E0%A4%A']
    ])
    expect(written(['jaeger'], span(), baggage)).toEqual({
      'uber-trace-id': `${TRACE}:${SPAN}:0:01`,
      'uberctx-user': 'a%20b',
      'uberctx-broken': '%25E0%25A4%25A'
    })
    const context = propagatorOf(['jaeger']).extract(ROOT_CONTEXT, carrier, defaultTextMapGetter)
    expect(propagation.getBaggage(context)?.getEntry('user')?.value).toBe('a b')
  })

  it('reads 64 entries of it, and no more', () => {
    const entries = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`uberctx-k${index}`, 'v']))
    const read = (count: number) =>
      propagatorOf(['jaeger']).baggageOf(entries(count))!.getAllEntries().length
    expect(read(64)).toBe(64)
    expect(read(65)).toBe(64)
  })
})

describe('X-Ray', () => {
  const root = `1-${TRACE.slice(0, 8)}-${TRACE.slice(8)}`

  it.each<[string, string, number | undefined]>([
    ['sampled', `Root=${root};Parent=${SPAN};Sampled=1`, 1],
    ['not sampled, in another order', `Sampled=0; Parent=${SPAN};Root=${root};Lineage=x`, 0],
    ['undecided', `Root=${root};Parent=${SPAN};Sampled=?`, 1],
    ['no parent', `Root=${root};Sampled=1`, undefined],
    ['another version', `Root=2${root.slice(1)};Parent=${SPAN}`, undefined]
  ])('reads %s', (_what, header, sampled) => {
    const expected = sampled === undefined ? undefined : { ids: `${TRACE}-${SPAN}`, sampled }
    expect(extracted(['xray'], { 'x-amzn-trace-id': header })).toEqual(expected)
  })

  it('writes the same', () => {
    expect(written(['xray'], span())).toEqual({
      'x-amzn-trace-id': `Root=${root};Parent=${SPAN};Sampled=1`
    })
  })
})

describe('Datadog', () => {
  const upper = TRACE.slice(0, 16)
  const ids = {
    'x-datadog-trace-id': BigInt(`0x${SHORT}`).toString(),
    'x-datadog-parent-id': BigInt(`0x${SPAN}`).toString()
  }

  it.each<[string, Carrier, string | undefined, number?]>([
    ['64 bits', ids, SHORT.padStart(32, '0'), 1],
    ['128 bits', { ...ids, 'x-datadog-tags': `_dd.p.tid=${upper}` }, TRACE, 1],
    [
      'a broken upper half',
      { ...ids, 'x-datadog-tags': '_dd.p.tid=x' },
      SHORT.padStart(32, '0'),
      1
    ],
    ['kept by a user', { ...ids, 'x-datadog-sampling-priority': '2' }, SHORT.padStart(32, '0'), 1],
    ['dropped', { ...ids, 'x-datadog-sampling-priority': '-1' }, SHORT.padStart(32, '0'), 0],
    ['zero', { ...ids, 'x-datadog-trace-id': '0' }, undefined],
    ['too large', { ...ids, 'x-datadog-trace-id': '18446744073709551616' }, undefined],
    ['no decimal', { ...ids, 'x-datadog-parent-id': '1e3' }, undefined]
  ])('reads %s', (_what, carrier, traceId, sampled) => {
    const expected = traceId && { ids: `${traceId}-${SPAN}`, sampled }
    expect(extracted(['datadog'], carrier)).toEqual(expected)
  })

  it('carries priority, origin and tags on, in its own headers and in the tracestate', () => {
    const carrier = {
      ...ids,
      'x-datadog-sampling-priority': '2',
      'x-datadog-origin': 'rum',
      'x-datadog-tags': `_dd.p.tid=${upper},_dd.p.dm=-4,_dd.p.usr=a=b,other=no`
    }
    const parent = remote(carrier, 'datadog')
    expect(parent.traceState).toBe('dd=s:2;o:rum;t.dm:-4;t.usr:a~b')
    expect(written(['datadog'], parent)).toEqual({
      ...carrier,
      'x-datadog-tags': `_dd.p.tid=${upper},_dd.p.dm=-4,_dd.p.usr=a=b`
    })
    expect(written(['tracecontext'], parent).tracestate).toBe(parent.traceState)
  })

  it('takes them from a tracestate, and not a priority that contradicts', () => {
    const state = 'other=1,dd=s:2;o:x;t.dm:-3;broken;:'
    const sampled = remote({ traceparent: VALID, tracestate: state }, 'tracecontext')
    expect(written(['datadog'], sampled)).toMatchObject({
      'x-datadog-sampling-priority': '2',
      'x-datadog-origin': 'x',
      'x-datadog-tags': `_dd.p.tid=${upper},_dd.p.dm=-3`
    })
    const not = remote(
      { traceparent: VALID.replace(/01$/, '00'), tracestate: state },
      'tracecontext'
    )
    expect(written(['datadog'], not)['x-datadog-sampling-priority']).toBe('0')
  })

  it('does not carry on what no header can hold', () => {
    const origin = 'a\r\nb,c;d'
    const parent = remote({ ...ids, 'x-datadog-origin': origin }, 'datadog')
    expect(parent.traceState).toBe('dd=o:a__b_c_d')
    const tags = (length: number) => ({
      ...ids,
      'x-datadog-tags': `_dd.p.k=1,x=${'y'.repeat(length - 12)}`
    })
    expect(remote(tags(512), 'datadog').traceState).toBe('dd=t.k:1')
    expect(remote(tags(513), 'datadog').traceState).toBe('')
  })

  it('converts every 64-bit number both ways', () => {
    const edges = [
      0n,
      1n,
      999_999n,
      1_000_000n,
      2n ** 32n - 1n,
      2n ** 32n,
      2n ** 53n,
      2n ** 64n - 1n
    ]
    let seed = 1n
    for (let count = 0; count < 2_000; count++) {
      seed = (seed * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n) % 2n ** 64n
      edges.push(seed >> BigInt(count % 64))
    }
    for (const value of edges) {
      const words = { high: Number(value >> 32n), low: Number(value & 0xffff_ffffn) }
      expect(wordsOfDecimal(value.toString())).toEqual(words)
      expect(decimalOfWords(words.high, words.low)).toBe(value.toString())
    }
  })
})

describe('a hostile carrier', () => {
  const formats = ['tracecontext', 'baggage', 'b3', 'b3multi', 'jaeger', 'xray', 'datadog'] as const
  const names = [
    ...new Set(formats.flatMap((format) => propagatorOf([format]).fields())),
    'uberctx-x'
  ]

  it.each<[string, unknown]>([
    ['nothing', ''],
    ['a megabyte', 'a-'.repeat(500_000)],
    ['commas', ','.repeat(8_192)],
    ['colons', ':;=-%'.repeat(1_600)],
    ['bytes', Buffer.alloc(9_000, 0xff)],
    ['a long list', Array.from({ length: 10_000 }, () => 'x')],
    ['a nested list', [[['x']]]],
    ['a number', 7],
    ['an object', {}],
    ['null', null]
  ])('of %s is read without a fault and says nothing', (_what, value) => {
    const carrier = Object.fromEntries(names.map((name) => [name, value as Header]))
    const propagator = propagatorOf(formats)
    expect(propagator.parentOf(carrier)).toBeUndefined()
    const context: Context = propagator.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter)
    expect(trace.getSpanContext(context)).toBeUndefined()
  })

  it('that cannot be read or written is left alone', () => {
    const propagator = propagatorOf(formats)
    const throwing = new Proxy(
      {},
      {
        get() {
          throw new Error('read')
        },
        ownKeys() {
          throw new Error('listed')
        }
      }
    )
    expect(propagator.extract(ROOT_CONTEXT, throwing, defaultTextMapGetter)).toBe(ROOT_CONTEXT)
    const context = trace.setSpanContext(ROOT_CONTEXT, {
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      traceFlags: 1
    })
    const frozen = Object.freeze({})
    for (const carrier of [frozen, 7]) propagator.inject(context, carrier, defaultTextMapSetter)
    expect(frozen).toEqual({})
  })
})
