/**
 * Makes spans: finds the parent, asks the head sampler, draws ids. `SpanStarter` is what the
 * instrumentations use; `ApiTracer` and `ApiTracerProvider` are the same behind the API's contracts.
 */
import {
  type AnyValue,
  type Attributes,
  type Context,
  type Link,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  type SpanOptions,
  type Tracer,
  type TracerOptions,
  type TracerProvider
} from '@opentelemetry/api'
import { Frame, isSuppressed, ROOT_FRAME, SPAN_KEY } from '../context/frame.ts'
import type { SpanloomContextManager } from '../context/manager.ts'
import type { RandomWord } from '../lib/random-ids.ts'
import { textOf } from '../lib/text.ts'
import { ASK, ASK_BELOW_REMOTE, type HeadSampler, KEEP } from '../sample/head-sampler.ts'
import { DROP, DROPPED, KEPT, RECORD_AND_SAMPLE } from '../sample/sampling-result.ts'
import { eachAttribute } from './attributes.ts'
import { CountedSpan } from './counted-span.ts'
import { InertSpan, inertCopy } from './inert-span.ts'
import { createScope, type Scope } from './scope.ts'
import { RecordingSpan, type SpanHost } from './span.ts'
import { identityOf, type SpanIdentity } from './span-identity.ts'
import { spanName } from './span-parts.ts'
import { epochMs } from './time.ts'

const SAMPLED = 1
const NO_OPTIONS: SpanOptions = Object.freeze({})
/** W3C Trace Context, level 2: the id's last 56 bits are random. Ours are; a child keeps its parent's word. */
const RANDOM = 2

const NO_ATTRIBUTES: Attributes = Object.freeze({})

export type AnySpan = RecordingSpan | InertSpan

export interface StarterHost extends SpanHost {
  /**
   * Whether spans that are not sampled are recorded for whoever counts them (`CountedSpan`): local roots,
   * and all kinds but internal. Read when a span is left out, so it may change at any time.
   */
  readonly countUnsampled?: boolean
  /** Told of each recorded local root and each span of any kind but internal. */
  opened?(span: RecordingSpan): void
}

/** What a sampler may want to know that the span does not have yet. Made only when `readsFacts`. */
export interface StartFacts {
  readonly attributes?: Attributes | undefined
  readonly links?: Link[] | undefined
  readonly context?: Context | undefined
}

export class SpanStarter {
  readonly #host: StarterHost
  readonly #random: RandomWord
  readonly #sampler: HeadSampler

  constructor(host: StarterHost, random: RandomWord, sampler: HeadSampler) {
    this.#host = host
    this.#random = random
    this.#sampler = sampler
  }

  /** Whether the sampler looks at `facts`: nobody needs to make them otherwise. */
  get readsFacts(): boolean {
    return this.#sampler.readsFacts
  }

