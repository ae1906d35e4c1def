/**
 * The OpenTelemetry SDK's contracts, by shape: what of it plugs into this tracer. The SDK itself is not
 * a dependency, because its versions cap the API's; a test compiles against the real one.
 */
import type { Attributes, Context, Link, SpanKind, TraceState } from '@opentelemetry/api'
import type { BatchExporter } from './batch-exporter.ts'
import type { Guard } from './lib/guard.ts'
import { CountedSpan } from './trace/counted-span.ts'
import type { RecordingSpan } from './trace/span.ts'

/** `SpanProcessor` of `@opentelemetry/sdk-trace-base`, reading our span as its own. */
export interface SpanProcessor {
  onStart(span: RecordingSpan, parentContext: Context): void
  /** Optional: while the span can still be changed. */
  onEnding?(span: RecordingSpan): void
  onEnd(span: RecordingSpan): void
  forceFlush(): Promise<void>
  shutdown(): Promise<void>
}

/**
 * The same, of an SDK that is made with another version of the API than ours: between 1.9 and 1.10 alone the types of
 * attributes differ, and the spans are what it expects.
 */
export interface ForeignSpanProcessor {
  // biome-ignore lint/suspicious/noExplicitAny: types of a version that is not known here
  onStart(span: any, parentContext: any): void
  // biome-ignore lint/suspicious/noExplicitAny: the same
  onEnding?(span: any): void
  // biome-ignore lint/suspicious/noExplicitAny: the same
  onEnd(span: any): void
  forceFlush(): Promise<void>
  shutdown(): Promise<void>
}

/** `SpanExporter` of such an SDK. */
export interface ForeignSpanExporter {
  // biome-ignore lint/suspicious/noExplicitAny: the same
  export(spans: any[], resultCallback: (result: any) => void): void
  shutdown(): Promise<void>
  forceFlush?(): Promise<void>
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
  #exporters: readonly BatchExporter[] = []
  /** Whether any of them has an `onEnding`. */
  seesEnding = false

  constructor(guard: Guard) {
    this.#guard = guard
  }

  add(processor: SpanProcessor): void {
    this.#guard.wrap('addSpanProcessor', () => {
      if (typeof processor.onEnding === 'function') this.seesEnding = true
      this.#processors = [...this.#processors, processor]
    })()
  }

  get isEmpty(): boolean {
    return this.#processors.length === 0
  }

  addExporter(exporter: BatchExporter): void {
    this.#exporters = [...this.#exporters, exporter]
    this.add(exporter)
  }

  /** In the process's `exit`: what an exporter can do at once. */
  exportAtExit(): void {
    for (const exporter of this.#exporters) exporter.exportAtExit()
  }

  ending(span: RecordingSpan): void {
    this.#each('onEnding', (processor) => processor.onEnding?.(span))
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

  /** Resolves when all have, and after `waitMs` at the latest: one of them may never do. */
  forceFlush(waitMs: number): Promise<void> {
    return this.#all('forceFlush', waitMs, (processor) => processor.forceFlush())
  }

  shutdown(waitMs: number): Promise<void> {
    return this.#all('shutdown', waitMs, (processor) => processor.shutdown())
  }

  async #all(
    place: string,
    waitMs: number,
    call: (processor: SpanProcessor) => Promise<void>
  ): Promise<void> {
    if (this.#processors.length === 0) return
    const calls = this.#processors.map(async (processor) => {
      try {
        await call(processor)
      } catch (fault) {
        this.#guard.report(`a span processor's ${place}`, fault)
      }
    })
    await within(waitMs, Promise.all(calls))
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

/** The timer holds the process: whoever awaits this must not see it end before. */
async function within(waitMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, waitMs)
  })
  await Promise.race([work, timeout])
  clearTimeout(timer)
}
