/** What a head sampler is asked, and what it says. */
import type { Attributes, Context, Link, SpanKind } from '@opentelemetry/api'
import type { SpanIdentity } from '../trace/span-identity.ts'

/** OpenTelemetry's three outcomes, by its numbers. */
export const DROP = 0
/** Shown to span processors, not sent. */
export const RECORD_ONLY = 1
export const RECORD_AND_SAMPLE = 2

export interface SamplingResult {
  readonly decision: typeof DROP | typeof RECORD_ONLY | typeof RECORD_AND_SAMPLE
  /** The new span's tracestate; undefined: the parent's, as it came. */
  readonly traceState: string | undefined
  /** To be set on the span. */
  readonly attributes: Attributes | undefined
}

export const DROPPED: SamplingResult = {
  decision: DROP,
  traceState: undefined,
  attributes: undefined
}
export const KEPT: SamplingResult = {
  decision: RECORD_AND_SAMPLE,
  traceState: undefined,
  attributes: undefined
}

export interface HeadRequest {
  readonly trace0: number
  readonly trace1: number
  readonly trace2: number
  readonly trace3: number
  readonly parent: SpanIdentity | undefined
  readonly name: string
  readonly kind: SpanKind
  /** Those known at the start; empty when the sampler does not read them (`readsFacts`). */
  readonly attributes: Attributes
  readonly links: Link[]
  /** Where the span starts, with its parent in it; the API's root when nobody asked for it. */
  readonly context: Context
}
