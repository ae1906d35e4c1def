/**
 * Whatever an app hands to the API, nothing is thrown, and what is recorded can be decoded: thousands of
 * calls with arguments drawn from a seed.
 */
import { ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { decodeSpans } from '../../test/otlp-sink.ts'
import { SpanEncoder } from '../encode/span-encoder.ts'
import { seeded } from '../lib/seeded.testkit.ts'
import { testTracer } from '../tracer.testkit.ts'
import type { RecordingSpan } from './span.ts'

function fail(): never {
  throw new Error('hostile')
}

const circular: Record<string, unknown> = {}
circular.self = circular
const table = Array.from({ length: 2_000 }, () => 'cell')
const tableOfTables = Array.from({ length: 2_000 }, () => Array(2_000).fill(table))
const { proxy: revoked, revoke } = Proxy.revocable({}, {})
revoke()

const HOSTILE: readonly unknown[] = [
  undefined,
  null,
  0,
  -1,
  2.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.MAX_VALUE,
  10n,
  true,
  '',
  'text',
  '\ud800 half a character',
  'long '.repeat(1_000),
  Symbol('symbol'),
  () => 1,
  fail,
  class {},
  {},
  [],
  [1, 'a', null, undefined, Symbol('b'), [[]]],
  [Number.NaN, 5],
  [1_700_000_000, 5],
  [-5, -5],
  new Date(Number.NaN),
  new Date(-1),
  new Date(8.64e15),
  new Map([[1, 2]]),
  new Float64Array(10),
  new Uint8Array(10),
  Buffer.from('bytes'),
  circular,
  table,
  tableOfTables,
  revoked,
  new Proxy({}, { get: fail, ownKeys: fail, has: fail, getPrototypeOf: fail }),
  new Proxy([], { get: fail }),
  { toString: fail, valueOf: fail, [Symbol.toPrimitive]: fail },
  Object.create(null),
  Object.defineProperty({}, 'bad', { get: fail, enumerable: true }),
  JSON.parse('{"__proto__": {"polluted": true}, "ok": 1}'),
  { startTime: Number.NaN, kind: 'x', attributes: 7, links: 7, root: Symbol('root') },
  { startTime: new Date(Number.NaN), kind: 99, attributes: { a: fail }, links: [null, 1, {}] },
  { kind: 2.5, links: [{ context: { traceId: 1, spanId: 2, traceFlags: 'x' } }] },
  { context: { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' } },
  { context: trace.wrapSpanContext({ traceId: '1', spanId: '2', traceFlags: 1 }) },
  { code: 7, message: 7 },
  { code: 2, message: Symbol('message') },
  {
    get code() {
      return fail()
    }
  },
  { getValue: fail, setValue: fail },
  { getValue: () => ({ spanContext: fail }), setValue: () => 7 },
  { getValue: () => ({ spanContext: () => 7 }), setValue: fail },
  new Error('plain', { cause: circular }),
  Object.assign(new Error('odd'), { name: Symbol('name'), stack: 7, code: {}, message: fail }),
  ROOT_CONTEXT
]

type AnyMethod = (...args: unknown[]) => unknown

describe('hostile arguments', { timeout: 30_000 }, () => {
  it('never throw, and what comes of them is OTLP', () => {
    const random = seeded(7)
    const any = () => HOSTILE[Math.floor(random() * HOSTILE.length)]
    const { provider, ended, contexts, resource } = testTracer()
    const encoder = new SpanEncoder(resource)
    const methods = [
      'setAttribute',
      'setAttributes',
      'addEvent',
      'addLink',
      'addLinks',
      'setStatus',
      'updateName',
      'recordException'
    ]
    let checked = 0
    for (let round = 0; round < 120; round++) {
      const tracer = provider.getTracer(any() as never, any() as never, any() as never)
      const spans = [tracer.startSpan(any() as never, any() as never, any() as never)]
      const active = tracer.startActiveSpan as AnyMethod
      active.call(tracer, any(), any(), any(), (span: RecordingSpan) => spans.push(span))
      // What the app's own function throws is the app's.
      const noFunction = any()
      if (typeof noFunction !== 'function') active.call(tracer, any(), noFunction)
      for (const span of spans) {
        for (let call = 0; call < 8; call++) {
          const name = methods[Math.floor(random() * methods.length)]!
          const method = (span as unknown as Record<string, AnyMethod>)[name]!
          method.call(span, any(), any(), any())
        }
        span.end(any() as never)
        expect(span.isRecording()).toBe(false)
        span.spanContext()
      }
      contexts.bind(any() as never, () => contexts.active())()
      contexts.with(any() as never, () => tracer.startSpan('inside').end())
      for (const span of ended.splice(0)) {
        expect(Number.isFinite(span.startMs) && span.endMs >= span.startMs).toBe(true)
        encoder.add(span)
        checked++
      }
      const decoded = decodeSpans(encoder.take()!)
      for (const span of decoded) {
        expect(span.traceId).toMatch(/^[0-9a-f]{32}$/)
        expect(span.kind).toBeGreaterThanOrEqual(1)
        expect(span.kind).toBeLessThanOrEqual(5)
        expect(span.endTimeUnixNano).toBeGreaterThanOrEqual(span.startTimeUnixNano)
      }
    }
    expect(checked).toBeGreaterThan(300)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  it('are counted where they are lost', () => {
    const { tracer } = testTracer()
    const span = tracer.startSpan('a') as RecordingSpan
    span.setAttribute('symbol', Symbol('a') as never)
    span.setAttributes(Object.defineProperty({ ok: 1 }, 'bad', { get: fail, enumerable: true }))
    span.setAttribute('none', undefined)
    span.addEvent('event', { f: fail as never, ok: 1 })
    span.addLink(revoked as never)
    expect(span.attributes).toEqual({ ok: 1 })
    expect(span.droppedAttributesCount).toBe(2)
    expect(span.events[0]).toMatchObject({ attributes: { ok: 1 }, droppedAttributesCount: 1 })
    expect(span.droppedLinksCount).toBe(1)
  })

  it('are cut where they are large: 1,024 elements of a value, 8 levels, a megabyte', () => {
    const { tracer } = testTracer()
    const span = tracer.startSpan('a') as RecordingSpan
    span.setAttribute('fits', Array(1_024).fill(1))
    span.setAttribute('wide', Array(1_025).fill(1))
    span.setAttribute('nested', tableOfTables as never)
    span.setAttribute('long', 'x'.repeat(1_048_577))
    let deep: unknown = 'bottom'
    for (let level = 0; level < 8; level++) deep = [deep]
    span.setAttribute('deep', deep as never)
    span.setAttribute('deeper', [deep] as never)
    const { fits, wide, nested, long, deep: kept, deeper } = span.attributes
    expect(fits).toHaveLength(1_024)
    expect(wide).toHaveLength(1_024)
    expect((nested as unknown[]).flat(9).length).toBeLessThanOrEqual(1_024)
    expect(long).toHaveLength(1_048_576)
    expect(JSON.stringify(kept)).toContain('bottom')
    expect(JSON.stringify(deeper)).not.toContain('bottom')
  })

  it('a span beyond 8 MiB is refused, one below is not', () => {
    const { tracer, ended, resource } = testTracer()
    const encoder = new SpanEncoder(resource)
    for (const count of [7, 9]) {
      const span = tracer.startSpan('large')
      for (let index = 0; index < count; index++) {
        span.setAttribute(`a${index}`, 'x'.repeat(1_048_576 - 100))
      }
      span.end()
    }
    encoder.add(ended[0]!)
    expect(() => encoder.add(ended[1]!)).toThrow(/larger than/)
    expect(decodeSpans(encoder.take()!)).toHaveLength(1)
  })
})
