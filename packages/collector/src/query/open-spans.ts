/** Open spans, with what the store has of each by now. */
import type { OpenSpanRow, OpenSpansResponse } from '@spanloom/query-api'
import type { OpenSpan } from '../model/open-span.ts'
import type { SpanStore } from '../store/span-store.ts'

/** Tracers report a span after 10 s. Less by a second, for clocks that are set while it runs. */
export const REPORTED_AFTER_MS = 9_000

export async function askOpenSpans(
  store: Pick<SpanStore, 'findLongSpans'>,
  open: readonly OpenSpan[],
  signal: AbortSignal
): Promise<OpenSpansResponse> {
  if (open.length === 0) return { spans: [] }
  const traceIds = [...new Set(open.map(({ traceId }) => traceId))]
  const stored = await store.findLongSpans(traceIds, REPORTED_AFTER_MS, signal).catch(() => {
    signal.throwIfAborted()
    // What runs is known without the store, and asked for most when something is wrong.
    return undefined
  })
  return { spans: open.map((span) => rowOf(span, stored)) }
}

function rowOf(
  span: OpenSpan,
  stored: ReadonlyMap<string, ReadonlySet<string>> | undefined
): OpenSpanRow {
  if (stored === undefined) return span
  const ended = stored.get(span.traceId)
  if (ended === undefined) return { ...span, stored: 'none' }
  return { ...span, stored: ended.has(span.spanId) ? 'span' : 'trace' }
}
