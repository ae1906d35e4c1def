/**
 * Reads protobuf's wire format in place, with positions and no objects. The layout is drawn in
 * wire-writer.ts.
 *
 * One-byte numbers are read where they are needed; what is longer comes here, with its first byte
 * already read. A function returns what it read and leaves the position after it in `cursor`: a
 * pair as a result would be an object per number. Every position is checked against the end of the
 * message that it is in, so no reader can leave its message, let alone the payload.
 *
 * Legal and accepted: over-long varints (up to ten bytes), unknown fields of wire types 0, 1, 2, 5.
 * Refused: groups (wire types 3 and 4; OTLP has none), wire types 6 and 7, field number 0, tags
 * beyond 32 bits, and known fields with another wire type than OTLP's.
 */
import { OtlpError } from './errors.ts'

export const VARINT = 0
export const I64 = 1
export const LEN = 2
export const I32 = 5

/** Positions are 32-bit integers. */
export const PAYLOAD_BYTES_MAX = 0x7fff_ffff

/** Valid until the next call of a function of this file. */
export const cursor = {
  /** The position after what was read. */
  at: 0,
  /** The upper 32 bits of the varint that was read, signed. */
  high: 0
}

/** @hot The lower 32 bits, signed, of a varint whose `first` byte, over 0x7f, is before `at`. */
export function longVarint(bytes: Uint8Array, at: number, end: number, first: number): number {
  let low = first & 0x7f
  let high = 0
  let position = at
  for (let shift = 7; shift < 70; shift += 7) {
    if (position >= end) throw truncated(position)
    const byte = bytes[position++]!
    if (shift <= 28) low |= (byte & 0x7f) << shift
    // The fifth byte is shared: its lower four bits end the low half, the others start the high.
    if (shift === 28) high = (byte & 0x7f) >>> 4
    else if (shift > 28) high |= (byte & 0x7f) << (shift - 32)
    if (byte < 0x80) {
      cursor.at = position
      cursor.high = high
      return low
    }
  }
  throw new OtlpError('OTLP_VARINT', [position])
}

/** A varint of any length that starts at `at`: its lower half; the upper is in `cursor.high`. */
export function varint(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) throw truncated(at)
  const first = bytes[at]!
  if (first > 0x7f) return longVarint(bytes, at + 1, end, first)
  cursor.at = at + 1
  cursor.high = 0
  return first
}

/**
 * @hot A length of more than one byte. What it measures is known to lie before `end`. Up to four
 * bytes are read without a loop: that is what slots are filled with (wire-writer.ts).
 */
export function longLength(bytes: Uint8Array, at: number, end: number, first: number): number {
  if (end - at >= 3) {
    let length = (first & 0x7f) | ((bytes[at]! & 0x7f) << 7)
    let next = at + 1
    if (bytes[at]! > 0x7f) {
      length |= (bytes[at + 1]! & 0x7f) << 14
      next = at + 2
      if (bytes[at + 1]! > 0x7f) {
        length |= (bytes[at + 2]! & 0x7f) << 21
        next = bytes[at + 2]! > 0x7f ? 0 : at + 3
      }
    }
    if (next > 0) {
      if (length > end - next) throw truncated(end)
      cursor.at = next
      return length
    }
  }
  const length = longVarint(bytes, at, end, first)
  if (cursor.high !== 0 || length < 0 || length > end - cursor.at) throw truncated(end)
  return length
}

/** A length that starts at `at`. What it measures is known to lie before `end`. */
export function readLength(bytes: Uint8Array, at: number, end: number): number {
  const length = varint(bytes, at, end)
  if (cursor.high !== 0 || length < 0 || length > end - cursor.at) throw truncated(end)
  return length
}

/** @hot A tag of more than one byte. */
export function longTag(bytes: Uint8Array, at: number, end: number, first: number): number {
  const tag = longVarint(bytes, at, end, first)
  if (cursor.high !== 0) throw new OtlpError('OTLP_TAG', [cursor.at])
  return tag
}

/** A tag that starts at `at`. */
export function readTag(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at]!
  if (first > 0x7f) return longTag(bytes, at + 1, end, first)
  cursor.at = at + 1
  return first
}

/**
 * Passes over the field whose tag was just read, and returns the position after it. `wireTypes`
 * are those of the message's known fields: one with another wire type is an error, because
 * whatever wrote it meant another message.
 */
export function skipField(
  bytes: Uint8Array,
  at: number,
  end: number,
  tag: number,
  wireTypes: Int8Array
): number {
  assertWireType(at, tag, wireTypes)
  switch (tag & 7) {
    case VARINT:
      varint(bytes, at, end)
      return cursor.at
    case I64:
      if (at + 8 > end) throw truncated(end)
      return at + 8
    case LEN: {
      const length = readLength(bytes, at, end)
      return cursor.at + length
    }
    case I32:
      if (at + 4 > end) throw truncated(end)
      return at + 4
    default:
      throw new OtlpError('OTLP_WIRE_TYPE', [tag >>> 3, tag & 7, at])
  }
}

/** Field 0, and a known field with another wire type than its own, are errors. */
export function assertWireType(at: number, tag: number, wireTypes: Int8Array): void {
  const field = tag >>> 3
  if (field === 0) throw new OtlpError('OTLP_TAG', [at])
  if (field < wireTypes.length && wireTypes[field]! >= 0 && wireTypes[field] !== (tag & 7)) {
    throw new OtlpError('OTLP_WIRE_TYPE', [field, tag & 7, at])
  }
}

/** Four little-endian bytes, unsigned. The caller has checked that they are there. */
export function fixed32At(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  )
}

export function truncated(atByte: number): OtlpError {
  return new OtlpError('OTLP_TRUNCATED', [atByte])
}

export function assertReadable(payload: Uint8Array): void {
  if (payload.length > PAYLOAD_BYTES_MAX) {
    throw new OtlpError('OTLP_TOO_LARGE', [payload.length, PAYLOAD_BYTES_MAX])
  }
}
