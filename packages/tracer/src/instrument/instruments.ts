/** What every instrumentation works with: the context, the span starter, the wire, the guard. */
import type { Attributes, Context, SpanKind } from '@opentelemetry/api'
import { BAGGAGE_KEY, isSuppressed, SPAN_KEY } from '../context/frame.ts'
import type { SpanloomContextManager } from '../context/manager.ts'
import type { Guard } from '../lib/guard.ts'
import type { Propagator } from '../propagate/propagator.ts'
import { createScope, type Scope } from '../trace/scope.ts'
import { RecordingSpan } from '../trace/span.ts'
import { identityOf, type SpanIdentity } from '../trace/span-identity.ts'
import type { AnySpan, SpanStarter, StartFacts } from '../trace/tracer.ts'
import { SDK_VERSION } from '../version.ts'
import type { HeaderCapture } from './header-capture.ts'

export interface CallTimer {
  /** Whether this call is one of those that are timed. */
  readonly isTimed: boolean
  time(call: () => void): void
}

/** Who wants to be told of spans that begin. */
export interface StartProcessors {
  readonly isEmpty: boolean
  started(span: RecordingSpan, parentContext: Context): void
}

/** The tracer's parts, the same for all instrumentations. */
export interface SharedInstruments {
  readonly contexts: SpanloomContextManager
  readonly starter: SpanStarter
  readonly processors: StartProcessors
  readonly propagator: Propagator
  readonly guard: Guard
  /** False: a middleware that was slow or failed has no span either. */
  readonly middlewareSpans?: boolean
  /** Times some of the calls, where somebody asks what the tracer costs. */
  readonly overhead?: CallTimer
  /** Headers that spans keep, when any are named. */
  readonly headers?: HeaderCapture | undefined
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
  kind: SpanKind,
  facts?: StartFacts
): AnySpan | undefined {
  const context = instruments.contexts.storage.getStore()
  if (isSuppressed(context)) return undefined
  instruments.usage.count++
  return startSpan(instruments, name, kind, parentIn(context), facts)
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
  parent: SpanIdentity | undefined,
  facts?: StartFacts
): AnySpan {
  instruments.usage.count++
  return startSpan(instruments, name, kind, parent, facts)
}

function startSpan(
  { starter }: Instruments,
  name: string,
  kind: SpanKind,
  parent: SpanIdentity | undefined,
  facts: StartFacts | undefined
): AnySpan {
  return starter.start(BUILT_IN_SCOPE, name, kind, parent, undefined, facts)
}

/** Takes what a span would: so the attributes of a span to be are written down by the same function. */
export interface AttributeSink {
  put(key: string, value: string | number | boolean): void
}

/**
 * @hot What a sampler with rules wants to know of a span to be, or undefined when it wants nothing: then
 * `describe` is not called.
 */
export function factsOf<Target>(
  { starter }: Instruments,
  describe: (sink: AttributeSink, target: Target) => void,
  target: Target
): StartFacts | undefined {
  if (!starter.readsFacts) return undefined
  const attributes: Attributes = {}
  describe(
    {
      put(key, value) {
        attributes[key] = value
      }
    },
    target
  )
  return { attributes }
}

/** @hot Tells processors of a span whose first attributes are set. */
export function announce({ processors, contexts }: Instruments, span: AnySpan): void {
  if (processors.isEmpty || !(span instanceof RecordingSpan)) return
  processors.started(span, contexts.active())
}

/** Writes the headers that carry the span on. */
export function injectHeaders(
  instruments: Instruments,
  span: SpanIdentity,
  set: (name: string, value: string) => void
): void {
  const context = instruments.contexts.storage.getStore()
  const baggage = context?.getValue(BAGGAGE_KEY) as
    | Parameters<Propagator['eachHeader']>[1]
    | undefined
  instruments.propagator.eachHeader(span, baggage, set)
}
