/**
 * Between the spans that end and any SDK SpanExporter: a bounded queue, a batch at a time, in the sizes and
 * delays that OpenTelemetry's specification gives as defaults.
 *
 *   onEnd ─→ queue (2,048 spans) ─→ export of up to 512: when there are 512, or 5 s after the first
 *
 * The queue holds span objects, which the tracer's own sending never does; this is the price of an exporter
 * that reads them. Its own requests make no spans. What it fails to take, or takes more than 30 s for, is dropped
 * and said once; so is what ends while the queue is full. When the process ends by itself the queue is drained
 * first; in `exit` one last call serves exporters that work at once, such as one that prints.
 */
import type { Context } from '@opentelemetry/api'
import { SUPPRESSED_FRAME } from './context/frame.ts'
import type { Guard } from './lib/guard.ts'
import type { Notify } from './notices.ts'
import type { RecordingSpan } from './trace/span.ts'

/** `SpanExporter` of `@opentelemetry/sdk-trace` and `sdk-trace-base`; code 0 is success. */
export interface SpanExporter {
  export(
    spans: RecordingSpan[],
    resultCallback: (result: { readonly code: number; readonly error?: Error }) => void
  ): void
  shutdown(): Promise<void>
  forceFlush?(): Promise<void>
}

export interface BatchExporterParts {
  readonly exporter: SpanExporter
  /** Runs the exporter's code in a context, so that it is not traced. */
  readonly run: (context: Context, fn: () => void) => void
  readonly guard: Guard
  readonly notify: Notify
}

const QUEUE_SPANS_MAX = 2_048
const BATCH_SPANS_MAX = 512
const DELAY_MS = 5_000
const EXPORT_WAIT_MS = 30_000
const SAMPLED = 1

export class BatchExporter {
  readonly #parts: BatchExporterParts
  #queue: RecordingSpan[] = []
  #timer: NodeJS.Timeout | undefined = undefined
  /** The export under way: one at a time, because exporters may not be called again before they answered. */
  #exporting: Promise<void> | undefined = undefined
  #stopped = false
  /** Spans that have left the queue. */
  #taken = 0
  /** Spans that the exporter did not get or did not take. */
  dropped = 0
  readonly #beforeExit = () => {
    if (this.#queue.length > 0) void this.#drain()
  }

  constructor(parts: BatchExporterParts) {
    this.#parts = parts
    process.on('beforeExit', this.#beforeExit)
  }

  onStart(): void {}

  onEnd(span: RecordingSpan): void {
    if (this.#stopped || (span.traceFlags & SAMPLED) === 0) return
    if (this.#queue.length >= QUEUE_SPANS_MAX) {
      this.#drop(1, `its queue holds ${QUEUE_SPANS_MAX}`)
      return
    }
    this.#queue.push(span)
    if (this.#queue.length >= BATCH_SPANS_MAX) this.#exportNext()
    else this.#arm()
  }

  async forceFlush(): Promise<void> {
    await this.#drain()
    await this.#parts.exporter.forceFlush?.()
  }

  async shutdown(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    process.removeListener('beforeExit', this.#beforeExit)
    await this.#drain()
    await this.#parts.exporter.shutdown()
  }

  /** What is left in `exit`, in one call: nothing that takes time happens any more. */
  exportAtExit(): void {
    const spans = this.#queue.splice(0)
    this.#taken += spans.length
    if (spans.length > 0) void this.#export(spans)
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#exporting !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#exportNext()
    }, DELAY_MS)
    this.#timer.unref()
  }

  #exportNext(): void {
    if (this.#exporting !== undefined || this.#queue.length === 0) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    const spans = this.#queue.splice(0, BATCH_SPANS_MAX)
    this.#taken += spans.length
    this.#exporting = this.#export(spans).then(() => {
      this.#exporting = undefined
      if (this.#queue.length >= BATCH_SPANS_MAX) this.#exportNext()
      else if (this.#queue.length > 0) this.#arm()
    })
  }

  /** Only what is there now: where the receiver is this process, each export makes more spans. */
  async #drain(): Promise<void> {
    const until = this.#taken + this.#queue.length
    while (this.#taken < until) {
      this.#exportNext()
      await this.#exporting
    }
    await this.#exporting
  }

  /** Resolves when the exporter has answered, whatever; never rejects. */
  #export(spans: RecordingSpan[]): Promise<void> {
    const { exporter, run, guard } = this.#parts
    return new Promise((resolve) => {
      let settled = false
      const settle = (problem: string | undefined) => {
        if (settled) return
        settled = true
        clearTimeout(timer)
        if (problem !== undefined) this.#drop(spans.length, problem)
        resolve()
      }
      const timer = setTimeout(() => settle(`no answer in ${EXPORT_WAIT_MS} ms`), EXPORT_WAIT_MS)
      timer.unref()
      run(SUPPRESSED_FRAME, () => {
        try {
          exporter.export(spans, (result) => {
            settle(result?.code === 0 ? undefined : (result?.error?.message ?? 'it failed'))
          })
        } catch (fault) {
          guard.report("a span exporter's export", fault)
          settle('it threw')
        }
      })
    })
  }

  #drop(spanCount: number, reason: string): void {
    if (this.dropped === 0) this.#parts.notify('EXPORT_DROPPED', spanCount, reason)
    this.dropped += spanCount
  }
}
