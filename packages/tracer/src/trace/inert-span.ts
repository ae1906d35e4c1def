/**
 * A span that records nothing and only says who it is: a parent from another process, a span that was
 * not sampled, and what stays in a context after its local root has ended.
 */
import type { Span } from '@opentelemetry/api'
import { SpanIdentity } from './span-identity.ts'

export class InertSpan extends SpanIdentity implements Span {
  setAttribute(): this {
    return this
  }
  setAttributes(): this {
    return this
  }
  addEvent(): this {
    return this
  }
  addLink(): this {
    return this
  }
  addLinks(): this {
    return this
  }
  setStatus(): this {
    return this
  }
  updateName(): this {
    return this
  }
  end(): void {}
  isRecording(): boolean {
    return false
  }
  recordException(): void {}
}

export function inertCopy(of: SpanIdentity): InertSpan {
  return new InertSpan(
    of.trace0,
    of.trace1,
    of.trace2,
    of.trace3,
    of.span0,
    of.span1,
    of.traceFlags,
    of.traceState,
    of.remote
  )
}
