/** Prints spans, for who wants to see them without a collector: a line of JSON each, on stdout. */
import { writeSync } from 'node:fs'
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import type { SpanExporter } from './batch-exporter.ts'
import type { RecordingSpan } from './trace/span.ts'

export function createConsoleExporter(
  write: (text: string) => void = (text) => writeSync(1, text)
): SpanExporter {
  return {
    export(spans, resultCallback) {
      write(spans.map((span) => `${lineOf(span)}\n`).join(''))
      resultCallback({ code: 0 })
    },
    async shutdown() {}
  }
}

function lineOf(span: RecordingSpan): string {
  return JSON.stringify({
    name: span.name,
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanContext?.spanId,
    kind: SpanKind[span.kind],
    start: new Date(span.startMs).toISOString(),
    durationMs: Math.round((span.endMs - span.startMs) * 1_000) / 1_000,
    status: SpanStatusCode[span.statusCode],
    statusMessage: span.statusMessage,
    attributes: span.attributes,
    events: span.flatEvents === undefined ? undefined : span.events,
    links: span.flatLinks === undefined ? undefined : span.links,
    scope: span.scope.readable.name
  })
}
