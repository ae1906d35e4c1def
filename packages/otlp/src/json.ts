/**
 * OTLP/JSON → OTLP protobuf, so that everything after the receiver knows one encoding.
 *
 * Protobuf's JSON mapping with OTLP's exceptions: trace and span ids are hex, and field names are
 * lowerCamelCase only. Strict where a sender's mistake would otherwise become a wrong number:
 * every value is checked, and an error names its path. Fields that OTLP does not know are ignored,
 * and null is as good as absent, as the mapping has it.
 *
 * int64 and fixed64 come as strings or numbers. A number beyond 2^53 was already rounded when the
 * text was parsed, and is taken as it is. Enums come as numbers or names.
 */
import { OtlpError } from './errors.ts'
import { wordsOfHex } from './ids.ts'
import { VALUE_DEPTH_MAX } from './messages.ts'
import { WireWriter } from './wire-writer.ts'
import { SPAN_KIND_NAMES, STATUS_CODE_NAMES } from './words.ts'

export type JsonObject = Readonly<Record<string, unknown>>

/** Where a value is: joined only when an error needs it. */
export interface Place {
  readonly parent: Place | undefined
  readonly step: string | number
}

export type WriteField = (writer: WireWriter, field: number, value: unknown, place: Place) => void

/** One row of a message: JSON name, field number, and how the value is written. */
export type Fields = ReadonlyArray<readonly [name: string, field: number, write: WriteField]>

/**
 * The request as protobuf. `json` is what JSON.parse made of the body.
 *
 * @throws OtlpError OTLP_JSON_VALUE, OTLP_JSON_DEPTH, OTLP_TOO_LARGE.
 */
export function tracesJsonToProtobuf(json: unknown): Uint8Array {
  return jsonToProtobuf(json, TRACES)
}

export function jsonToProtobuf(json: unknown, request: Fields): Uint8Array {
  const writer = new WireWriter(16_384)
  if (!isObject(json)) throw new OtlpError('OTLP_JSON_VALUE', ['The body', 'a JSON object'])
  writeFields(writer, json, request, undefined)
  return writer.take(0)
}

function writeFields(
  writer: WireWriter,
  object: JsonObject,
  fields: Fields,
  parent: Place | undefined
): void {
  for (const [name, field, write] of fields) {
    const value = object[name]
    if (value !== undefined && value !== null) write(writer, field, value, { parent, step: name })
  }
}

export function message(fields: Fields): WriteField {
  return (writer, field, value, place) => {
    if (!isObject(value)) throw wrong(place, 'an object')
    writer.tag(field, 2)
    const slot = writer.openSlot()
    writeFields(writer, value, fields, place)
    writer.closeSlot(slot)
  }
}

export function repeated(writeItem: WriteField): WriteField {
  return (writer, field, value, place) => {
    if (!Array.isArray(value)) throw wrong(place, 'an array')
    for (let index = 0; index < value.length; index++) {
      writeItem(writer, field, value[index], { parent: place, step: index })
    }
  }
}

export const string: WriteField = (writer, field, value, place) => {
  if (typeof value !== 'string') throw wrong(place, 'a string')
  writer.tag(field, 2)
  writer.string(value)
}

/** `digits` hex digits, or an empty string for "none". */
function hexId(digits: number): WriteField {
  const words = new Uint32Array(digits / 8)
  return (writer, field, value, place) => {
    if (value === '') return
    if (typeof value !== 'string' || value.length !== digits || !wordsOfHex(value, words, 0)) {
      throw wrong(place, `${digits} hex digits`)
    }
    writer.tag(field, 2)
    writer.varint(digits / 2)
    for (let word = 0; word < words.length; word += 2) writer.id64(words[word]!, words[word + 1]!)
  }
}

const traceId = hexId(32)
const spanId = hexId(16)

