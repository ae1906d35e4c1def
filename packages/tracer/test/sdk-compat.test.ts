/**
 * The OpenTelemetry SDK takes our spans as its own: by type (this file compiles) and at work. And it finds the
 * same numbers in them as in its own span made in the same way.
 */
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import {
  BasicTracerProvider,
  ConsoleSpanExporter,
  InMemorySpanExporter,
  type ReadableSpan,
  type SpanProcessor as SdkSpanProcessor,
  SimpleSpanProcessor
} from '@opentelemetry/sdk-trace-base'
import { describe, expect, it, vi } from 'vitest'
import { type SpanProcessor, SpanProcessors } from '../src/compat.ts'
import { createGuard } from '../src/lib/guard.ts'
import type { SpanloomTracer } from '../src/sdk.ts'
import type { RecordingSpan } from '../src/trace/span.ts'
import { testTracer } from '../src/tracer.testkit.ts'

// Assignable by type: our span where the SDK reads one, the SDK's processor where ours is wanted.
const asReadable = (span: RecordingSpan): ReadableSpan => span
const asProcessor = (processor: SdkSpanProcessor): SpanProcessor => processor

// So are those of an SDK that knows other types of attributes, as before API 1.10.
interface OlderSpan {
  readonly attributes: Record<string, string | number>
  readonly instrumentationLibrary: { readonly name: string }
}
export function takesOlder(
  tracer: SpanloomTracer,
  processor: Omit<SdkSpanProcessor, 'onStart' | 'onEnd'> & {
    onStart: (span: OlderSpan, parent: object) => void
    onEnd: (span: OlderSpan) => void
  },
  exporter: { export: (spans: OlderSpan[]) => void; shutdown: () => Promise<void> }
): void {
  tracer.addSpanProcessor(processor)
  tracer.addSpanExporter(exporter)
}

function fill(span: Pick<RecordingSpan, keyof import('@opentelemetry/api').Span>): void {
  span.setAttributes({ text: 'a', list: [1, 2], flag: true })
  span.addEvent('event', { k: 'v' }, [1_700_000_000, 500_000_000])
  span.recordException(new TypeError('bad'), [1_700_000_000, 750_000_000])
  span.setStatus({ code: SpanStatusCode.ERROR, message: 'bad' })
  span.end([1_700_000_001, 0])
}

describe('a span of ours', () => {
  it('is read by the SDK’s exporters as one of the SDK’s', () => {
    const memory = new InMemorySpanExporter()
    const sdk = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(memory)] })
    const options = { kind: SpanKind.CLIENT, startTime: [1_700_000_000, 0] as [number, number] }
    fill(sdk.getTracer('test', '1.0').startSpan('same', options) as never)
    const [theirs] = memory.getFinishedSpans()
    const { tracer } = testTracer()
    const own = tracer.startSpan('same', options) as RecordingSpan
    fill(own)
    const ours = asReadable(own)

    for (const key of ['name', 'kind', 'startTime', 'endTime', 'duration', 'status'] as const) {
      expect(ours[key]).toEqual(theirs![key])
    }
    expect(ours.attributes).toEqual(theirs!.attributes)
    expect(ours.events[0]).toEqual(theirs!.events[0])
    expect(Object.keys(ours.events[1]!.attributes!)).toEqual(
      Object.keys(theirs!.events[1]!.attributes!)
    )
    expect(ours.links).toEqual(theirs!.links)
    expect(ours.ended).toBe(true)
    expect(ours.instrumentationScope).toMatchObject({ name: 'test', version: '1.0' })
    expect(ours.resource.getRawAttributes()).toContainEqual(['service.name', 'test'])
  })

  it('goes through the SDK’s processor to its console', async () => {
    const printed = vi.spyOn(console, 'dir').mockImplementation(() => {})
    const guard = createGuard(() => {})
    const processors = new SpanProcessors(guard)
    processors.add(asProcessor(new SimpleSpanProcessor(new ConsoleSpanExporter())))
    const { tracer, contexts } = testTracer()
    const span = tracer.startSpan('shown', { attributes: { a: 1 } }) as RecordingSpan
    processors.started(span, contexts.active())
    span.end()
    processors.ended(span)
    await processors.forceFlush(1_000)

    expect(guard.faults).toBe(0)
    expect(printed.mock.calls[0]![0]).toMatchObject({
      name: 'shown',
      traceId: span.traceId,
      id: span.spanId,
      attributes: { a: 1 },
      resource: { attributes: { 'service.name': 'test' } }
    })
    await processors.shutdown(1_000)
    printed.mockRestore()
  })

  it('survives a processor that throws', () => {
    const guard = createGuard(() => {})
    const processors = new SpanProcessors(guard)
    processors.add({
      onStart: () => {
        throw new Error('start')
      },
      onEnd: () => {
        throw new Error('end')
      },
      forceFlush: async () => {},
      shutdown: async () => {}
    })
    const { tracer, contexts } = testTracer()
    const span = tracer.startSpan('a') as RecordingSpan
    processors.started(span, contexts.active())
    processors.ended(span)
    expect(guard.faults).toBe(2)
  })
})
