import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { NOW_MS, testTracer } from '../tracer.testkit.ts'
import { RecordingSpan } from './span.ts'

function recording(span: unknown): RecordingSpan {
  expect(span).toBeInstanceOf(RecordingSpan)
  return span as RecordingSpan
}

describe('a span', () => {
  it('never changes after its end', () => {
    const { tracer, time, ended } = testTracer()
    const span = recording(tracer.startSpan('a', { attributes: { kept: 1 } }))
    time.nowMs += 5
    span.end()
    const before = JSON.stringify([span.name, span.attributes, span.status, span.duration])

    span.setAttribute('late', 1).setAttributes({ later: 2 }).updateName('b')
    span.setStatus({ code: SpanStatusCode.ERROR }).addEvent('late')
    span.addLink({ context: span.spanContext() })
    span.recordException(new Error('late'))
    span.put('late', 1)
    time.nowMs += 5
    span.end()

    expect(JSON.stringify([span.name, span.attributes, span.status, span.duration])).toBe(before)
    expect(span.duration).toEqual([0, 5_000_000])
    expect(span.events).toEqual([])
    expect(span.links).toEqual([])
    expect(ended).toHaveLength(1)
    expect(span.isRecording()).toBe(false)
  })

  it('keeps to its limits and counts what is beyond them', () => {
    const { tracer } = testTracer({
      attributesMax: 2,
      eventsMax: 1,
      linksMax: 1,
      eventAttributesMax: 1,
      valueCharsMax: 3
    })
    const span = recording(tracer.startSpan('a'))
    span.setAttributes({ a: 'long text', b: 2, c: 3 })
    span.setAttribute('a', 'replaced')
    span.addEvent('first', { x: 1, y: 2 }).addEvent('second')
    const context = recording(tracer.startSpan('b')).spanContext()
    span.addLinks([{ context }, { context }])

    expect(span.attributes).toEqual({ a: 'rep', b: 2 })
    expect(span.droppedAttributesCount).toBe(1)
    expect(span.events).toHaveLength(1)
    expect(span.events[0]!.droppedAttributesCount).toBe(1)
    expect(span.droppedEventsCount).toBe(1)
    expect(span.droppedLinksCount).toBe(1)
  })

  it('cuts values in lists, maps, bytes, events, links and by instrumentations, at the last character', () => {
    const { tracer } = testTracer({ valueCharsMax: 3 })
    const span = recording(tracer.startSpan('a'))
    const attributes = { fits: 'abc', cut: 'abcd', list: ['abc', 'abcd'], map: { k: 'abcd' } }
    const expected = { fits: 'abc', cut: 'abc', list: ['abc', 'abc'], map: { k: 'abc' } }
    span.setAttributes(attributes as never)
    span.addEvent('event', attributes as never)
    span.addLink({ context: span.spanContext(), attributes: attributes as never })
    expect(span.attributes).toEqual(expected)
    expect(span.events[0]!.attributes).toEqual(expected)
    expect(span.links[0]!.attributes).toEqual(expected)
    span.setAttribute('bytes', new Uint8Array([1, 2, 3, 4]))
    span.put('put', 'abcd')
    span.setAttribute('pair', 'ab😀')
    expect(span.attributes).toMatchObject({ bytes: new Uint8Array([1, 2, 3]), put: 'abc' })
    expect(span.attributes.pair).toBe('ab')
  })

  it('accepts up to each limit and counts from the first beyond', () => {
    const limits = { attributesMax: 2, eventsMax: 2, linksMax: 2 }
    const { tracer } = testTracer({ ...limits, eventAttributesMax: 2, linkAttributesMax: 2 })
    const span = recording(tracer.startSpan('a'))
    const context = span.spanContext()
    const fill = () => {
      span.addEvent('event', { a: 1, b: 2 })
      span.addLink({ context, attributes: { a: 1, b: 2, c: 3 } })
    }
    span.put('a', 1)
    span.setAttribute('b', 2)
    fill()
    span.recordException(new Error('second'))
    span.addLink({ context })
    const dropped = () => [
      span.droppedAttributesCount,
      span.droppedEventsCount,
      span.droppedLinksCount
    ]
    expect(dropped()).toEqual([0, 0, 0])
    span.put('c', 3)
    span.setAttribute('d', 4)
    fill()
    span.recordException(new Error('third'))
    expect(dropped()).toEqual([2, 2, 1])
    expect(span.attributes).toEqual({ a: 1, b: 2 })
    // Of an exception's type, message and stack two found room.
    expect(span.events.map((event) => event.droppedAttributesCount)).toEqual([0, 1])
    expect(span.links.map((link) => link.droppedAttributesCount)).toEqual([1, 0])
  })

  it('takes every value the API allows, copies what could change, refuses the rest', () => {
    const { tracer } = testTracer()
    const list = ['a', 'b']
    const bytes = Buffer.from([1, 2])
    const circular: Record<string, unknown> = {}
    circular.self = circular
    const span = recording(tracer.startSpan('a'))
    span.setAttributes({ list, bytes, map: { deep: [1, null] } })
    span
      .setAttribute('bad', (() => 1) as never)
      .setAttribute('', 1)
      .setAttribute('none', undefined)
    expect(() => span.setAttribute('circular', circular as never)).not.toThrow()
    list.push('c')
    bytes[0] = 9

    const { circular: _, ...rest } = span.attributes
    expect(rest).toEqual({
      list: ['a', 'b'],
      bytes: new Uint8Array([1, 2]),
      map: { deep: [1, null] }
    })
  })

  it('follows the order of statuses', () => {
    const { tracer } = testTracer()
    const span = recording(tracer.startSpan('a'))
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'bad' })
    span.setStatus({ code: SpanStatusCode.UNSET })
    expect(span.status).toEqual({ code: SpanStatusCode.ERROR, message: 'bad' })
    span.setStatus({ code: SpanStatusCode.OK, message: 'ignored' })
    span.setStatus({ code: SpanStatusCode.ERROR })
    expect(span.status).toEqual({ code: SpanStatusCode.OK })
  })

  it('takes times in the API’s three forms, and is never negative', () => {
    const { tracer } = testTracer()
    const start = new Date(NOW_MS)
    const hr = recording(tracer.startSpan('a', { startTime: [1_000, 5_000] }))
    hr.end([1_001, 0])
    expect(hr.startTime).toEqual([1_000, 5_000])
    expect(hr.duration[0]).toBe(0)
    const early = recording(tracer.startSpan('b', { startTime: start }))
    early.end(new Date(start.getTime() - 1_000))
    expect(early.duration).toEqual([0, 0])
    expect(recording(tracer.startSpan('c', { startTime: 10 })).startMs).toBe(NOW_MS + 10)
  })

  it('is the child of the span in the context, and a root when asked to be', () => {
    const { tracer } = testTracer()
    const parent = recording(tracer.startSpan('parent', { kind: SpanKind.SERVER }))
    const context = trace.setSpan(ROOT_CONTEXT, parent)
    const child = recording(tracer.startSpan('child', {}, context))
    const root = recording(tracer.startSpan('root', { root: true }, context))
    expect(child.parentSpanContext?.spanId).toBe(parent.spanContext().spanId)
    expect(child.parentSpanId).toBe(parent.spanContext().spanId)
    expect(child.instrumentationLibrary).toEqual(child.instrumentationScope)
    expect(child.spanContext().traceId).toBe(parent.spanContext().traceId)
    expect(child.isLocalRoot).toBe(false)
    expect(root.parentSpanContext).toBeUndefined()
    expect(root.parentSpanId).toBeUndefined()
    expect(root.spanContext().traceId).not.toBe(parent.spanContext().traceId)
  })

  it('is let go of by its contexts when it is a local root and has ended', () => {
    const { tracer, contexts } = testTracer()
    tracer.startActiveSpan('root', (span) => {
      const held = contexts.active().setValue(Symbol('app'), 1)
      expect(trace.getSpan(held)).toBe(span)
      span.end()
      const left = trace.getSpan(held)!
      expect(left).not.toBe(span)
      expect(left.isRecording()).toBe(false)
      expect(left.spanContext()).toEqual(span.spanContext())
    })
  })
})

