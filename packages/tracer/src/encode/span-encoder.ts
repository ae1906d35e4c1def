/**
 * Writes ended spans as OTLP, once, in one pass, into one buffer:
 *
 *   ExportTraceServiceRequest
 *     1 resource_spans   ResourceSpans
 *         1 resource
 *         2 scope_spans  ScopeSpans          one group after the other: a new one when the scope changes
 *             1 scope
 *             2 spans    Span …              see `writeSpan`
 *             3 schema_url
 *
 * Lengths stand in slots that are filled in when their message is complete; those of resource_spans and
 * of the open scope_spans stay open until `take`. A span that cannot be encoded is rolled back, so that
 * it takes no other with it. A small buffer is copied out; a full one is handed over, and
 * its memory comes back when it has been sent.
 *
 * A span is mostly the same as the last one of its name, so it is copied from the first of that name in the
 * buffer, and what differs is written over:
 *
 *   first    | ids, times | name kind | method scheme | path | host port |        `Model`: where each ends
 *   another  | written    | ←──────── copied ───────→ |      | ←─ here, or again behind a path of other length
 */
import type { AnyValue } from '@opentelemetry/api'
import { SPANS_COUNTED, WireWriter } from '@spanloom/otlp'
import { nanosOf } from '../lib/clock.ts'
import type { Resource } from '../resource/resource.ts'
import type { FlatAttributes } from '../trace/attributes.ts'
import type { Scope } from '../trace/scope.ts'
import type { RecordingSpan } from '../trace/span.ts'
import type { FlatEvent, FlatLink } from '../trace/span-parts.ts'
import { copied, type KeyEntry } from './attribute-cache.ts'
import { FLAG_HAS_IS_REMOTE, FLAG_IS_REMOTE } from './fields.ts'
import { ValueEncoder } from './value-encoder.ts'

const INITIAL_BYTES = 64 * 1024
/**
 * From here on the memory itself is handed over and comes back from the sending thread: fresh memory for each
 * batch was 0.8 µs a request, most of it the kernel's, page by page.
 */
const SWAPPED_BYTES_MIN = 64 * 1024
const SPARE_BUFFERS_MAX = 2
const RECYCLED_BYTES_MAX = 4 * 1024 * 1024
/** A span of more bytes is dropped: a request of that size is refused by many a receiver. */
const SPAN_BYTES_MAX = 8 * 1024 * 1024
const NO_ATTRIBUTES: FlatAttributes = []
const TRACE_ID_TAG = (1 << 3) | 2
const SPAN_ID_TAG = (2 << 3) | 2
const PARENT_SPAN_ID_TAG = (4 << 3) | 2
/** Names in a buffer with a model; spans of further ones are written out. */
const MODELS_MAX = 256
/** A larger one is no model: of a text that differs each time, all would be copied in vain. */
const MODEL_BYTES_MAX = 64 * 1024

/** The first span of its name in the buffer, and where in it each attribute ends. */
interface Model {
  readonly kind: number
  readonly flat: FlatAttributes
  /** Of the name and the kind, then of each attribute. */
  readonly ends: readonly number[]
  readonly keys: readonly KeyEntry[]
  readonly start: number
}

export class SpanEncoder {
  readonly #writer = new WireWriter(INITIAL_BYTES)
  readonly #values = new ValueEncoder(this.#writer, SPAN_BYTES_MAX)
  readonly #models = new Map<string, Model>()
  readonly #pair = new Uint32Array(2)
  readonly #plainResource: Uint8Array
  readonly #countedResource: Uint8Array
  #resource: Uint8Array
  #scope: Scope | undefined = undefined
  #resourceSlot = 0
  #scopeSlot = 0
  readonly #spare: ArrayBuffer[] = []
  /** Spans in the buffer. */
  spanCount = 0

  constructor(resource: Resource) {
    this.#plainResource = this.#encodeResource(resource.attributes)
    const counted = { ...resource.attributes, [SPANS_COUNTED]: true }
    this.#countedResource = this.#encodeResource(counted)
    this.#resource = this.#plainResource
  }

  get byteCount(): number {
    return this.#writer.length
  }

  /** Whether the next spans say that they were counted in this process. Only while there are none. */
  set counted(counted: boolean) {
    this.#resource = counted ? this.#countedResource : this.#plainResource
  }

  /** @hot Once per ended span. Throws only when the span is beyond what OTLP can carry. */
  add(span: RecordingSpan): void {
    this.#add(span, span.startMs, span.endMs, NO_ATTRIBUTES)
  }

  /** A span with other times and with attributes that are not its own. */
  addGroup(span: RecordingSpan, startMs: number, endMs: number, extra: FlatAttributes): void {
    this.#add(span, startMs, endMs, extra)
  }

