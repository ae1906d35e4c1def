/**
 * The built tracer as an app starts it, with all its parts: spans are encoded as they end, and the bytes go
 * to the sending thread. That they arrive is for the parent to see.
 */
import { trace } from '@opentelemetry/api'
import { answerRounds } from './workload.ts'

await import(new URL('../../../packages/tracer/dist/register.js', import.meta.url).href)

await answerRounds(trace.getTracer('bench', '1.0'))
