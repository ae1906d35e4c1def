/**
 * OpenTelemetry's SDK as it comes, without instrumentation: spans are collected and encoded in batches of
 * 512, the batch processor's own size, on the spot. Its queue, timers and HTTP are left out, in its favour.
 */
import { trace } from '@opentelemetry/api'
import { ProtobufTraceSerializer } from 'otlp-transformer-newest'
import { type ReadableSpan, type SpanProcessor, TracerProvider } from 'sdk-trace-newest'
import { answerRounds } from './workload.ts'

const BATCH = 512

let batch: ReadableSpan[] = []
const collector: SpanProcessor = {
  onStart() {},
  onEnd(span) {
    batch.push(span)
    if (batch.length < BATCH) return
    const bytes = ProtobufTraceSerializer.serializeRequest(batch)!
    if (bytes.length < BATCH * 100) throw new Error('The serializer wrote too little.')
    batch = []
  },
  async forceFlush() {},
  async shutdown() {}
}

trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [collector] }))
await answerRounds(trace.getTracer('bench', '1.0'))
