/**
 * Spans that their processes reported as still open, newest reports first. Kept in memory and nowhere else:
 * it is a view of this moment, and a span that ends is stored like any other. A report is let go of after
 * SHOWN_MS; beyond SPANS_MAX the oldest gives way, and is counted.
 */
import type { OpenSpan } from '../model/open-span.ts'

export const SPANS_MAX = 2_000
export const SHOWN_MS = 10 * 60_000

interface Held {
  readonly span: OpenSpan
  readonly heardUnixMs: number
}

export class OpenSpans {
  readonly #held = new Map<string, Held>()
  readonly #nowUnixMs: () => number
  /** Reports that gave way to newer ones. */
  displaced = 0

  constructor(nowUnixMs: () => number) {
    this.#nowUnixMs = nowUnixMs
  }

  /** A span that is reported again takes the place of its first report. */
  take(spans: readonly OpenSpan[]): void {
    const heardUnixMs = this.#nowUnixMs()
    for (const span of spans) {
      const key = `${span.traceId}-${span.spanId}`
      this.#held.delete(key)
      this.#held.set(key, { span, heardUnixMs })
    }
    while (this.#held.size > SPANS_MAX) {
      this.#held.delete(this.#held.keys().next().value!)
      this.displaced++
    }
  }

  list(): readonly OpenSpan[] {
    const sinceUnixMs = this.#nowUnixMs() - SHOWN_MS
    for (const [key, { heardUnixMs }] of this.#held) {
      if (heardUnixMs >= sinceUnixMs) break
      this.#held.delete(key)
    }
    return [...this.#held.values()].map(({ span }) => span).reverse()
  }
}
