/**
 * The recording span. It implements the API's Span and, by shape, the SDK's ReadableSpan, so that SDK
 * processors and exporters take it as one of theirs.
 *
 * What makes it cheap: one shape, ids as numbers, two clock reads in its life, attributes in one flat
 * array, no array for events or links before the first one. Everything a reader may want as an object
 * (HrTime, attributes, events) is made when asked for. At `end()` the span is encoded at once and never
 * changes again.
 */
import type {
  AnyValue,
  Attributes,
  Exception,
  HrTime,
  Link,
  Span,
  SpanContext,
  SpanKind,
  SpanStatus,
  TimeInput
} from '@opentelemetry/api'
import type { Clock } from '../lib/clock.ts'
import type { Resource } from '../resource/resource.ts'
import {
  admittedValue,
  attributesObject,
  type FlatAttributes,
  putAll,
  putAttribute
} from './attributes.ts'
import type { SpanCell } from './cell.ts'
import type { SpanLimits } from './limits.ts'
import type { Scope } from './scope.ts'
import { identityFromContext, SpanIdentity } from './span-identity.ts'

export interface FlatEvent {
  readonly name: string
  readonly timeMs: number
  readonly attributes: FlatAttributes
  readonly droppedAttributesCount: number
}

export interface FlatLink {
  readonly target: SpanIdentity
  readonly attributes: FlatAttributes
  readonly droppedAttributesCount: number
}

/** What a span needs of its tracer; one object for all spans of a process. */
export interface SpanHost {
  readonly clock: Clock
  readonly limits: SpanLimits
  readonly resource: Resource
  /** Encodes the ended span and tells the processors. Never throws. */
  ended(span: RecordingSpan): void
}

const UNSET = 0
const OK = 1
const ERROR = 2

export class RecordingSpan extends SpanIdentity implements Span {
  readonly #host: SpanHost
  readonly scope: Scope
  readonly kind: SpanKind
  readonly startMs: number
  /** 0 until it has ended. */
  endMs = 0
  name: string
  statusCode: SpanStatus['code'] = UNSET
  statusMessage: string | undefined = undefined
  readonly parent0: number
  readonly parent1: number
  readonly parentRemote: boolean
  readonly hasParent: boolean
  readonly flatAttributes: FlatAttributes = []
  flatEvents: FlatEvent[] | undefined = undefined
  flatLinks: FlatLink[] | undefined = undefined
  droppedAttributesCount = 0
  droppedEventsCount = 0
  droppedLinksCount = 0
  /** The one place through which contexts reach this span; emptied when a local root ends. */
  cell: SpanCell | undefined = undefined

  /** `parent` undefined makes a root; then `trace…` are the new trace's id, else the parent's. */
  constructor(
    host: SpanHost,
    scope: Scope,
    name: string,
    kind: SpanKind,
    parent: SpanIdentity | undefined,
    trace0: number,
    trace1: number,
    trace2: number,
    trace3: number,
    span0: number,
    span1: number,
    traceFlags: number,
    traceState: string,
    startMs: number
  ) {
    super(trace0, trace1, trace2, trace3, span0, span1, traceFlags, traceState, false)
    this.#host = host
    this.scope = scope
    this.name = name
    this.kind = kind
    this.startMs = startMs
    this.hasParent = parent !== undefined
    this.parent0 = parent === undefined ? 0 : parent.span0
    this.parent1 = parent === undefined ? 0 : parent.span1
    this.parentRemote = parent?.remote === true
  }

  get isLocalRoot(): boolean {
    return !this.hasParent || this.parentRemote
  }

  /**
   * @hot For instrumentations: a key that is surely new, a value that is surely admitted. Bound by the
   * instrumentation's own list of attributes, which is shorter than any limit.
   */
  put(key: string, value: string | number | boolean): void {
    if (this.endMs === 0) this.flatAttributes.push(key, value)
  }

  setAttribute(key: string, value: AnyValue): this {
    if (this.endMs !== 0 || key === '') return this
    const { attributesMax, valueCharsMax } = this.#host.limits
    const admitted = admittedValue(value, valueCharsMax)
    if (admitted === undefined) return this
    if (!putAttribute(this.flatAttributes, key, admitted, attributesMax)) {
      this.droppedAttributesCount++
    }
    return this
  }

  setAttributes(attributes: Attributes): this {
    for (const key in attributes) this.setAttribute(key, attributes[key])
    return this
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    if (this.endMs !== 0) return this
    const { eventsMax, eventAttributesMax, valueCharsMax } = this.#host.limits
    if ((this.flatEvents?.length ?? 0) >= eventsMax) {
      this.droppedEventsCount++
      return this
    }
    let at = time
    const flat: FlatAttributes = []
    let dropped = 0
    if (isTime(attributesOrTime)) at ??= attributesOrTime
    else if (attributesOrTime) {
      dropped = putAll(flat, attributesOrTime, eventAttributesMax, valueCharsMax)
    }
    this.flatEvents ??= []
    this.flatEvents.push({
      name: `${name}`,
      timeMs: at === undefined ? this.#host.clock.now() : epochMs(at, this.#host.clock),
      attributes: flat,
      droppedAttributesCount: dropped
    })
    return this
  }

