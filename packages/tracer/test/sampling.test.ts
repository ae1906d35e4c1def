/** Head sampling at work: the SDK's samplers in ours, and whole processes against a collector that answers. */
import { ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  SamplingDecision,
  type Sampler as SdkSampler,
  TraceIdRatioBasedSampler
} from '@opentelemetry/sdk-trace-base'
import { describe, expect, it } from 'vitest'
import { type Sampler, SpanProcessors } from '../src/compat.ts'
import { createGuard } from '../src/lib/guard.ts'
import { CountedSpan } from '../src/trace/counted-span.ts'
import { createScope } from '../src/trace/scope.ts'
import type { RecordingSpan } from '../src/trace/span.ts'
import { testTracer } from '../src/tracer.testkit.ts'
import { tracedApps } from './traced-apps.ts'

// Assignable by type: the SDK's sampler where ours is wanted.
const asSampler = (sampler: SdkSampler): Sampler => sampler
const isSampled = (span: { traceFlags: number }) => (span.traceFlags & 1) === 1

describe('the SDK’s samplers', () => {
  it('decide about each span as in the SDK', () => {
    const { tracer, starter, sampler } = testTracer()
    const ratio = new TraceIdRatioBasedSampler(0.5)
    sampler.use(asSampler(new ParentBasedSampler({ root: ratio })))
    const scope = createScope('built-in')
    for (let index = 0; index < 300; index++) {
      const root = tracer.startSpan('root', {}, ROOT_CONTEXT)
      const { decision } = ratio.shouldSample(ROOT_CONTEXT, root.traceId)
      expect(isSampled(root)).toBe(decision === SamplingDecision.RECORD_AND_SAMPLED)
      const below = tracer.startSpan('child', {}, trace.setSpan(ROOT_CONTEXT, root))
      expect(isSampled(below)).toBe(isSampled(root))
      // An instrumentation has no context to hand over, only a parent.
      expect(isSampled(starter.start(scope, 'exit', SpanKind.CLIENT, root))).toBe(isSampled(root))
    }
    sampler.use(asSampler(new AlwaysOffSampler()))
    expect(isSampled(tracer.startSpan('a', {}, ROOT_CONTEXT))).toBe(false)
    sampler.use(asSampler(new AlwaysOnSampler()))
    expect(isSampled(tracer.startSpan('a', {}, ROOT_CONTEXT))).toBe(true)
  })

  it('see what the span has, and add to it', () => {
    const { tracer, sampler } = testTracer()
    const asked: unknown[][] = []
    sampler.use({
      shouldSample(...question) {
        asked.push(question)
        return { decision: 2, attributes: { a: 'sampler', b: 2 } }
      }
    })
    const parent = tracer.startSpan('parent', {}, ROOT_CONTEXT)
    const link = { context: parent.spanContext() }
    const context = trace.setSpan(ROOT_CONTEXT, parent)
    const attributes = { a: 'app', c: 3 }
    const options = { kind: SpanKind.CLIENT, attributes, links: [link] }
    const span = tracer.startSpan('child', options, context) as RecordingSpan
    expect(asked[1]).toEqual([
      context,
      parent.traceId,
      'child',
      SpanKind.CLIENT,
      attributes,
      [link]
    ])
    expect(span.attributes).toEqual({ a: 'sampler', b: 2, c: 3 })
    tracer.startSpan('root', { root: true }, context)
    expect(trace.getSpan(asked[2]![0] as typeof context)).toBeUndefined()
  })
})

describe('span processors', () => {
  it('see spans that are recorded only, and none that is only counted', () => {
    const { tracer, sampler, host, contexts, ended } = testTracer({}, 'always_off')
    const seen: string[] = []
    const processors = new SpanProcessors(createGuard(() => {}))
    processors.add({
      onStart: (span) => void seen.push(`start ${span.name}`),
      onEnd: (span) => void seen.push(`end ${span.name}`),
      forceFlush: async () => {},
      shutdown: async () => {}
    })
    host.countUnsampled = true
    tracer.startSpan('counted', {}, ROOT_CONTEXT).end()
    sampler.use({ shouldSample: () => ({ decision: 1 }) })
    tracer.startSpan('recorded', {}, ROOT_CONTEXT).end()
    for (const span of ended) {
      processors.started(span, contexts.active())
      processors.ended(span)
    }
    expect(ended[0]).toBeInstanceOf(CountedSpan)
    expect(seen).toEqual(['start recorded', 'end recorded'])
  })
})

describe('a process', () => {
  const { sink, start } = tracedApps()

  async function serve(env: Record<string, string>): Promise<(path: string) => Promise<unknown>> {
    const options = { nodeArgs: [], env: { OTEL_SERVICE_NAME: 'a shop, *=1', ...env } }
    const port = await start('first-line.mjs', options).port()
    return async (path) => (await fetch(`http://127.0.0.1:${port}${path}`)).text()
  }

  it('leaves out what a rule for its route says, and its spans below', async () => {
    const get = await serve({
      DD_TRACE_SAMPLING_RULES: JSON.stringify([
        { resource: 'GET /hello/:name', tags: { 'user_agent.original': 'node' }, sample_rate: 0 }
      ])
    })
    expect(await get('/hello/dropped')).toContain('hello dropped false')
    await get('/other')
    await sink.span((span) => span.attributes['url.path'] === '/other')
    expect(sink.spans).toHaveLength(1)
  })

  it('follows the collector’s rate, tells it which is in force, and gives it up again', async () => {
    const name = 'a%20shop%2C%20%2A%3D1'
    let rate = `${name}=0.25,*=0.001`
    sink.answer = () => ({ status: 200, headers: { 'spanloom-head-rate': rate } })
    const get = await serve({})
    const asks = () => sink.requests.at(-1)?.headers['spanloom-head-rate']

    await get('/hello/first')
    await sink.until(() => sink.requests.length > 0, 'request')
    expect(asks()).toBe(`${name}=1`)
    expect(new Set(sink.spans.map((span) => span.traceState))).toEqual(new Set(['']))

    const until = async (found: () => boolean) => {
      const deadline = performance.now() + 15_000
      for (let index = 0; !found(); index++) {
        if (performance.now() > deadline) throw new Error(`not within 15 s: ${found}`)
        await get(`/hello/${index}`)
      }
    }
    await until(() => asks() === `${name}=0.25`)
    await until(() => sink.spans.some((span) => span.traceState === 'ot=th:c'))
    for (const span of sink.spans.filter((one) => one.traceState !== '')) {
      expect(span.traceState).toBe('ot=th:c')
      // The spans that are kept are those whose ids say so.
      expect(Number.parseInt(span.traceId.slice(18, 20), 16)).toBeGreaterThanOrEqual(0xc0)
      // Sampled, random, and known not to be remote.
      expect(span.flags & 0xff).toBe(3)
    }

    rate = 'another=0.5,*=1'
    await until(() => asks() === `${name}=1`)
    const before = sink.spans.length
    await until(() => sink.spans.slice(before).some((span) => span.traceState === ''))
  })

  it('does not ask for a rate that it would not follow', async () => {
    sink.answer = () => ({ status: 200, headers: { 'spanloom-head-rate': '*=0.001' } })
    const get = await serve({ SPANLOOM_SAMPLING_FROM_COLLECTOR: 'false' })
    await get('/hello/first')
    await sink.until(() => sink.requests.length > 0, 'request')
    expect(sink.requests[0]!.headers['spanloom-head-rate']).toBeUndefined()
    for (let index = 0; index < 20; index++) await get(`/hello/${index}`)
    await sink.until(() => sink.spans.length === 42, '42 spans')
  })
})
