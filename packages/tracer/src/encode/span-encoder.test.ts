/** What the encoder writes, protobufjs reads back the same: on many spans made from a seed. */
import { type AnyValue, SpanStatusCode } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { decodeSpans, type SinkSpan } from '../../test/otlp-sink.ts'
import { seeded } from '../lib/seeded.testkit.ts'
import type { RecordingSpan } from '../trace/span.ts'
import { testTracer } from '../tracer.testkit.ts'
import { SpanEncoder } from './span-encoder.ts'

const TEXTS = ['', 'GET', '/orders/:id', 'ünïcödé', '漢字😀', 'x'.repeat(200), 'y'.repeat(3_000)]

function randomValue(random: () => number, depth = 0): AnyValue {
  const pick = Math.floor(random() * (depth < 2 ? 9 : 6))
  switch (pick) {
    case 0:
      return random() < 0.5
    case 1:
      return Math.floor((random() - 0.5) * 2 ** 40)
    case 2:
      return random() * 1e6 + 0.5
    case 3:
      return [0, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 1e300][
        Math.floor(random() * 5)
      ]!
    case 4:
    case 5:
      return TEXTS[Math.floor(random() * TEXTS.length)]!
    case 6:
      return Array.from({ length: 3 }, () => randomValue(random, depth + 1))
    case 7:
      return { a: randomValue(random, depth + 1), b: null }
    default:
      return new Uint8Array([1, 2, 255])
  }
}

function plain(value: AnyValue): unknown {
  if (value instanceof Uint8Array) return [...value]
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, element]) => [key, plain(element as AnyValue)])
  )
}

function expectSame(decoded: SinkSpan, span: RecordingSpan): void {
  const context = span.spanContext()
  expect(decoded.traceId).toBe(context.traceId)
  expect(decoded.spanId).toBe(context.spanId)
  expect(decoded.parentSpanId).toBe(span.parentSpanContext?.spanId ?? '')
  expect(decoded.name).toBe(span.name)
  expect(decoded.kind).toBe(span.kind + 1)
  expect(decoded.startTimeUnixNano).toBe(
    BigInt(span.startTime[0]) * 1_000_000_000n + BigInt(span.startTime[1])
  )
  expect(decoded.endTimeUnixNano).toBe(
    BigInt(span.endTime[0]) * 1_000_000_000n + BigInt(span.endTime[1])
  )
  expect(plain(decoded.attributes as never)).toEqual(plain(span.attributes as never))
  expect(decoded.status.code).toBe(span.status.code)
  expect(decoded.status.message).toBe(span.status.message ?? '')
  expect(decoded.events.map((event) => [event.name, plain(event.attributes as never)])).toEqual(
    span.events.map((event) => [event.name, plain(event.attributes as never)])
  )
  expect(decoded.links.map((link) => link.spanId)).toEqual(
    span.links.map((link) => link.context.spanId)
  )
  expect(decoded.droppedAttributesCount).toBe(span.droppedAttributesCount)
}

