/**
 * Attribute values as text. The same value has the same text in a scanned column and in a decoded
 * span:
 *
 *   string as it is · bool 'true' 'false' · int64 exact decimal · double as JavaScript writes it
 *   bytes base64 · arrays and key-value lists JSON, with int64 as digits and NaN as "NaN"
 *
 * An AnyValue is a oneof: when a payload sets several members, the last one counts.
 */
import { OtlpError } from './errors.ts'
import { ANY_VALUE, ARRAY_VALUE, KEY_VALUE, KEY_VALUE_LIST, VALUE_DEPTH_MAX } from './messages.ts'
import { base64At, textAt } from './text.ts'
import {
  cursor,
  fixed32At,
  longTag,
  readLength,
  readTag,
  skipField,
  truncated,
  varint
} from './wire-reader.ts'

/** Which member of an AnyValue is set, as its field number. */
export const NOTHING = 0
export const STRING = 1
export const BOOL = 2
export const INT = 3
export const DOUBLE = 4
export const ARRAY = 5
export const KEY_VALUES = 6
export const BYTES = 7

/** Where the last `findMember` found the value; valid until its next call. */
export const member = { at: 0, length: 0, low: 0, high: 0 }

/** @hot Which member is set: NOTHING when none. Its place or its number is in `member`. */
export function findMember(bytes: Uint8Array, from: number, end: number): number {
  let at = from
  let field = NOTHING
  while (at < end) {
    let tag = bytes[at++]!
    if (tag > 0x7f) {
      tag = longTag(bytes, at, end, tag)
      at = cursor.at
    }
    const wireType = tag & 7
    const number = tag >>> 3
    if (wireType === 2 && (number === STRING || (number >= ARRAY && number <= BYTES))) {
      member.length = readLength(bytes, at, end)
      member.at = cursor.at
      at = cursor.at + member.length
      field = number
    } else if (wireType === 0 && (number === BOOL || number === INT)) {
      member.low = varint(bytes, at, end)
      member.high = cursor.high
      at = cursor.at
      field = number
    } else if (wireType === 1 && number === DOUBLE) {
      if (at + 8 > end) throw truncated(end)
      member.low = fixed32At(bytes, at)
      member.high = fixed32At(bytes, at + 4)
      at += 8
      field = number
    } else {
      at = skipField(bytes, at, end, tag, ANY_VALUE.wireTypes)
    }
  }
  return field
}

export interface ValueText {
  readonly text: string
  /** Set for int and double values; an int beyond 2^53 is rounded here, and exact in `text`. */
  readonly number?: number
}

/** The AnyValue between `at` and `end`, or undefined when no member is set. */
export function valueText(bytes: Uint8Array, at: number, end: number): ValueText | undefined {
  switch (findMember(bytes, at, end)) {
    case STRING:
      return { text: textAt(bytes, member.at, member.length) }
    case BOOL:
      return { text: memberIsTrue() ? 'true' : 'false' }
    case INT:
      return { text: int64Text(member.high, member.low), number: int64Number() }
    case DOUBLE: {
      const number = doubleOf(member.high, member.low)
      return { text: String(number), number }
    }
    case BYTES:
      return { text: base64At(bytes, member.at, member.length) }
    case ARRAY:
      return { text: arrayJson(bytes, member.at, member.at + member.length, 1) }
    case KEY_VALUES:
      return { text: keyValuesJson(bytes, member.at, member.at + member.length, 1) }
    default:
      return undefined
  }
}

function valueJson(bytes: Uint8Array, from: number, end: number, depth: number): string {
  if (depth > VALUE_DEPTH_MAX) throw new OtlpError('OTLP_DEPTH', [from, VALUE_DEPTH_MAX])
  switch (findMember(bytes, from, end)) {
    case STRING:
      return JSON.stringify(textAt(bytes, member.at, member.length))
    case BOOL:
      return memberIsTrue() ? 'true' : 'false'
    case INT:
      return int64Text(member.high, member.low)
    case DOUBLE: {
      const number = doubleOf(member.high, member.low)
      return Number.isFinite(number) ? String(number) : `"${number}"`
    }
    case BYTES:
      return JSON.stringify(base64At(bytes, member.at, member.length))
    case ARRAY:
      return arrayJson(bytes, member.at, member.at + member.length, depth)
    case KEY_VALUES:
      return keyValuesJson(bytes, member.at, member.at + member.length, depth)
    default:
      return 'null'
  }
}

