/**
 * Who a span is: its ids as numbers, its flags, its tracestate. The recording span and the inert one
 * share it, so that propagation, sampling and encoding read ids in one way and never from text.
 */
import {
  createTraceState,
  isSpanContextValid,
  type SpanContext,
  type TraceState
} from '@opentelemetry/api'
import { hexOfWord, wordFromHex } from '../lib/hex.ts'

export class SpanIdentity {
  /** Words of the ids, as signed 32-bit numbers: see random-ids.ts. */
  readonly trace0: number
  readonly trace1: number
  readonly trace2: number
  readonly trace3: number
  readonly span0: number
  readonly span1: number
  readonly traceFlags: number
  /** The W3C header's text, or '' when there is none. */
  readonly traceState: string
  /** Came from another process. */
  readonly remote: boolean

  constructor(
    trace0: number,
    trace1: number,
    trace2: number,
    trace3: number,
    span0: number,
    span1: number,
    traceFlags: number,
    traceState: string,
    remote: boolean
  ) {
    this.trace0 = trace0 | 0
    this.trace1 = trace1 | 0
    this.trace2 = trace2 | 0
    this.trace3 = trace3 | 0
    this.span0 = span0 | 0
    this.span1 = span1 | 0
    this.traceFlags = traceFlags
    this.traceState = traceState
    this.remote = remote
  }

  get traceId(): string {
    return (
      hexOfWord(this.trace0) +
      hexOfWord(this.trace1) +
      hexOfWord(this.trace2) +
      hexOfWord(this.trace3)
    )
  }

  get spanId(): string {
    return hexOfWord(this.span0) + hexOfWord(this.span1)
  }

  /** A fresh object: whoever gets it may keep and change it. */
  spanContext(): SpanContext {
    const context: SpanContext = {
      traceId: this.traceId,
      spanId: this.spanId,
      traceFlags: this.traceFlags
    }
    if (this.remote) context.isRemote = true
    if (this.traceState !== '') context.traceState = parsedTraceState(this.traceState)
    return context
  }
}

/** The identity behind any API span: our own as it is, a foreign one by its ids, else undefined. */
export function identityOf(span: unknown): SpanIdentity | undefined {
  if (span === undefined || span === null) return undefined
  try {
    if (span instanceof SpanIdentity) return span
    const context = (span as { spanContext?(): SpanContext }).spanContext?.()
    return context ? identityFromContext(context) : undefined
  } catch {
    // A span of another SDK that fails to say who it is.
    return undefined
  }
}

/** @throws what a context's getters throw. */
export function identityFromContext(context: SpanContext): SpanIdentity | undefined {
  if (!isSpanContextValid(context)) return undefined
  const traceId = context.traceId.toLowerCase()
  const spanId = context.spanId.toLowerCase()
  const traceState = context.traceState?.serialize()
  return new SpanIdentity(
    wordFromHex(traceId, 0),
    wordFromHex(traceId, 8),
    wordFromHex(traceId, 16),
    wordFromHex(traceId, 24),
    wordFromHex(spanId, 0),
    wordFromHex(spanId, 8),
    context.traceFlags & 0xff,
    typeof traceState === 'string' ? traceState : '',
    context.isRemote === true
  )
}

function parsedTraceState(text: string): TraceState {
  return createTraceState(text)
}