const UINT32_MAX = 0xffff_ffffn
const UINT64_MAX = 0xffff_ffff_ffff_ffffn
const INT64_MIN = -0x8000_0000_0000_0000n
const INT64_MAX = 0x7fff_ffff_ffff_ffffn

export const uint32: WriteField = (writer, field, value, place) => {
  writer.tag(field, 0)
  writer.varint(Number(integer(value, 0n, UINT32_MAX, place, 'an integer of 0 to 2^32 - 1')))
}

const fixed32: WriteField = (writer, field, value, place) => {
  writer.tag(field, 5)
  writer.fixed32(Number(integer(value, 0n, UINT32_MAX, place, 'an integer of 0 to 2^32 - 1')))
}

export const fixed64: WriteField = (writer, field, value, place) => {
  const number = integer(value, 0n, UINT64_MAX, place, 'an integer of 0 to 2^64 - 1')
  writer.tag(field, 1)
  writer.fixed64(Number(number >> 32n), Number(number & UINT32_MAX))
}

const int64: WriteField = (writer, field, value, place) => {
  const number = integer(value, INT64_MIN, INT64_MAX, place, 'a 64-bit integer, best as a string')
  writer.tag(field, 0)
  writer.int64(number)
}

export function integer(
  value: unknown,
  min: bigint,
  max: bigint,
  place: Place,
  wanted: string
): bigint {
  const isInteger =
    typeof value === 'number'
      ? Number.isInteger(value)
      : typeof value === 'string' && /^-?[0-9]{1,20}$/.test(value)
  if (!isInteger) throw wrong(place, wanted)
  const number = BigInt(value as number | string)
  if (number < min || number > max) throw wrong(place, wanted)
  return number
}

export const bool: WriteField = (writer, field, value, place) => {
  if (typeof value !== 'boolean') throw wrong(place, 'true or false')
  writer.tag(field, 0)
  writer.varint(value ? 1 : 0)
}

const DECIMAL = /^-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/

export const double: WriteField = (writer, field, value, place) => {
  const isNamed = value === 'NaN' || value === 'Infinity' || value === '-Infinity'
  const isDecimal = typeof value === 'string' && DECIMAL.test(value)
  if (typeof value !== 'number' && !isNamed && !isDecimal) {
    throw wrong(place, 'a number, "NaN", "Infinity" or "-Infinity"')
  }
  writer.tag(field, 1)
  writer.double(Number(value))
}

const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/

/** Standard and URL-safe alphabets, with or without padding. */
const bytes: WriteField = (writer, field, value, place) => {
  if (
    typeof value !== 'string' ||
    !BASE64.test(value) ||
    value.replace(/=+$/, '').length % 4 === 1
  ) {
    throw wrong(place, 'base64')
  }
  writer.tag(field, 2)
  writer.lengthDelimited(Buffer.from(value, 'base64'))
}

/** A number, or a name: `prefix` and one of `names`, which stand at their numbers. */
export function enumOf(prefix: string, names: readonly string[]): WriteField {
  const numbers = new Map(names.map((name, number) => [`${prefix}${name}`, number]))
  const wanted = `an integer, or a name such as "${prefix}${names.at(-1)}"`
  return (writer, field, value, place) => {
    const number = typeof value === 'string' ? numbers.get(value) : value
    if (typeof number !== 'number' || (number | 0) !== number) throw wrong(place, wanted)
    writer.tag(field, 0)
    writer.int64(number)
  }
}

/** The members of AnyValue that hold no other values. */
const SCALARS: Fields = [
  ['stringValue', 1, string],
  ['boolValue', 2, bool],
  ['intValue', 3, int64],
  ['doubleValue', 4, double],
  ['bytesValue', 7, bytes]
]

