/** Calls that leave as one span come back from it one by one, as they would have left; nothing else collapses. */
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { readCollapsedCalls, WireWriter } from '@spanloom/otlp'
import { describe, expect, it } from 'vitest'
import { decodeSpans, type SinkSpan } from '../../test/otlp-sink.ts'
import type { RecordingSpan } from '../trace/span.ts'
import { contextWithSpan } from '../trace/tracer.ts'
import { testTracer } from '../tracer.testkit.ts'
import { Collapser } from './collapser.ts'
import { SpanBuffer } from './span-buffer.ts'

const QUERY = { 'db.system.name': 'postgresql', 'db.query.text': 'SELECT ?' }

function collapsing() {
  const { tracer, contexts, ended, resource, time, clock, host } = testTracer()
  const payloads: Uint8Array[] = []
  const buffer = new SpanBuffer(
    resource,
    clock,
    () => {},
    (bytes) => void payloads.push(bytes)
  )
  const collapser = new Collapser(buffer)
  buffer.beforeFlush = () => collapser.releaseAll()
  host.ended = (span) => {
    ended.push(span)
    collapser.add(span)
  }
  const root = tracer.startSpan('root', { kind: SpanKind.SERVER }) as RecordingSpan
  const under = contextWithSpan(contexts.active(), root)
  const start = (name = 'SELECT', attributes: object = QUERY, kind = SpanKind.CLIENT) =>
    tracer.startSpan(name, { kind, attributes: attributes as never }, under) as RecordingSpan
  const query = (durationMs = 1, name?: string, attributes?: object, kind?: SpanKind) => {
    const span = start(name, attributes, kind)
    time.nowMs += durationMs
    span.end()
    time.nowMs += 0.5
    return span
  }
  const sent = (): SinkSpan[] => {
    buffer.flush()
    return payloads.splice(0).flatMap((payload) => decodeSpans(payload))
  }
  return { root, start, query, sent, time, ended, contexts, tracer, under }
}

function callsOf(span: SinkSpan): [start: number, duration: number][] {
  const writer = new WireWriter(64)
  writer.tag(9, 2)
  const slot = writer.openSlot()
  writer.tag(1, 2)
  writer.string('spanloom.collapsed.calls')
  writer.tag(2, 2)
  const inner = writer.openSlot()
  writer.tag(7, 2)
  writer.lengthDelimited(span.attributes['spanloom.collapsed.calls'] as Uint8Array)
  writer.closeSlot(inner)
  writer.closeSlot(slot)
  const { startNano, durationNano } = readCollapsedCalls(writer.bytes, 0, writer.length)!
  return Array.from(startNano, (start, call) => [start, durationNano[call]!])
}