  addLink(link: Link): this {
    if (this.endMs !== 0) return this
    const { linksMax, linkAttributesMax, valueCharsMax } = this.#host.limits
    const target = identityFromContext(link.context)
    if (target === undefined) return this
    if ((this.flatLinks?.length ?? 0) >= linksMax) {
      this.droppedLinksCount++
      return this
    }
    const attributes: FlatAttributes = []
    const dropped = link.attributes
      ? putAll(attributes, link.attributes, linkAttributesMax, valueCharsMax)
      : 0
    this.flatLinks ??= []
    this.flatLinks.push({
      target,
      attributes,
      droppedAttributesCount: dropped + (link.droppedAttributesCount ?? 0)
    })
    return this
  }

  addLinks(links: Link[]): this {
    for (const link of links) this.addLink(link)
    return this
  }

  /** OK is final; UNSET is ignored; a message goes with ERROR only: the specification's order. */
  setStatus(status: SpanStatus): this {
    if (this.endMs !== 0 || this.statusCode === OK || status.code === UNSET) return this
    this.statusCode = status.code
    this.statusMessage =
      status.code === ERROR && typeof status.message === 'string' ? status.message : undefined
    return this
  }

  updateName(name: string): this {
    if (this.endMs === 0) this.name = name
    return this
  }

  recordException(exception: Exception, time?: TimeInput): void {
    if (this.endMs !== 0) return
    const attributes = exceptionAttributes(exception)
    if (attributes !== undefined) this.addEvent('exception', attributes, time)
  }

  end(endTime?: TimeInput): void {
    if (this.endMs !== 0) return
    const clock = this.#host.clock
    const end = endTime === undefined ? clock.now() : epochMs(endTime, clock)
    // A wall clock set back, or an end before the start: zero long rather than negative.
    this.endMs = Math.max(end, this.startMs)
    this.#host.ended(this)
    if (this.isLocalRoot) this.cell?.release()
  }

  isRecording(): boolean {
    return this.endMs === 0
  }

  // What follows is ReadableSpan, for SDK processors and exporters.

  get ended(): boolean {
    return this.endMs !== 0
  }
  get startTime(): HrTime {
    return hrTime(this.startMs)
  }
  get endTime(): HrTime {
    return hrTime(this.endMs)
  }
  get duration(): HrTime {
    return hrTime(Math.max(0, this.endMs - this.startMs))
  }
  get status(): SpanStatus {
    return this.statusMessage === undefined
      ? { code: this.statusCode }
      : { code: this.statusCode, message: this.statusMessage }
  }
  get attributes(): Attributes {
    return attributesObject(this.flatAttributes)
  }
  get events() {
    return (this.flatEvents ?? []).map((event) => ({
      name: event.name,
      time: hrTime(event.timeMs),
      attributes: attributesObject(event.attributes),
      droppedAttributesCount: event.droppedAttributesCount
    }))
  }
  get links(): Link[] {
    return (this.flatLinks ?? []).map((link) => ({
      context: link.target.spanContext(),
      attributes: attributesObject(link.attributes),
      droppedAttributesCount: link.droppedAttributesCount
    }))
  }
  get parentSpanContext(): SpanContext | undefined {
    if (!this.hasParent) return undefined
    return new SpanIdentity(
      this.trace0,
      this.trace1,
      this.trace2,
      this.trace3,
      this.parent0,
      this.parent1,
      this.traceFlags,
      this.traceState,
      this.parentRemote
    ).spanContext()
  }
  get resource(): Resource {
    return this.#host.resource
  }
  get instrumentationScope() {
    return this.scope.readable
  }
}

/** Undefined when the exception says nothing at all. */
export function exceptionAttributes(exception: unknown): Attributes | undefined {
  if (typeof exception === 'string') return { 'exception.message': exception }
  if (typeof exception !== 'object' || exception === null) {
    return exception === undefined ? undefined : { 'exception.message': String(exception) }
  }
  const { code, name, message, stack } = exception as Partial<Error> & { code?: unknown }
  const attributes: Attributes = {}
  const type = code ? String(code) : name
  if (type) attributes['exception.type'] = type
  if (typeof message === 'string') attributes['exception.message'] = message
  if (typeof stack === 'string') attributes['exception.stacktrace'] = stack
  return type || message ? attributes : undefined
}

function isTime(value: unknown): value is TimeInput {
  return (
    typeof value === 'number' ||
    value instanceof Date ||
    (Array.isArray(value) && value.length === 2 && typeof value[0] === 'number')
  )
}

/** The API's three ways to give a time. A small number is a reading of `performance.now()`. */
export function epochMs(time: TimeInput, clock: Clock): number {
  if (typeof time === 'number') {
    return time < performance.timeOrigin ? clock.fromMonotonic(time) : time
  }
  if (time instanceof Date) return time.getTime()
  return time[0] * 1_000 + time[1] / 1e6
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000)
  const nanos = Math.round((ms - seconds * 1_000) * 1e6)
  return nanos === 1e9 ? [seconds + 1, 0] : [seconds, nanos]
}