/** An AnyValue `depth` values deep. Of several members the last in order of numbers counts. */
function anyValue(depth: number): WriteField {
  return (writer, field, value, place) => {
    if (depth > VALUE_DEPTH_MAX) {
      throw new OtlpError('OTLP_JSON_DEPTH', [pathOf(place), VALUE_DEPTH_MAX])
    }
    if (!isObject(value)) throw wrong(place, 'an object such as {"stringValue": "…"}')
    writer.tag(field, 2)
    const slot = writer.openSlot()
    writeFields(writer, value, SCALARS, place)
    const { arrayValue, kvlistValue } = value
    if (arrayValue !== undefined && arrayValue !== null) {
      const values: Fields = [['values', 1, repeated(anyValue(depth + 1))]]
      message(values)(writer, 5, arrayValue, { parent: place, step: 'arrayValue' })
    }
    if (kvlistValue !== undefined && kvlistValue !== null) {
      const values: Fields = [['values', 1, repeated(keyValue(depth + 1))]]
      message(values)(writer, 6, kvlistValue, { parent: place, step: 'kvlistValue' })
    }
    writer.closeSlot(slot)
  }
}

function keyValue(depth: number): WriteField {
  return message([
    ['key', 1, string],
    ['value', 2, anyValue(depth)]
  ])
}

export const attributes = repeated(keyValue(1))

const EVENT: Fields = [
  ['timeUnixNano', 1, fixed64],
  ['name', 2, string],
  ['attributes', 3, attributes],
  ['droppedAttributesCount', 4, uint32]
]

const LINK: Fields = [
  ['traceId', 1, traceId],
  ['spanId', 2, spanId],
  ['traceState', 3, string],
  ['attributes', 4, attributes],
  ['droppedAttributesCount', 5, uint32],
  ['flags', 6, fixed32]
]

const STATUS: Fields = [
  ['message', 2, string],
  ['code', 3, enumOf('STATUS_CODE_', STATUS_CODE_NAMES)]
]

const SPAN: Fields = [
  ['traceId', 1, traceId],
  ['spanId', 2, spanId],
  ['traceState', 3, string],
  ['parentSpanId', 4, spanId],
  ['name', 5, string],
  ['kind', 6, enumOf('SPAN_KIND_', SPAN_KIND_NAMES)],
  ['startTimeUnixNano', 7, fixed64],
  ['endTimeUnixNano', 8, fixed64],
  ['attributes', 9, attributes],
  ['droppedAttributesCount', 10, uint32],
  ['events', 11, repeated(message(EVENT))],
  ['droppedEventsCount', 12, uint32],
  ['links', 13, repeated(message(LINK))],
  ['droppedLinksCount', 14, uint32],
  ['status', 15, message(STATUS)],
  ['flags', 16, fixed32]
]

export const SCOPE: Fields = [
  ['name', 1, string],
  ['version', 2, string],
  ['attributes', 3, attributes],
  ['droppedAttributesCount', 4, uint32]
]

const SCOPE_SPANS: Fields = [
  ['scope', 1, message(SCOPE)],
  ['spans', 2, repeated(message(SPAN))],
  ['schemaUrl', 3, string]
]

export const RESOURCE: Fields = [
  ['attributes', 1, attributes],
  ['droppedAttributesCount', 2, uint32]
]

const RESOURCE_SPANS: Fields = [
  ['resource', 1, message(RESOURCE)],
  ['scopeSpans', 2, repeated(message(SCOPE_SPANS))],
  ['schemaUrl', 3, string]
]

const TRACES: Fields = [['resourceSpans', 1, repeated(message(RESOURCE_SPANS))]]

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function wrong(place: Place, wanted: string): OtlpError {
  return new OtlpError('OTLP_JSON_VALUE', [pathOf(place), wanted])
}

/** `resourceSpans[0].scopeSpans[0].spans[3].traceId` */
function pathOf(place: Place): string {
  const before = place.parent === undefined ? '' : pathOf(place.parent)
  if (typeof place.step === 'number') return `${before}[${place.step}]`
  return before === '' ? place.step : `${before}.${place.step}`
}