  /** @hot */
  start(
    scope: Scope,
    name: string,
    kind: SpanKind,
    parent: SpanIdentity | undefined,
    startMs: number = this.#host.clock.now(),
    facts?: StartFacts
  ): AnySpan {
    const random = this.#random
    const sampler = this.#sampler
    let trace0: number
    let trace1: number
    let trace2: number
    let trace3: number
    let flags: number
    let state: string
    let asks: boolean
    let sampled = true
    if (parent === undefined) {
      trace0 = random()
      trace1 = random()
      trace2 = random()
      // An id of zeros is invalid on the wire.
      trace3 = random() || 1
      flags = RANDOM
      state = ''
      asks = !sampler.keepsRoots
    } else {
      trace0 = parent.trace0
      trace1 = parent.trace1
      trace2 = parent.trace2
      trace3 = parent.trace3
      flags = parent.traceFlags & ~SAMPLED
      state = parent.traceState
      const { children } = sampler
      asks = children === ASK || (children === ASK_BELOW_REMOTE && parent.remote)
      if (!asks) {
        sampled = children === KEEP || (parent.traceFlags & SAMPLED) === SAMPLED
        if (state !== '' && parent.remote) state = sampler.carriedState(parent)
      }
    }
    let result = sampled ? KEPT : DROPPED
    if (asks) {
      const context = facts?.context ?? (sampler.children === ASK ? below(parent) : ROOT_CONTEXT)
      const { attributes = NO_ATTRIBUTES, links = [] } = facts ?? {}
      const ids = { trace0, trace1, trace2, trace3 }
      result = sampler.decide({ ...ids, parent, name, kind, attributes, links, context })
      state = result.traceState ?? state
    }
    const span0 = random()
    const span1 = random() || 1
    if (result.decision === RECORD_AND_SAMPLE) flags |= SAMPLED
    else sampler.droppedOne()
    if (result.decision === DROP) {
      const isCounted = kind !== SpanKind.INTERNAL || parent === undefined || parent.remote
      if (!isCounted || this.#host.countUnsampled !== true) {
        return new InertSpan(trace0, trace1, trace2, trace3, span0, span1, flags, state, false)
      }
      const ids = [trace0, trace1, trace2, trace3, span0, span1, flags] as const
      return new CountedSpan(this.#host, scope, name, kind, parent, ...ids, state, startMs)
    }
    const span = new RecordingSpan(
      this.#host,
      scope,
      name,
      kind,
      parent,
      trace0,
      trace1,
      trace2,
      trace3,
      span0,
      span1,
      flags,
      state,
      startMs
    )
    if (result.attributes !== undefined) span.setAttributes(result.attributes)
    if (kind !== SpanKind.INTERNAL || parent === undefined || parent.remote) {
      this.#host.opened?.(span)
    }
    return span
  }

  startTime(options: SpanOptions): number {
    const clock = this.#host.clock
    const { startTime } = options
    return startTime === undefined || startTime === null ? clock.now() : epochMs(startTime, clock)
  }
}

/** For samplers that look for the parent in the context, as the SDK's do. */
function below(parent: SpanIdentity | undefined): Context {
  if (parent === undefined) return ROOT_CONTEXT
  const isSpan = parent instanceof RecordingSpan || parent instanceof InertSpan
  return ROOT_FRAME.withSpan(isSpan ? parent : inertCopy(parent))
}

/** Sees spans begin; processors that were added to the tracer. */
export type OnStart = (span: RecordingSpan, parentContext: Context) => void

export class ApiTracer implements Tracer {
  readonly #starter: SpanStarter
  readonly #contexts: SpanloomContextManager
  readonly #scope: Scope
  readonly #onStart: OnStart

  constructor(
    starter: SpanStarter,
    contexts: SpanloomContextManager,
    scope: Scope,
    onStart: OnStart
  ) {
    this.#starter = starter
    this.#contexts = contexts
    this.#scope = scope
    this.#onStart = onStart
  }

  startSpan(name: string, options?: SpanOptions, context?: Context): AnySpan {
    try {
      return this.#startSpan(name, options ?? NO_OPTIONS, context ?? this.#contexts.active())
    } catch {
      // Options or a context that throw when they are read: the span is made without them.
      return this.#startSpan(name, NO_OPTIONS, ROOT_CONTEXT)
    }
  }

  #startSpan(name: string, options: SpanOptions, context: Context): AnySpan {
    const isRoot = options.root || context === ROOT_CONTEXT
    const parent = isRoot ? undefined : identityOf(context.getValue(SPAN_KEY))
    if (isSuppressed(context)) return suppressedSpan(parent)
    // Read before the span is there: what throws must not leave an open one behind.
    const { attributes, links } = options
    const kind = knownKind(options.kind)
    const starter = this.#starter
    const startMs = starter.startTime(options)
    const facts = starter.readsFacts ? factsOf(options, context) : undefined
    const span = starter.start(this.#scope, spanName(name), kind, parent, startMs, facts)
    if (span instanceof RecordingSpan) {
      if (attributes) setMissing(span, attributes)
      if (links) span.addLinks(links)
      this.#onStart(span, context)
    }
    return span
  }

  startActiveSpan<F extends (span: Span) => unknown>(name: string, fn: F): ReturnType<F>
  startActiveSpan<F extends (span: Span) => unknown>(
    name: string,
    options: SpanOptions,
    fn: F
  ): ReturnType<F>
  startActiveSpan<F extends (span: Span) => unknown>(
    name: string,
    options: SpanOptions,
    context: Context,
    fn: F
  ): ReturnType<F>
  startActiveSpan(name: string, ...rest: unknown[]): unknown {
    const fn = rest.pop() as (span: Span) => unknown
    // As the SDK has it; nobody could end a span that nobody is given.
    if (typeof fn !== 'function') return undefined
    const options = (rest[0] ?? NO_OPTIONS) as SpanOptions
    const parent = (rest[1] ?? this.#contexts.active()) as Context
    const span = this.startSpan(name, options, parent)
    return this.#contexts.run(contextWithSpan(parent, span), () => fn(span))
  }
}

/**
 * The tracer of an instrumentation that does what ours do. Its spans stand for the span that is active: they
 * record nothing, and what is below them is below that one.
 */
class MutedTracer extends ApiTracer {
  readonly #active: SpanloomContextManager

