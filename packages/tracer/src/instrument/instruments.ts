/** What every instrumentation works with: the context, the span starter, the wire, the guard. */
import type { Context, SpanKind } from '@opentelemetry/api'
import { BAGGAGE_KEY, isSuppressed, SPAN_KEY } from '../context/frame.ts'
import type { SpanloomContextManager } from '../context/manager.ts'
import type { Guard } from '../lib/guard.ts'
import type { W3cPropagator } from '../propagate/propagator.ts'
import { createScope, type Scope } from '../trace/scope.ts'
import { RecordingSpan } from '../trace/span.ts'
import { identityOf, type SpanIdentity } from '../trace/span-identity.ts'
import type { AnySpan, OnStart, SpanStarter } from '../trace/tracer.ts'
import { SDK_VERSION } from '../version.ts'

/** The tracer's parts, the same for all instrumentations. */
export interface SharedInstruments {
  readonly contexts: SpanloomContextManager
  readonly starter: SpanStarter
  readonly onStart: OnStart
  readonly propagator: W3cPropagator
  readonly guard: Guard
}

/** What one instrumentation is handed: the tracer's parts, and where it is told whether it was of use. */
export interface Instruments extends SharedInstruments {
  readonly usage: { count: number }
}

/**
 * One scope for all built-in instrumentations: spans of one request alternate between them, and each
 * change of scope would cost a group of its own on the wire.
 */
export const BUILT_IN_SCOPE: Scope = createScope('@spanloom/tracer', SDK_VERSION)

/** @hot A span under what is active, or undefined where nothing may be traced. */
export function startExitSpan(
  instruments: Instruments,
  name: string,
  kind: SpanKind
): AnySpan | undefined {
  const context = instruments.contexts.storage.getStore()
  if (isSuppressed(context)) return undefined
  instruments.usage.count++
  return instruments.starter.start(BUILT_IN_SCOPE, name, kind, parentIn(context))
}

export function parentIn(context: Context | undefined): SpanIdentity | undefined {
  return context === undefined ? undefined : identityOf(context.getValue(SPAN_KEY))
}

/**
 * A span of work that came from elsewhere, such as a message: its parent is who sent it, whatever is active
 * in the library's own loop.
 */
export function startEntrySpan(
  instruments: Instruments,
  name: string,
  kind: SpanKind,
  parent: SpanIdentity | undefined
): AnySpan {
  instruments.usage.count++
  return instruments.starter.start(BUILT_IN_SCOPE, name, kind, parent)
}

/** Tells processors of a span whose first attributes are set. */
export function announce(instruments: Instruments, span: AnySpan): void {
  if (span instanceof RecordingSpan) instruments.onStart(span, instruments.contexts.active())
}

/** Writes the headers that carry the span on. */
export function injectHeaders(
  instruments: Instruments,
  span: SpanIdentity,
  set: (name: string, value: string) => void
): void {
  const context = instruments.contexts.storage.getStore()
  const baggage = context?.getValue(BAGGAGE_KEY) as
    | Parameters<W3cPropagator['eachHeader']>[1]
    | undefined
  instruments.propagator.eachHeader(span, baggage, set)
}
