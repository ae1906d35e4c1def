/** Finds which of a few wanted keys an attribute has: by length first, then byte by byte. */
import { KEY_VALUE } from './messages.ts'
import { cursor, longLength, longTag, skipField, truncated } from './wire-reader.ts'

export interface KeyMatcher {
  /** The index of the key, or -1. */
  match(bytes: Uint8Array, offset: number, length: number): number
}

const NONE = -1

export function createKeyMatcher(keys: readonly string[]): KeyMatcher {
  const encoded = keys.map((key) => new Uint8Array(Buffer.from(key)))
  if (new Set(keys).size !== keys.length) throw new RangeError('A key is wanted twice.')
  const lengthMax = encoded.reduce((longest, key) => Math.max(longest, key.length), 0)
  // Chains of keys of the same length: the first by length, the next by key.
  const first = new Int32Array(lengthMax + 1).fill(NONE)
  const next = new Int32Array(keys.length).fill(NONE)
  for (let key = keys.length - 1; key >= 0; key--) {
    const { length } = encoded[key]!
    next[key] = first[length]!
    first[length] = key
  }
  return { match }

  /** @hot Compares from the end: keys of one namespace differ there. */
  function match(bytes: Uint8Array, offset: number, length: number): number {
    if (length > lengthMax) return NONE
    candidates: for (let key = first[length]!; key !== NONE; key = next[key]!) {
      const wanted = encoded[key]!
      for (let index = length - 1; index >= 0; index--) {
        if (wanted[index] !== bytes[offset + index]) continue candidates
      }
      return key
    }
    return NONE
  }
}

/** Where the value of the last matched KeyValue is; valid until the next match. */
export const matchedValue = { at: 0, length: 0 }

/** @hot Once per attribute: which wanted key it has, or -1. The value's place is in `matchedValue`. */
export function matchKeyValue(
  bytes: Uint8Array,
  from: number,
  end: number,
  keys: KeyMatcher
): number {
  // Nearly all: a key shorter than 128 bytes, then the value, and nothing else.
  if (end - from >= 4 && bytes[from] === 0x0a) {
    const keyLength = bytes[from + 1]!
    const at = from + 2 + keyLength
    if (keyLength < 0x80 && at + 2 <= end && bytes[at] === 0x12) {
      let valueLength = bytes[at + 1]!
      let valueAt = at + 2
      if (valueLength > 0x7f) {
        valueLength = longLength(bytes, valueAt, end, valueLength)
        valueAt = cursor.at
      }
      if (valueAt + valueLength === end) {
        matchedValue.at = valueAt
        matchedValue.length = valueLength
        return keys.match(bytes, from + 2, keyLength)
      }
    }
  }
  return matchAnyKeyValue(bytes, from, end, keys)
}

/** Any KeyValue: fields in any order, twice, or not at all. */
function matchAnyKeyValue(bytes: Uint8Array, from: number, end: number, keys: KeyMatcher): number {
  let keyAt = from
  let keyLength = 0
  matchedValue.at = from
  matchedValue.length = 0
  let at = from
  while (at < end) {
    let tag = bytes[at++]!
    if (tag > 0x7f) {
      tag = longTag(bytes, at, end, tag)
      at = cursor.at
    }
    if ((tag !== 0x0a && tag !== 0x12) || at >= end) {
      at = skipField(bytes, at, end, tag, KEY_VALUE.wireTypes)
      continue
    }
    let length = bytes[at++]!
    if (length > 0x7f) {
      length = longLength(bytes, at, end, length)
      at = cursor.at
    } else if (length > end - at) {
      throw truncated(end)
    }
    if (tag === 0x0a) {
      keyAt = at
      keyLength = length
    } else {
      matchedValue.at = at
      matchedValue.length = length
    }
    at += length
  }
  return keys.match(bytes, keyAt, keyLength)
}