describe('calls that are alike', () => {
  it('leave as one span, from the first start to the last end, and each comes back exactly', () => {
    const { query, sent, root, ended, time } = collapsing()
    const random = [0.1234, 49.9, 3.7777, 0, 12.000_25]
    const spans = random.map((durationMs) => query(durationMs))
    time.nowMs += 5
    root.end()
    const [one, parent, ...rest] = sent()
    expect(rest).toEqual([])
    expect(parent!.name).toBe('root')
    expect(one!.name).toBe('SELECT')
    expect(one!.spanId).toBe(spans[0]!.spanId)
    expect(one!.parentSpanId).toBe(root.spanId)
    const nanos = (span: RecordingSpan) => {
      const of = ([seconds, nano]: [number, number]) =>
        BigInt(seconds) * 1_000_000_000n + BigInt(nano)
      return [of(span.startTime), of(span.endTime)] as const
    }
    const [first] = nanos(spans[0]!)
    expect(one!.startTimeUnixNano).toBe(first)
    expect(one!.endTimeUnixNano).toBe(nanos(spans[4]!)[1])
    expect(callsOf(one!)).toEqual(
      spans.map((span) => {
        const [start, end] = nanos(span)
        return [Number(start - first), Number(end - start)]
      })
    )
    const total = callsOf(one!).reduce((sum, [, duration]) => sum + duration, 0)
    expect(one!.attributes).toMatchObject({
      ...QUERY,
      'spanloom.collapsed.count': 5,
      'spanloom.collapsed.duration_ms': total / 1e6,
      'spanloom.n_plus_one': true
    })
    expect(parent!.attributes['spanloom.n_plus_one']).toBe(true)
    // Spans themselves never change: processors have seen five.
    expect(ended.filter((span) => span.name === 'SELECT')).toHaveLength(5)
    expect(spans[0]!.attributes).toEqual(QUERY)
  })

  it('are an N+1 from the fifth on, when each waited for the one before', () => {
    const four = collapsing()
    for (let call = 0; call < 4; call++) four.query()
    four.root.end()
    expect(four.sent().some((span) => 'spanloom.n_plus_one' in span.attributes)).toBe(false)

    const together = collapsing()
    const spans = Array.from({ length: 9 }, () => together.start())
    together.time.nowMs += 2
    for (const span of spans) span.end()
    together.root.end()
    const [one, root] = together.sent()
    expect(one!.attributes['spanloom.collapsed.count']).toBe(9)
    expect(one!.attributes['spanloom.n_plus_one']).toBeUndefined()
    expect(root!.attributes['spanloom.n_plus_one']).toBeUndefined()
  })

  it('start with the earliest, which need not have ended first', () => {
    const { start, time, root, sent } = collapsing()
    const early = start()
    time.nowMs += 3
    const late = start()
    time.nowMs += 1
    late.end()
    time.nowMs += 6
    early.end()
    root.end()
    const [one] = sent()
    expect(callsOf(one!)).toEqual([
      [3_000_000, 1_000_000],
      [0, 10_000_000]
    ])
  })

  it('are 1,000 at most in one span', () => {
    const { query, sent, root } = collapsing()
    for (let call = 0; call < 1_001; call++) query(0.01)
    root.end()
    expect(sent().map((span) => span.attributes['spanloom.collapsed.count'])).toEqual([
      1_000,
      undefined,
      undefined
    ])
  })

  it('leave with every batch, and none is lost when the parent never ends', () => {
    const { query, sent } = collapsing()
    query()
    query()
    expect(sent().map((span) => span.attributes['spanloom.collapsed.count'])).toEqual([2])
    query()
    expect(sent().map((span) => span.name)).toEqual(['SELECT'])
    expect(sent()).toEqual([])
  })
})

describe('a call stays on its own', () => {
  it.each([
    ['after another name', (of: ReturnType<typeof collapsing>) => of.query(1, 'INSERT')],
    ['after another statement', (of) => of.query(1, 'SELECT', { ...QUERY, 'db.query.text': 'x' })],
    ['after one more attribute', (of) => of.query(1, 'SELECT', { ...QUERY, more: 1 })],
    ['after one that took longer than 50 ms', (of) => of.query(50.1)],
    ['after one of no database', (of) => of.query(1, 'SELECT', { 'http.request.method': 'GET' })],
    ['after one that is no client', (of) => of.query(1, 'SELECT', QUERY, SpanKind.INTERNAL)],
    [
      'after a failed one',
      (of) => {
        const span = of.start()
        span.setStatus({ code: SpanStatusCode.ERROR })
        span.end()
      }
    ],
    [
      'after one with an event',
      (of) => {
        const span = of.start()
        span.addEvent('retry')
        span.end()
      }
    ],
    [
      'after one that was active, and may have spans below it or elsewhere',
      (of) => {
        const span = of.start()
        contextWithSpan(of.contexts.active(), span)
        span.end()
      }
    ]
  ] as [string, (of: ReturnType<typeof collapsing>) => unknown][])('%s', (_name, between) => {
    const of = collapsing()
    of.query()
    between(of)
    of.query()
    of.root.end()
    const spans = of.sent()
    expect(spans).toHaveLength(4)
    expect(spans.some((span) => 'spanloom.collapsed.count' in span.attributes)).toBe(false)
  })

  it('when it takes 50 ms it still collapses', () => {
    const { query, sent, root } = collapsing()
    query(50)
    query(50)
    root.end()
    expect(sent()).toHaveLength(2)
  })

  it('below another parent, and below one that has ended', () => {
    const { query, sent, root, tracer, contexts, under, start } = collapsing()
    query()
    const other = tracer.startSpan('other', {}, under)
    const inside = contextWithSpan(contexts.active(), other as RecordingSpan)
    tracer.startSpan('SELECT', { kind: SpanKind.CLIENT, attributes: QUERY }, inside).end()
    query()
    const late = [start(), start()]
    other.end()
    root.end()
    for (const span of late) span.end()
    const counts = sent()
      .filter((span) => span.name === 'SELECT')
      .map((span) => span.attributes['spanloom.collapsed.count'] ?? 1)
    // The two below the root, around the one below the other span; then two whose parent had ended.
    expect(counts.toSorted()).toEqual([1, 1, 1, 2])
  })
})
