/** Open spans as rows: those that run, the longest first, then those that have ended since. */
import type { OpenSpanRow } from '@spanloom/query-api'

export interface OpenRows {
  readonly running: readonly OpenSpanRow[]
  readonly ended: readonly OpenSpanRow[]
}

/** `filter`: only those with all its words in service, name, kind, instance or trace id. */
export function openRows(spans: readonly OpenSpanRow[], filter = ''): OpenRows {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  const found = spans.filter((span) => {
    const text = [span.service, span.name, span.kind, span.instance, span.traceId].join('\n')
    return words.every((word) => text.toLowerCase().includes(word))
  })
  const byStart = found.toSorted(
    (a, b) => a.startUnixMs - b.startUnixMs || (a.spanId < b.spanId ? -1 : 1)
  )
  return {
    running: byStart.filter((span) => span.stored !== 'span'),
    ended: byStart.filter((span) => span.stored === 'span').reverse()
  }
}

export function runningCount(spans: readonly OpenSpanRow[]): number {
  return spans.reduce((count, span) => count + (span.stored === 'span' ? 0 : 1), 0)
}

/**
 * For how long it has been running, in whole seconds. Start and report are by the sender's clock: where the
 * reader's is behind, it is at least what it was when it was reported.
 */
export function runningForMs(span: OpenSpanRow, nowUnixMs: number): number {
  const ms = Math.max(nowUnixMs, span.reportedUnixMs) - span.startUnixMs
  return Math.max(0, Math.floor(ms / 1000) * 1000)
}
