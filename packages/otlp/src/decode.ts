/**
 * Span, resource and scope as objects, from the byte ranges that a row names. For kept spans only:
 * it costs what every decoder to objects costs. A payload that `checkTraces` has accepted decodes
 * without an error.
 */
import { findKeyValue, valueText } from './any-value.ts'
import { isZero, SPAN_ID_BYTES } from './ids.ts'
import { EVENT, LINK, RESOURCE, SCOPE, SPAN, STATUS } from './messages.ts'
import { bufferOf, hexAt, keyTextAt, textAt } from './text.ts'
import {
  cursor,
  fixed32At,
  I64,
  LEN,
  readLength,
  readTag,
  skipField,
  truncated,
  VARINT,
  varint
} from './wire-reader.ts'
import { knownKind, knownStatusCode } from './words.ts'

export interface KeyText {
  key: string
  /** The value as any-value.ts writes it; empty when the value is not set. */
  text: string
  /** Set for int and double values; an int beyond 2^53 is rounded here, and exact in `text`. */
  number?: number
}

export interface DecodedEvent {
  timeUnixNano: bigint
  name: string
  attributes: KeyText[]
  droppedAttributesCount: number
}

export interface DecodedLink {
  traceId: string
  spanId: string
  traceState: string
  attributes: KeyText[]
  droppedAttributesCount: number
  flags: number
}

export interface DecodedSpan {
  /** Lower-case hex of the bytes that are there. */
  traceId: string
  spanId: string
  /** Empty when there is no parent. */
  parentSpanId: string
  traceState: string
  flags: number
  name: string
  /** OTLP's numbers; one that OTLP does not know is 0. */
  kind: number
  startTimeUnixNano: bigint
  endTimeUnixNano: bigint
  attributes: KeyText[]
  droppedAttributesCount: number
  events: DecodedEvent[]
  droppedEventsCount: number
  links: DecodedLink[]
  droppedLinksCount: number
  statusCode: number
  statusMessage: string
}

export interface DecodedResource {
  attributes: KeyText[]
}

export interface DecodedScope {
  name: string
  version: string
}

/** @throws OtlpError when the bytes are not a Span; never for a checked payload. */
export function decodeSpan(payload: Uint8Array, offset: number, length: number): DecodedSpan {
  const span: DecodedSpan = {
    traceId: '',
    spanId: '',
    parentSpanId: '',
    traceState: '',
    flags: 0,
    name: '',
    kind: 0,
    startTimeUnixNano: 0n,
    endTimeUnixNano: 0n,
    attributes: [],
    droppedAttributesCount: 0,
    events: [],
    droppedEventsCount: 0,
    links: [],
    droppedLinksCount: 0,
    statusCode: 0,
    statusMessage: ''
  }
  const fields = new FieldReader(payload, offset, length, SPAN.wireTypes)
  while (fields.next()) {
    switch (fields.field) {
      case 1:
        span.traceId = fields.hex()
        break
      case 2:
        span.spanId = fields.hex()
        break
      case 3:
        span.traceState = fields.text()
        break
      case 4:
        span.parentSpanId = fields.parentHex()
        break
      case 5:
        span.name = fields.text()
        break
      case 6:
        span.kind = knownKind(fields.low)
        break
      case 7:
        span.startTimeUnixNano = fields.uint64()
        break
      case 8:
        span.endTimeUnixNano = fields.uint64()
        break
      case 9:
        span.attributes.push(fields.keyText())
        break
      case 10:
        span.droppedAttributesCount = fields.low >>> 0
        break
      case 11:
        span.events.push(decodeEvent(payload, fields.at, fields.length))
        break
      case 12:
        span.droppedEventsCount = fields.low >>> 0
        break
      case 13:
        span.links.push(decodeLink(payload, fields.at, fields.length))
        break
      case 14:
        span.droppedLinksCount = fields.low >>> 0
        break
      case 15:
        decodeStatus(payload, fields.at, fields.length, span)
        break
      case 16:
        span.flags = fields.low >>> 0
        break
    }
  }
  return span
}

export function decodeResource(
  payload: Uint8Array,
  offset: number,
  length: number
): DecodedResource {
  const attributes: KeyText[] = []
  const fields = new FieldReader(payload, offset, length, RESOURCE.wireTypes)
  while (fields.next()) {
    if (fields.field === 1) attributes.push(fields.keyText())
  }
  return { attributes }
}

export function decodeScope(payload: Uint8Array, offset: number, length: number): DecodedScope {
  const scope: DecodedScope = { name: '', version: '' }
  const fields = new FieldReader(payload, offset, length, SCOPE.wireTypes)
  while (fields.next()) {
    if (fields.field === 1) scope.name = fields.text()
    else if (fields.field === 2) scope.version = fields.text()
  }
  return scope
}

