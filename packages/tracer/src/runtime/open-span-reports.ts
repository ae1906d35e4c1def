/**
 * Runs on the sending thread: reports each span when it has been open for 10 s, and all that are still open
 * every four minutes, as OTLP log records with the spans' ids: whoever shows them may forget one of which
 * nothing is heard for ten. When the main thread's event loop has not turned for a second the report says so,
 * because then the span is likely to be what blocks it, or to wait behind it.
 */
import type { Attributes } from '@opentelemetry/api'
import { encodeLogs, type LogScope } from '../encode/log-encoder.ts'
import { type OpenSpan, OpenSpansReader } from './open-spans.ts'

export const OPEN_REPORT_AFTER_MS = 10_000
export const OPEN_REPORT_AGAIN_MS = 4 * 60_000
const BLOCKED_MIN_MS = 1_000
const WARN = 13
const KINDS = ['internal', 'server', 'client', 'producer', 'consumer']

export interface OpenSpanReport {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly spanCount: number
}

export class OpenSpanReports {
  readonly #reader: OpenSpansReader
  readonly #resource: Attributes
  readonly #scope: LogScope
  #reportedBeforeMs = 0
  #againAtMs = 0

  constructor(shared: SharedArrayBuffer, resource: Attributes, scope: LogScope) {
    this.#reader = new OpenSpansReader(shared)
    this.#resource = resource
    this.#scope = scope
  }

  name(index: number, text: string): void {
    this.#reader.name(index, text)
  }

  /** What is to be reported now, or undefined when nothing is. Epoch milliseconds. */
  take(nowMs: number): OpenSpanReport | undefined {
    const beforeMs = nowMs - OPEN_REPORT_AFTER_MS
    const isAgain = nowMs >= this.#againAtMs
    if (isAgain) this.#againAtMs = nowMs + OPEN_REPORT_AGAIN_MS
    const spans = this.#reader.startedBetween(isAgain ? 0 : this.#reportedBeforeMs, beforeMs)
    this.#reportedBeforeMs = beforeMs
    if (spans.length === 0) return undefined
    const beatMs = this.#reader.beatMs
    const blockedMs = beatMs === 0 ? 0 : nowMs - beatMs
    const records = spans.map((span) => recordOf(span, nowMs, blockedMs))
    return { bytes: encodeLogs(this.#resource, this.#scope, records), spanCount: spans.length }
  }
}

function recordOf(span: OpenSpan, nowMs: number, blockedMs: number) {
  const openMs = Math.round(nowMs - span.startMs)
  const isBlocked = blockedMs >= BLOCKED_MIN_MS
  return {
    timeMs: nowMs,
    severityNumber: WARN,
    eventName: 'spanloom.span.open',
    body: `${span.name} is still open after ${Math.round(openMs / 1_000)} s`,
    traceId: span.traceId,
    spanId: span.spanId,
    attributes: {
      'spanloom.span.name': span.name,
      'spanloom.span.kind': KINDS[span.kind] ?? 'internal',
      'spanloom.span.start_ms': span.startMs,
      'spanloom.span.open_ms': openMs,
      ...(isBlocked ? { 'spanloom.event_loop.blocked_ms': Math.round(blockedMs) } : {})
    }
  }
}
