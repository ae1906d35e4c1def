/**
 * The OpenTelemetry SDK's contracts, by shape: what of it plugs into this tracer. The SDK itself is not
 * a dependency, because its versions cap the API's; a test compiles against the real one.
 */
import type { Attributes, Context, Link, SpanKind, TraceState } from '@opentelemetry/api'
import type { Guard } from './lib/guard.ts'
import { CountedSpan } from './trace/counted-span.ts'
import type { RecordingSpan } from './trace/span.ts'

/** `SpanProcessor` of `@opentelemetry/sdk-trace-base`, reading our span as its own. */
export interface SpanProcessor {
  onStart(span: RecordingSpan, parentContext: Context): void
  onEnd(span: RecordingSpan): void
  forceFlush(): Promise<void>
  shutdown(): Promise<void>
}

/** `Sampler` of `@opentelemetry/sdk-trace-base`. */
export interface Sampler {
  shouldSample(
    context: Context,
    traceId: string,
    spanName: string,
    spanKind: SpanKind,
    attributes: Attributes,
    links: Link[]
  ): {
    /** 0 not recorded, 1 recorded, 2 recorded and sampled. */
    readonly decision: number
    readonly attributes?: Readonly<Attributes>
    readonly traceState?: TraceState
  }
  toString(): string
}

/** Further processors beside the tracer's own encoder. Their faults stay theirs. */
export class SpanProcessors {
  readonly #guard: Guard
  #processors: readonly SpanProcessor[] = []

  constructor(guard: Guard) {
    this.#guard = guard
  }

  add(processor: SpanProcessor): void {
    this.#processors = [...this.#processors, processor]
  }

  /** @hot One read of a length when there is none. */
  started(span: RecordingSpan, parentContext: Context): void {
    if (this.#processors.length === 0 || span instanceof CountedSpan) return
    this.#each('onStart', (processor) => processor.onStart(span, parentContext))
  }

  /** @hot */
  ended(span: RecordingSpan): void {
    if (this.#processors.length === 0 || span instanceof CountedSpan) return
    this.#each('onEnd', (processor) => processor.onEnd(span))
  }

  async forceFlush(): Promise<void> {
    await Promise.allSettled(this.#processors.map((processor) => processor.forceFlush()))
  }

  async shutdown(): Promise<void> {
    await Promise.allSettled(this.#processors.map((processor) => processor.shutdown()))
  }

  #each(place: string, call: (processor: SpanProcessor) => void): void {
    for (const processor of this.#processors) {
      try {
        call(processor)
      } catch (fault) {
        this.#guard.report(`a span processor's ${place}`, fault)
      }
    }
  }
}