function decodeEvent(payload: Uint8Array, offset: number, length: number): DecodedEvent {
  const event: DecodedEvent = {
    timeUnixNano: 0n,
    name: '',
    attributes: [],
    droppedAttributesCount: 0
  }
  const fields = new FieldReader(payload, offset, length, EVENT.wireTypes)
  while (fields.next()) {
    if (fields.field === 1) event.timeUnixNano = fields.uint64()
    else if (fields.field === 2) event.name = fields.text()
    else if (fields.field === 3) event.attributes.push(fields.keyText())
    else if (fields.field === 4) event.droppedAttributesCount = fields.low >>> 0
  }
  return event
}

function decodeLink(payload: Uint8Array, offset: number, length: number): DecodedLink {
  const link: DecodedLink = {
    traceId: '',
    spanId: '',
    traceState: '',
    attributes: [],
    droppedAttributesCount: 0,
    flags: 0
  }
  const fields = new FieldReader(payload, offset, length, LINK.wireTypes)
  while (fields.next()) {
    if (fields.field === 1) link.traceId = fields.hex()
    else if (fields.field === 2) link.spanId = fields.hex()
    else if (fields.field === 3) link.traceState = fields.text()
    else if (fields.field === 4) link.attributes.push(fields.keyText())
    else if (fields.field === 5) link.droppedAttributesCount = fields.low >>> 0
    else if (fields.field === 6) link.flags = fields.low >>> 0
  }
  return link
}

function decodeStatus(
  payload: Uint8Array,
  offset: number,
  length: number,
  span: DecodedSpan
): void {
  const fields = new FieldReader(payload, offset, length, STATUS.wireTypes)
  while (fields.next()) {
    if (fields.field === 2) span.statusMessage = fields.text()
    else if (fields.field === 3) span.statusCode = knownStatusCode(fields.low)
  }
}

/** Walks the fields of one message. Fields that OTLP does not know are passed over. */
class FieldReader {
  field = 0
  /** Contents of a length-delimited field. */
  at = 0
  length = 0
  /** Halves of a number, signed. */
  low = 0
  high = 0
  readonly #bytes: Uint8Array
  readonly #end: number
  readonly #wireTypes: Int8Array
  #position: number

  constructor(bytes: Uint8Array, offset: number, length: number, wireTypes: Int8Array) {
    this.#bytes = bufferOf(bytes)
    this.#position = offset
    this.#end = Math.min(offset + length, bytes.length)
    this.#wireTypes = wireTypes
  }

  /** Moves to the next known field; false at the end. */
  next(): boolean {
    const bytes = this.#bytes
    const end = this.#end
    const wireTypes = this.#wireTypes
    while (this.#position < end) {
      const tag = readTag(bytes, this.#position, end)
      const field = tag >>> 3
      if (field < wireTypes.length && wireTypes[field] === (tag & 7)) {
        this.field = field
        this.#readValue(tag & 7, cursor.at)
        return true
      }
      this.#position = skipField(bytes, cursor.at, end, tag, wireTypes)
    }
    return false
  }

  #readValue(wireType: number, from: number): void {
    const bytes = this.#bytes
    if (wireType === LEN) {
      this.length = readLength(bytes, from, this.#end)
      this.at = cursor.at
      this.#position = this.at + this.length
    } else if (wireType === VARINT) {
      this.low = varint(bytes, from, this.#end)
      this.high = cursor.high
      this.#position = cursor.at
    } else {
      const width = wireType === I64 ? 8 : 4
      if (from + width > this.#end) throw truncated(this.#end)
      this.low = fixed32At(bytes, from)
      this.high = wireType === I64 ? fixed32At(bytes, from + 4) : 0
      this.#position = from + width
    }
  }

  text(): string {
    return textAt(this.#bytes, this.at, this.length)
  }

  hex(): string {
    return hexAt(this.#bytes, this.at, this.length)
  }

  /** All zeros are no parent. */
  parentHex(): string {
    const none = this.length === 0 || isZero(this.#bytes, this.at, this.length)
    return none || this.length !== SPAN_ID_BYTES ? '' : this.hex()
  }

  uint64(): bigint {
    return (BigInt(this.high >>> 0) << 32n) | BigInt(this.low >>> 0)
  }

  keyText(): KeyText {
    const bytes = this.#bytes
    const place = findKeyValue(bytes, this.at, this.at + this.length)
    const key = keyTextAt(bytes, place.keyAt, place.keyLength)
    const value = valueText(bytes, place.valueAt, place.valueAt + place.valueLength)
    return value === undefined ? { key, text: '' } : { key, ...value }
  }
}
