/**
 * Span, resource and scope as objects, from the byte ranges that a row names. For kept spans only:
 * it costs what every decoder to objects costs. A payload that `checkTraces` has accepted decodes
 * without an error.
 */
import { FieldReader, type KeyText } from './field-reader.ts'
import { EVENT, LINK, RESOURCE, SCOPE, SPAN, STATUS } from './messages.ts'
import { knownKind, knownStatusCode } from './words.ts'

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