function arrayJson(bytes: Uint8Array, from: number, end: number, depth: number): string {
  const values: string[] = []
  let at = from
  while (at < end) {
    const tag = readTag(bytes, at, end)
    at = cursor.at
    if (tag === 0x0a) {
      const length = readLength(bytes, at, end)
      at = cursor.at + length
      values.push(valueJson(bytes, at - length, at, depth + 1))
    } else {
      at = skipField(bytes, at, end, tag, ARRAY_VALUE.wireTypes)
    }
  }
  return `[${values.join(',')}]`
}

function keyValuesJson(bytes: Uint8Array, from: number, end: number, depth: number): string {
  const entries: string[] = []
  let at = from
  while (at < end) {
    const tag = readTag(bytes, at, end)
    at = cursor.at
    if (tag === 0x0a) {
      const length = readLength(bytes, at, end)
      at = cursor.at + length
      const { keyAt, keyLength, valueAt, valueLength } = findKeyValue(bytes, at - length, at)
      const key = JSON.stringify(textAt(bytes, keyAt, keyLength))
      const json = valueJson(bytes, valueAt, valueAt + valueLength, depth + 1)
      entries.push(`${key}:${json}`)
    } else {
      at = skipField(bytes, at, end, tag, KEY_VALUE_LIST.wireTypes)
    }
  }
  return `{${entries.join(',')}}`
}

export interface KeyValuePlace {
  readonly keyAt: number
  readonly keyLength: number
  readonly valueAt: number
  readonly valueLength: number
}

/** Key and value of a KeyValue message; the last of each when there are several. */
export function findKeyValue(bytes: Uint8Array, from: number, end: number): KeyValuePlace {
  let keyAt = from
  let keyLength = 0
  let valueAt = from
  let valueLength = 0
  let at = from
  while (at < end) {
    const tag = readTag(bytes, at, end)
    at = cursor.at
    if (tag === 0x0a) {
      keyLength = readLength(bytes, at, end)
      keyAt = cursor.at
      at = keyAt + keyLength
    } else if (tag === 0x12) {
      valueLength = readLength(bytes, at, end)
      valueAt = cursor.at
      at = valueAt + valueLength
    } else {
      at = skipField(bytes, at, end, tag, KEY_VALUE.wireTypes)
    }
  }
  return { keyAt, keyLength, valueAt, valueLength }
}

/** A bool is any varint; all but zero are true. */
export function memberIsTrue(): boolean {
  return (member.low | member.high) !== 0
}

function int64Number(): number {
  return member.high * 0x1_0000_0000 + (member.low >>> 0)
}

/** A signed 64-bit number, from its halves, in exact decimal. */
export function int64Text(high: number, low: number): string {
  const value = (high | 0) * 0x1_0000_0000 + (low >>> 0)
  if (Number.isSafeInteger(value)) return String(value)
  const negative = high < 0
  // The magnitude in 16-bit limbs, highest first, then divided twice by 10^9: a remainder times
  // 2^16 stays below 2^53.
  const lowPart = negative ? -low >>> 0 : low >>> 0
  const highPart = negative ? (~high + (lowPart === 0 ? 1 : 0)) >>> 0 : high >>> 0
  const limbs = [highPart >>> 16, highPart & 0xffff, lowPart >>> 16, lowPart & 0xffff]
  const units = divideByBillion(limbs)
  const billions = divideByBillion(limbs)
  const rest = limbs[2]! * 0x1_0000 + limbs[3]!
  const digits =
    (rest === 0 ? '' : String(rest)) +
    (rest === 0 ? String(billions) : String(billions).padStart(9, '0')) +
    String(units).padStart(9, '0')
  return negative ? `-${digits}` : digits
}

/** Divides in place; returns the remainder. */
function divideByBillion(limbs: number[]): number {
  let remainder = 0
  for (let index = 0; index < limbs.length; index++) {
    const dividend = remainder * 0x1_0000 + limbs[index]!
    limbs[index] = Math.floor(dividend / 1e9)
    remainder = dividend % 1e9
  }
  return remainder
}

const double = new DataView(new ArrayBuffer(8))

export function doubleOf(high: number, low: number): number {
  double.setUint32(0, high)
  double.setUint32(4, low)
  return double.getFloat64(0)
}
