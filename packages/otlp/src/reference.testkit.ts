/**
 * What scanner and decoder must say, derived from protobufjs' objects. Shares no code with them.
 */
import type protobuf from 'protobufjs'
import type { DecodedSpan } from './decode.ts'
import type { KeyText } from './field-reader.ts'
import { type Plain, requestType } from './traces.testkit.ts'

/** A message as protobufjs decodes it: int64 as Long, bytes as Buffer, absent as undefined. */
// biome-ignore lint/suspicious/noExplicitAny: protobufjs' messages have no static type
export type Message = any

export interface ReferenceSpan {
  readonly span: Message
  readonly resource: Message
  readonly scope: Message
}

export function decodeRequest(bytes: Uint8Array): Message {
  return requestType.decode(Buffer.from(bytes))
}

/** All spans of a request, in its order. */
export function spansOf(request: Message): ReferenceSpan[] {
  const spans: ReferenceSpan[] = []
  for (const { resource, scopeSpans } of request.resourceSpans) {
    for (const { scope, spans: spansOfScope } of scopeSpans) {
      for (const span of spansOfScope) spans.push({ span, resource, scope })
    }
  }
  return spans
}

export function hasValidIds({ span }: ReferenceSpan): boolean {
  const isSet = (id: Uint8Array) => id.some((byte) => byte !== 0)
  if (span.traceId.length !== 16 || !isSet(span.traceId)) return false
  if (span.spanId.length !== 8 || !isSet(span.spanId)) return false
  return span.parentSpanId.length === 0 || span.parentSpanId.length === 8
}

export function nanosOf(long: protobuf.Long): bigint {
  return BigInt(long.toString())
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** The text of the last attribute with this key, or undefined. */
export function lastText(attributes: Message[], key: string): string | undefined {
  const last = attributes.findLast((attribute) => attribute.key === key)
  return last === undefined ? undefined : textOf(last.value)?.text
}

export function textOf(value: Message): { text: string; number?: number } | undefined {
  switch (value?.value) {
    case 'stringValue':
      return { text: value.stringValue }
    case 'boolValue':
      return { text: String(value.boolValue) }
    case 'intValue':
      return { text: value.intValue.toString(), number: value.intValue.toNumber() }
    case 'doubleValue':
      return { text: String(value.doubleValue), number: value.doubleValue }
    case 'bytesValue':
      return { text: Buffer.from(value.bytesValue).toString('base64') }
    case 'arrayValue':
    case 'kvlistValue':
      return { text: jsonText(value) }
    default:
      return undefined
  }
}

function jsonText(value: Message): string {
  const scalar = scalarJson(value)
  if (scalar !== undefined) return scalar
  if (value.value === 'arrayValue') return `[${value.arrayValue.values.map(jsonText).join()}]`
  const entries = value.kvlistValue.values.map(
    (entry: Message) => `${JSON.stringify(entry.key)}:${jsonText(entry.value)}`
  )
  return `{${entries.join()}}`
}

function scalarJson(value: Message): string | undefined {
  switch (value?.value) {
    case undefined:
      return 'null'
    case 'stringValue':
      return JSON.stringify(value.stringValue)
    case 'bytesValue':
      return JSON.stringify(Buffer.from(value.bytesValue).toString('base64'))
    case 'doubleValue':
      return Number.isFinite(value.doubleValue)
        ? String(value.doubleValue)
        : JSON.stringify(String(value.doubleValue))
    case 'boolValue':
    case 'intValue':
      return value[value.value].toString()
    default:
      return undefined
  }
}

function keyTexts(attributes: Message[]): KeyText[] {
  return attributes.map(({ key, value }) => ({ key, text: '', ...textOf(value) }))
}

export function decodedSpanOf(span: Message): DecodedSpan {
  const parent = hexOf(span.parentSpanId)
  return {
    traceId: hexOf(span.traceId),
    spanId: hexOf(span.spanId),
    parentSpanId: /^0*$/.test(parent) ? '' : parent,
    traceState: span.traceState,
    flags: span.flags,
    name: span.name,
    kind: span.kind,
    startTimeUnixNano: nanosOf(span.startTimeUnixNano),
    endTimeUnixNano: nanosOf(span.endTimeUnixNano),
    attributes: keyTexts(span.attributes),
    droppedAttributesCount: span.droppedAttributesCount,
    events: span.events.map((event: Message) => ({
      timeUnixNano: nanosOf(event.timeUnixNano),
      name: event.name,
      attributes: keyTexts(event.attributes),
      droppedAttributesCount: event.droppedAttributesCount
    })),
    droppedEventsCount: span.droppedEventsCount,
    links: span.links.map((link: Message) => ({
      traceId: hexOf(link.traceId),
      spanId: hexOf(link.spanId),
      traceState: link.traceState,
      attributes: keyTexts(link.attributes),
      droppedAttributesCount: link.droppedAttributesCount,
      flags: link.flags
    })),
    droppedLinksCount: span.droppedLinksCount,
    statusCode: span.status?.code ?? 0,
    statusMessage: span.status?.message ?? ''
  }
}

export function resourceTexts(resource: Message): KeyText[] {
  return keyTexts(resource?.attributes ?? [])
}

/** For comparing two requests whole: defaults filled in, int64 and bytes as text. */
export function normalized(request: Message): Plain {
  return requestType.toObject(request, { longs: String, bytes: String, defaults: true })
}