describe('the head sampler', () => {
  const remote = (traceFlags: number) =>
    trace.setSpanContext(ROOT_CONTEXT, {
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      traceFlags,
      isRemote: true
    })

  it.each([
    ['always_on', 0, true],
    ['always_off', 1, false],
    ['parentbased_always_on', 1, true],
    ['parentbased_always_on', 0, false]
  ] as const)('%s with a parent’s flag %d', (sampler, flags, sampled) => {
    const { tracer } = testTracer({}, sampler)
    const span = tracer.startSpan('a', {}, remote(flags))
    expect(span.isRecording()).toBe(sampled)
    expect(span.spanContext().traceId).toBe('0af7651916cd43dd8448eb211c80319c')
    expect(span.spanContext().traceFlags).toBe(sampled ? 1 : 0)
  })

  it('takes what says itself as a text for that text, within the limits', () => {
    const { tracer } = testTracer({ valueCharsMax: 10 })
    const span = tracer.startSpan('a') as RecordingSpan
    span.setAttributes({ url: new URL('http://h/path') as never, list: [new Date(0)] as never })
    span.setAttribute('none', new Date(Number.NaN) as never)
    span.setAttribute('plain', { toJSON: 1, a: 2 })
    expect(span.attributes).toEqual({
      url: 'http://h/p',
      list: ['1970-01-01'],
      none: {},
      plain: { toJSON: 1, a: 2 }
    })
  })
})
