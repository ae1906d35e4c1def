/** `OTEL_TRACES_EXPORTER=console`: each ended span is a line of JSON on stdout. */
import type { SpanProcessor } from '../compat.ts'
import type { RecordingSpan } from '../trace/span.ts'

export function consoleSpans(write: (line: string) => void): SpanProcessor {
  return {
    onStart() {},
    onEnd: (span) => write(`${lineOf(span)}\n`),
    async forceFlush() {},
    async shutdown() {}
  }
}

function lineOf(span: RecordingSpan): string {
  const { events, links, status } = span
  return JSON.stringify({
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanContext?.spanId,
    name: span.name,
    kind: span.kind,
    startTime: span.startTime,
    duration: span.duration,
    status,
    attributes: span.attributes,
    ...(events.length > 0 ? { events } : {}),
    ...(links.length > 0 ? { links } : {})
  })
}