  constructor(
    starter: SpanStarter,
    contexts: SpanloomContextManager,
    scope: Scope,
    onStart: OnStart
  ) {
    super(starter, contexts, scope, onStart)
    this.#active = contexts
  }

  override startSpan(): AnySpan {
    const active = this.#active.storage.getStore()
    const identity = active === undefined ? undefined : identityOf(active.getValue(SPAN_KEY))
    return identity === undefined ? suppressedSpan(undefined) : inertCopy(identity)
  }
}

export function contextWithSpan(parent: Context, span: AnySpan): Context {
  // The API's root context holds nothing and its copies are dear: our own root takes its place.
  if (parent === ROOT_CONTEXT) return ROOT_FRAME.withSpan(span)
  try {
    return parent instanceof Frame ? parent.withSpan(span) : parent.setValue(SPAN_KEY, span)
  } catch {
    // What was given is no context.
    return ROOT_FRAME.withSpan(span)
  }
}

function knownKind(kind: unknown): SpanKind {
  return kind === 1 || kind === 2 || kind === 3 || kind === 4 ? kind : SpanKind.INTERNAL
}

function factsOf({ attributes, links, root }: SpanOptions, context: Context): StartFacts {
  return { attributes, links, context: root ? context.deleteValue(SPAN_KEY) : context }
}

/** What the sampler has set stays, as in the SDK. */
function setMissing(span: RecordingSpan, attributes: Attributes): void {
  if (span.flatAttributes.length === 0) {
    span.setAttributes(attributes)
    return
  }
  const set = new Set(span.flatAttributes.filter((_, index) => index % 2 === 0))
  eachAttribute(attributes, (key, value) => {
    if (!set.has(key)) span.setAttribute(key, value as AnyValue)
  })
}

function suppressedSpan(parent: SpanIdentity | undefined): InertSpan {
  if (parent === undefined) return new InertSpan(0, 0, 0, 0, 0, 0, 0, '', false)
  const { trace0, trace1, trace2, trace3, span0, span1, traceState } = parent
  return new InertSpan(trace0, trace1, trace2, trace3, span0, span1, 0, traceState, false)
}

/** More scopes than these share one object, which then names none of them. */
const SCOPES_MAX = 1_000

/** Whether spans of the tracer of this name are made by somebody else already. */
export type IsDouble = (tracerName: string) => boolean

export class ApiTracerProvider implements TracerProvider {
  readonly #starter: SpanStarter
  readonly #contexts: SpanloomContextManager
  readonly #onStart: OnStart
  readonly #isDouble: IsDouble
  readonly #tracers = new Map<string, ApiTracer>()

  constructor(
    starter: SpanStarter,
    contexts: SpanloomContextManager,
    onStart: OnStart,
    isDouble: IsDouble = () => false
  ) {
    this.#isDouble = isDouble
    this.#starter = starter
    this.#contexts = contexts
    this.#onStart = onStart
  }

  getTracer(name: string, version?: string, options?: TracerOptions): ApiTracer {
    const schemaUrl = schemaUrlOf(options)
    const key = `${textOf(name)}@${textOf(version ?? '')}:${textOf(schemaUrl ?? '')}`
    const known = this.#tracers.get(key)
    if (known !== undefined) return known
    const full = this.#tracers.size >= SCOPES_MAX
    const scope = full ? createScope('overflow') : createScope(name, version, schemaUrl)
    const Kind = this.#isDouble(scope.readable.name) ? MutedTracer : ApiTracer
    const tracer = new Kind(this.#starter, this.#contexts, scope, this.#onStart)
    if (!full) this.#tracers.set(key, tracer)
    return tracer
  }
}

function schemaUrlOf(options: TracerOptions | undefined): string | undefined {
  try {
    return options?.schemaUrl
  } catch {
    return undefined
  }
}
