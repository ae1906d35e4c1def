/**
 * The recording span. It implements the API's Span and, by shape, the SDK's ReadableSpan, so that SDK
 * processors and exporters take it as one of theirs.
 *
 * What makes it cheap: one shape, ids as numbers, two clock reads in its life, attributes in one flat
 * array (attributed-span.ts), no array for events or links before the first one. Everything a reader may want as an object
 * (HrTime, attributes, events) is made when asked for. At `end()` the span is encoded at once and never
 * changes again.
 *
 * Whatever the app hands in, nothing here throws, and what is kept can be encoded: a value that cannot be
 * read or carried is dropped and counted, a time that is none is now, a name that is no text becomes one.
 */
import type {
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
import { hexOfWord } from '../lib/hex.ts'
import { cutText } from '../lib/text.ts'
import type { Resource } from '../resource/resource.ts'
import { AttributedSpan } from './attributed-span.ts'
import { attributesObject, type FlatAttributes, putAll } from './attributes.ts'
import { SpanCell } from './cell.ts'
import { exceptionAttributes } from './exception.ts'
import type { SpanLimits } from './limits.ts'
import type { Scope } from './scope.ts'
import { identityFromContext, SpanIdentity } from './span-identity.ts'
import {
  countOf,
  type FlatEvent,
  type FlatLink,
  MESSAGE_CHARS_MAX,
  spanName
} from './span-parts.ts'
import { epochMs, hrTime, isTime } from './time.ts'

/** What a span needs of its tracer; one object for all spans of a process. */
export interface SpanHost {
  readonly clock: Clock
  readonly limits: SpanLimits
  readonly resource: Resource
  /** Whether `ending` wants to be called. Read at each end, because it may become so at any time. */
  readonly seesEnding?: boolean
  /** Tells processors while the span can still be changed. Never throws. */
  ending?(span: RecordingSpan): void
  /** Encodes the ended span and tells the processors. Never throws. */
  ended(span: RecordingSpan): void
}

const UNSET = 0
const OK = 1
const ERROR = 2

/** Spans whose end a processor is being told of: it may call `end` once more. */
const endingSpans = new WeakSet<object>()

export class RecordingSpan extends AttributedSpan implements Span {
  readonly #host: SpanHost
  readonly scope: Scope
  readonly startMs: number
  name: string
  statusCode: SpanStatus['code'] = UNSET
  statusMessage: string | undefined = undefined
  readonly parent0: number
  readonly parent1: number
  readonly parentRemote: boolean
  readonly hasParent: boolean
  flatEvents: FlatEvent[] | undefined = undefined
  flatLinks: FlatLink[] | undefined = undefined
  droppedEventsCount = 0
  droppedLinksCount = 0
  /** The one place through which contexts reach this span; emptied when a local root ends. */
  cell: SpanCell | undefined = undefined
  readonly #rootCell: SpanCell | undefined
  /** The parent's, where that is a span of ours; let go of at the end. */
  parentCell: SpanCell | undefined
  /** Its slot among the open spans, or -1. */
  openSlot = -1
  /** A getter, below the class: the SDK has it absent or there, never undefined. */
  declare readonly parentSpanContext?: SpanContext

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
    super(trace0, trace1, trace2, trace3, span0, span1, traceFlags, traceState, kind, host.limits)
    this.#host = host
    this.scope = scope
    this.name = name
    this.startMs = startMs
    this.hasParent = parent !== undefined
    this.parent0 = parent === undefined ? 0 : parent.span0
    this.parent1 = parent === undefined ? 0 : parent.span1
    this.parentRemote = parent?.remote === true
    if (parent instanceof RecordingSpan && !this.parentRemote) {
      this.#rootCell = parent.rootCell
      this.parentCell = parent.cell
      const inherited = this.#rootCell?.inherited
      if (inherited !== undefined) this.setFlat(inherited)
    } else {
      this.#rootCell = undefined
      this.parentCell = undefined
    }
  }

  get isLocalRoot(): boolean {
    return !this.hasParent || this.parentRemote
  }

  /** The cell of the span that entered this service; its own for a local root. */
  get rootCell(): SpanCell | undefined {
    return this.isLocalRoot ? this.cellForContext() : this.#rootCell
  }

  /** Made when first asked for: most spans are in no context. */
  cellForContext(): SpanCell {
    if (this.cell === undefined) {
      this.cell = new SpanCell(this)
      if (this.endMs !== 0 && this.isLocalRoot) this.cell.release()
    }
    return this.cell
  }

  /** Attributes of the whole request: of this span, its local root, and the spans to come below that. */
  setOnRequest(attributes: FlatAttributes): void {
    this.setFlat(attributes)
    const root = this.rootCell
    if (root === undefined) return
    root.inherited = attributes
    if (root.span instanceof RecordingSpan && root.span !== this) root.span.setFlat(attributes)
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    if (this.endMs !== 0) return this
    const { eventsMax, eventAttributesMax, valueCharsMax } = this.#host.limits
    if (this.#eventsFull(eventsMax)) return this
    let at = time
    const flat: FlatAttributes = []
    let dropped = 0
    if (isTime(attributesOrTime)) at ??= attributesOrTime
    else if (attributesOrTime) {
      dropped = putAll(flat, attributesOrTime, eventAttributesMax, valueCharsMax)
    }
    const clock = this.#host.clock
    this.flatEvents ??= []
    this.flatEvents.push({
      name: spanName(name),
      timeMs: at === undefined || at === null ? clock.now() : epochMs(at, clock),
      attributes: flat,
      droppedAttributesCount: dropped
    })
    return this
  }

  /** Counts the event that finds no room. */
  #eventsFull(eventsMax: number): boolean {
    if ((this.flatEvents?.length ?? 0) < eventsMax) return false
    this.droppedEventsCount++
    return true
  }

  addLink(link: Link): this {
    if (this.endMs !== 0) return this
    try {
      this.#addLink(link)
    } catch {
      // No link can be read from it.
      this.droppedLinksCount++
    }
    return this
  }

  #addLink(link: Link): void {
    const { linksMax, linkAttributesMax, valueCharsMax } = this.#host.limits
    const { context } = link
    const target = context ? identityFromContext(context) : undefined
    if (target === undefined) return
    if ((this.flatLinks?.length ?? 0) >= linksMax) {
      this.droppedLinksCount++
      return
    }
    const attributes: FlatAttributes = []
    let dropped = countOf(link.droppedAttributesCount)
    if (link.attributes) {
      dropped += putAll(attributes, link.attributes, linkAttributesMax, valueCharsMax)
    }
    this.flatLinks ??= []
    this.flatLinks.push({ target, attributes, droppedAttributesCount: dropped })
  }

  addLinks(links: Link[]): this {
    try {
      for (const link of links) this.addLink(link)
    } catch {
      if (this.endMs === 0) this.droppedLinksCount++
    }
    return this
  }

  /** OK is final; UNSET is ignored; a message goes with ERROR only: the specification's order. */
  setStatus(status: SpanStatus): this {
    if (this.endMs !== 0 || this.statusCode === OK) return this
    try {
      const { code, message } = status
      if (code !== OK && code !== ERROR) return this
      this.statusCode = code
      this.statusMessage =
        code === ERROR && typeof message === 'string'
          ? cutText(message, MESSAGE_CHARS_MAX)
          : undefined
    } catch {
      // A status that cannot be read is none.
    }
    return this
  }

  updateName(name: string): this {
    if (this.endMs === 0) this.name = spanName(name)
    return this
  }

  recordException(exception: Exception, time?: TimeInput): void {
    if (this.endMs !== 0 || this.#eventsFull(this.#host.limits.eventsMax)) return
    const attributes = exceptionAttributes(exception)
    if (attributes !== undefined) this.addEvent('exception', attributes, time)
  }

  end(endTime?: TimeInput): void {
    if (this.endMs !== 0) return
    const host = this.#host
    const clock = host.clock
    const end = endTime === undefined || endTime === null ? clock.now() : epochMs(endTime, clock)
    if (host.seesEnding === true && this.#endsWhileEnding(host)) return
    // A wall clock set back, or an end before the start: zero long rather than negative.
    this.endMs = Math.max(end, this.startMs)
    this.endAttributes()
    host.ended(this)
    this.parentCell = undefined
    if (this.isLocalRoot) this.cell?.release()
  }

  /** Whether `ending` has ended the span itself, which then is over. */
  #endsWhileEnding(host: SpanHost): boolean {
    if (endingSpans.has(this)) return false
    endingSpans.add(this)
    host.ending?.(this)
    return this.endMs !== 0
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
  get resource(): Resource {
    return this.#host.resource
  }
  get instrumentationScope() {
    return this.scope.readable
  }
  /** What exporters of the SDK's 1.x read in its place. */
  get instrumentationLibrary() {
    return this.scope.readable
  }
  /** The same: they know no `parentSpanContext`. */
  get parentSpanId(): string | undefined {
    return this.hasParent ? hexOfWord(this.parent0) + hexOfWord(this.parent1) : undefined
  }
}

Object.defineProperty(RecordingSpan.prototype, 'parentSpanContext', {
  get(this: RecordingSpan): SpanContext | undefined {
    if (!this.hasParent) return undefined
    const { trace0, trace1, trace2, trace3, parent0, parent1, parentRemote } = this
    const { traceFlags, traceState } = this
    return new SpanIdentity(
      trace0,
      trace1,
      trace2,
      trace3,
      parent0,
      parent1,
      traceFlags,
      traceState,
      parentRemote
    ).spanContext()
  }
})