describe('the encoder', () => {
  it('writes what a protobuf decoder reads, for 2,000 random spans in two scopes', () => {
    const random = seeded(42)
    const { tracer, provider, ended, resource, time } = testTracer({ attributesMax: 8 })
    const other = provider.getTracer('other')
    const encoder = new SpanEncoder(resource)
    const decoded: SinkSpan[] = []
    for (let index = 0; index < 2_000; index++) {
      const from = random() < 0.8 ? tracer : other
      const span = from.startSpan(TEXTS[Math.floor(random() * TEXTS.length)]!, {
        kind: Math.floor(random() * 5)
      }) as RecordingSpan
      for (let count = Math.floor(random() * 12); count > 0; count--) {
        span.setAttribute(`key.${Math.floor(random() * 20)}`, randomValue(random))
      }
      if (random() < 0.2) span.recordException(new Error('boom'))
      if (random() < 0.2) span.addEvent('event', { value: randomValue(random) })
      if (random() < 0.2) span.addLink({ context: span.spanContext(), attributes: { k: 'v' } })
      if (random() < 0.3) span.setStatus({ code: SpanStatusCode.ERROR, message: 'bad' })
      time.nowMs += random() * 10
      span.end()
      encoder.add(span)
      if (encoder.spanCount === 100) decoded.push(...decodeSpans(encoder.take()!))
    }
    expect(decoded).toHaveLength(2_000)
    for (const [index, span] of ended.entries()) expectSame(decoded[index]!, span)
    expect(decoded[0]!.resource).toEqual({ 'service.name': 'test', 'process.pid': 7 })
    expect(new Set(decoded.map((span) => span.scope))).toEqual(new Set(['test', 'other']))
  })

  it('copies what a span has in common with the first of its name, and only that', () => {
    const random = seeded(7)
    const one = <Item>(of: readonly Item[]) => of[Math.floor(random() * of.length)]!
    const { tracer, ended, resource, time } = testTracer()
    const encoder = new SpanEncoder(resource)
    const decoded: SinkSpan[] = []
    for (let index = 0; index < 3_000; index++) {
      const span = tracer.startSpan(one(['GET /a', 'GET /b', 'ünïcödé']), {
        kind: one([1, 1, 1, 2])
      })
      // Alike, with another value, left out, in another order, of another kind, of values that look alike.
      if (random() < 0.9) span.setAttribute('method', one(['GET', 'GET', 'POST']))
      if (random() < 0.9) span.setAttribute('port', one<AnyValue>([80, 80, '80', 80.5, true]))
      // Without end, so that the key's values are not remembered: short, beyond ASCII, long.
      const path = one([`/a/${index}`, `/a/${index}`, `/ü/${index}`, `/${'x'.repeat(30)}/${index}`])
      if (random() < 0.8) span.setAttribute('path', path)
      // A text of seven takes as many bytes as a double.
      const total = one<AnyValue>([index + 0.5, index + 0.25, index, `${1e6 + index}`])
      if (random() < 0.8) span.setAttribute('total', total)
      if (random() < 0.2) span.setAttribute('zero', one([0, -0]))
      if (random() < 0.1) span.setAttribute('list', ['a'])
      span.setAttribute('route', one(['/a', '/a', `/${'long'.repeat(40)}`]))
      if (random() < 0.05) span.setAttribute('method', 'PUT')
      time.nowMs += 1
      span.end()
      encoder.add(ended[index]!)
      // Small batches and large ones, whose memory grows and is handed over.
      if (index % 700 === 650 || index % 1_100 === 10) {
        decoded.push(...decodeSpans(encoder.take()!))
      }
    }
    decoded.push(...decodeSpans(encoder.take()!))
    expect(decoded).toHaveLength(3_000)
    for (const [index, span] of ended.entries()) {
      // Zero has one spelling in an int64.
      const { zero } = span.attributes
      if (zero !== undefined) span.flatAttributes[span.flatAttributes.indexOf('zero') + 1] = 0
      expectSame(decoded[index]!, span)
    }
  })

  it('has nothing to give when nothing was added', () => {
    const { resource } = testTracer()
    expect(new SpanEncoder(resource).take()).toBeUndefined()
  })

  it('rolls a span back that cannot be written, and keeps the others', () => {
    const { tracer, ended, resource } = testTracer()
    const encoder = new SpanEncoder(resource)
    tracer.startSpan('first').end()
    tracer.startSpan('broken').end()
    tracer.startSpan('last').end()
    const [first, broken, last] = ended
    // A symbol among the values is what no admitted value can be.
    broken!.flatAttributes.push('bad', {
      get value(): never {
        throw new Error('unreadable')
      }
    })
    encoder.add(first!)
    expect(() => encoder.add(broken!)).toThrow('unreadable')
    encoder.add(last!)
    // What was written for it, and rolled back, is no model for the next of its name.
    const again = tracer.startSpan('broken') as RecordingSpan
    again.setAttribute('good', 1)
    again.end()
    encoder.add(again)
    const kept = decodeSpans(encoder.take()!)
    expect(kept.map((span) => span.name)).toEqual(['first', 'last', 'broken'])
    expect(kept[2]!.attributes).toEqual({ good: 1 })
    expect(() => encoder.add(broken!)).toThrow('unreadable')
    expect(encoder.take()).toBeUndefined()
    encoder.add(last!)
    expect(decodeSpans(encoder.take()!)).toHaveLength(1)
  })

  it('forgets keys whose values do not repeat, and stays right', () => {
    const { tracer, ended, resource } = testTracer()
    const encoder = new SpanEncoder(resource)
    for (let index = 0; index < 500; index++) {
      tracer.startSpan('a', { attributes: { path: `/p/${index}`, port: 80 } }).end()
      encoder.add(ended[index]!)
    }
    const decoded = decodeSpans(encoder.take()!)
    expect(decoded.map((span) => span.attributes.path)).toEqual(
      Array.from({ length: 500 }, (_, index) => `/p/${index}`)
    )
    expect(decoded.every((span) => span.attributes.port === 80)).toBe(true)
  })
})

describe('the memory of a batch', () => {
  it('is handed over when it is large, comes back, and is written again', () => {
    const { tracer, ended, resource } = testTracer()
    const encoder = new SpanEncoder(resource)
    const fill = (name: string): Uint8Array<ArrayBuffer> => {
      ended.length = 0
      while (encoder.byteCount < 70_000) {
        tracer.startSpan(name, { attributes: { text: name.repeat(100) } }).end()
        encoder.add(ended.at(-1)!)
      }
      return encoder.take()!
    }
    const first = fill('first')
    const second = fill('second')
    expect(second.buffer).not.toBe(first.buffer)
    expect(decodeSpans(first).every(({ name }) => name === 'first')).toBe(true)
    const { length } = first
    encoder.recycle(first.buffer)
    // Swapped when the next is taken: the third batch is still written elsewhere.
    const third = fill('third')
    const fourth = fill('fourth')
    expect(third.buffer).not.toBe(first.buffer)
    expect(fourth.buffer).toBe(first.buffer)
    expect(decodeSpans(fourth).every(({ name }) => name === 'fourth')).toBe(true)
    expect(decodeSpans(fourth)).toHaveLength(ended.length)
    expect(length).toBeGreaterThan(64 * 1024)
  })
})