  #add(span: RecordingSpan, startMs: number, endMs: number, extra: FlatAttributes): void {
    const writer = this.#writer
    if (writer.length === 0) this.#open()
    if (span.scope !== this.#scope) this.#openScope(span.scope)
    const mark = writer.length
    this.#values.messageStart = mark
    try {
      this.#writeSpan(span, startMs, endMs, extra)
      this.spanCount++
    } catch (fault) {
      writer.length = mark
      // One of them may be this span.
      this.#models.clear()
      throw fault
    }
  }

  /** The request as bytes of their own, or undefined when there is no span. */
  take(): Uint8Array<ArrayBuffer> | undefined {
    if (this.spanCount === 0) return undefined
    const writer = this.#writer
    writer.closeSlot(this.#scopeSlot)
    writer.closeSlot(this.#resourceSlot)
    const bytes =
      writer.length >= SWAPPED_BYTES_MIN ? writer.swap(this.#nextMemory()) : copied(writer, 0)
    // One enormous span must not hold its memory for ever.
    if (writer.bytes.length > RECYCLED_BYTES_MAX) writer.take(INITIAL_BYTES)
    this.#reset()
    return bytes
  }

  /** Takes back memory that `take` has handed out, once nobody reads it any more. */
  recycle(memory: ArrayBuffer): void {
    if (this.#spare.length < SPARE_BUFFERS_MAX && memory.byteLength <= RECYCLED_BYTES_MAX) {
      this.#spare.push(memory)
    }
  }

  #nextMemory(): ArrayBuffer {
    return this.#spare.pop() ?? new ArrayBuffer(this.#writer.bytes.length)
  }

  #reset(): void {
    this.#writer.length = 0
    this.#scope = undefined
    this.spanCount = 0
    this.#models.clear()
  }

  #open(): void {
    const writer = this.#writer
    writer.tag(1, 2)
    this.#resourceSlot = writer.openSlot()
    writer.raw(this.#resource)
  }

  #openScope(scope: Scope): void {
    const writer = this.#writer
    if (this.#scope !== undefined) writer.closeSlot(this.#scopeSlot)
    writer.tag(2, 2)
    this.#scopeSlot = writer.openSlot()
    const { name, version, schemaUrl } = scope.readable
    writer.tag(1, 2)
    const slot = writer.openSlot()
    writer.tag(1, 2)
    writer.string(name)
    if (version !== undefined) {
      writer.tag(2, 2)
      writer.string(version)
    }
    writer.closeSlot(slot)
    if (schemaUrl !== undefined) {
      writer.tag(3, 2)
      writer.string(schemaUrl)
    }
    this.#scope = scope
  }

  /**
   * Span: 1 trace_id, 2 span_id, 3 trace_state, 4 parent_span_id, 5 name, 6 kind, 7 start and 8 end
   * (fixed64), 9 attributes, 10 dropped, 11 events, 12 dropped, 13 links, 14 dropped, 15 status,
   * 16 flags (fixed32).
   */
  #writeSpan(span: RecordingSpan, startMs: number, endMs: number, extra: FlatAttributes): void {
    const writer = this.#writer
    writer.tag(2, 2)
    const slot = writer.openSlot()
    writer.taggedId128(TRACE_ID_TAG, span.trace0, span.trace1, span.trace2, span.trace3)
    writer.taggedId64(SPAN_ID_TAG, span.span0, span.span1)
    if (span.traceState !== '') {
      writer.tag(3, 2)
      writer.string(span.traceState)
    }
    if (span.hasParent) {
      writer.taggedId64(PARENT_SPAN_ID_TAG, span.parent0, span.parent1)
    }
    this.#writeTime(7, startMs)
    this.#writeTime(8, endMs)
    this.#writeLikeModel(span)
    if (extra.length > 0) this.#values.attributes(extra)
    this.#writeCount(10, span.droppedAttributesCount)
    if (span.flatEvents !== undefined) for (const event of span.flatEvents) this.#writeEvent(event)
    this.#writeCount(12, span.droppedEventsCount)
    if (span.flatLinks !== undefined) for (const link of span.flatLinks) this.#writeLink(link)
    this.#writeCount(14, span.droppedLinksCount)
    if (span.statusCode !== 0) this.#writeStatus(span.statusCode, span.statusMessage)
    writer.tag(16, 5)
    writer.fixed32(span.traceFlags | FLAG_HAS_IS_REMOTE | (span.parentRemote ? FLAG_IS_REMOTE : 0))
    writer.closeSlot(slot)
  }

  /** @hot Name, kind and attributes. */
  #writeLikeModel(span: RecordingSpan): void {
    const model = this.#models.get(span.name)
    if (model === undefined) {
      this.#writeModel(span)
      return
    }
    if (model.kind !== span.kind) {
      this.#writeNameAndKind(span)
      this.#values.attributes(span.flatAttributes)
      return
    }
    const writer = this.#writer
    const values = this.#values
    const { flat, ends, keys, start } = model
    const own = span.flatAttributes
    const common = Math.min(own.length, flat.length)
    const last = ends[common >> 1]!
    writer.repeat(start, last)
    /** From a place in the model to that in its copy. */
    let shift = writer.length - last
    for (let index = 0; index < common; index += 2) {
      const isOfKey = own[index] === flat[index]
      const value = own[index + 1]
      if (isOfKey && isSame(value, flat[index + 1])) continue
      const at = ends[index >> 1]! + shift
      const end = ends[(index >> 1) + 1]!
      const key = keys[index >> 1]!
      if (isOfKey && values.replace(key, flat[index + 1], value, at, end + shift)) continue
      writer.length = at
      if (isOfKey) values.value(key, value)
      else values.attribute(own[index] as string, value)
      // Of another length: what follows is copied once more, behind it.
      shift = writer.length - end
      writer.repeat(end, last)
    }
    for (let index = common; index < own.length; index += 2) {
      values.attribute(own[index] as string, own[index + 1])
    }
  }

  #writeModel(span: RecordingSpan): void {
    const writer = this.#writer
    const flat = span.flatAttributes
    const start = writer.length
    this.#writeNameAndKind(span)
    const ends = [writer.length]
    const keys: KeyEntry[] = []
    for (let index = 0; index < flat.length; index += 2) {
      const key = this.#values.key(flat[index] as string)
      this.#values.value(key, flat[index + 1])
      keys.push(key)
      ends.push(writer.length)
    }
    const isSmall = writer.length - start <= MODEL_BYTES_MAX
    if (isSmall && this.#models.size < MODELS_MAX) {
      this.#models.set(span.name, { kind: span.kind, flat, ends, keys, start })
    }
  }

  #writeNameAndKind({ name, kind }: RecordingSpan): void {
    const writer = this.#writer
    writer.tag(5, 2)
    writer.string(name)
    writer.tag(6, 0)
    // The API counts kinds from 0, OTLP keeps 0 for "unspecified".
    writer.varint(kind + 1)
  }

  #writeTime(field: number, epochMs: number): void {
    nanosOf(epochMs, this.#pair)
    this.#writer.taggedFixed64((field << 3) | 1, this.#pair[0]!, this.#pair[1]!)
  }

  #writeCount(field: number, count: number): void {
    if (count === 0) return
    this.#writer.tag(field, 0)
    this.#writer.varint(count)
  }

  /** Event: 1 time (fixed64), 2 name, 3 attributes, 4 dropped. */
  #writeEvent(event: FlatEvent): void {
    const writer = this.#writer
    writer.tag(11, 2)
    const slot = writer.openSlot()
    this.#writeTime(1, event.timeMs)
    writer.tag(2, 2)
    writer.string(event.name)
    this.#values.once(3, event.attributes)
    this.#writeCount(4, event.droppedAttributesCount)
    writer.closeSlot(slot)
  }

  /** Link: 1 trace_id, 2 span_id, 3 trace_state, 4 attributes, 5 dropped, 6 flags (fixed32). */
  #writeLink(link: FlatLink): void {
    const writer = this.#writer
    const { target } = link
    writer.tag(13, 2)
    const slot = writer.openSlot()
    writer.taggedId128(TRACE_ID_TAG, target.trace0, target.trace1, target.trace2, target.trace3)
    writer.taggedId64(SPAN_ID_TAG, target.span0, target.span1)
    if (target.traceState !== '') {
      writer.tag(3, 2)
      writer.string(target.traceState)
    }
    this.#values.once(4, link.attributes)
    this.#writeCount(5, link.droppedAttributesCount)
    writer.tag(6, 5)
    writer.fixed32(target.traceFlags | FLAG_HAS_IS_REMOTE | (target.remote ? FLAG_IS_REMOTE : 0))
    writer.closeSlot(slot)
  }

  /** Status: 2 message, 3 code. */
  #writeStatus(code: number, message: string | undefined): void {
    const writer = this.#writer
    writer.tag(15, 2)
    const slot = writer.openSlot()
    if (message !== undefined && message !== '') {
      writer.tag(2, 2)
      writer.string(message)
    }
    writer.tag(3, 0)
    writer.varint(code)
    writer.closeSlot(slot)
  }

  /** Resource (field 1 of ResourceSpans): 1 attributes. */
  #encodeResource(attributes: Resource['attributes']): Uint8Array {
    const writer = this.#writer
    writer.tag(1, 2)
    const slot = writer.openSlot()
    for (const [key, value] of Object.entries(attributes)) {
      this.#values.once(1, [key, value])
    }
    writer.closeSlot(slot)
    const bytes = copied(writer, 0)
    writer.length = 0
    return bytes
  }
}

/** @hot Two comparisons that V8 learns to make each in its own way. */
function isSame(one: AnyValue, other: AnyValue): boolean {
  return typeof one === 'string' ? one === other : one === other
}
