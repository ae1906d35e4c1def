/**
 * Attributes as they stand on the wire, remembered.
 *
 *   KeyValue field   0x4a length { 0x0a length key  0x12 length { AnyValue } }
 *
 * Most attributes repeat (methods, routes, ports, statement texts): for those one Map lookup by key and
 * one by value gives all the bytes, and writing is one copy. Keys whose values seldom repeat (paths,
 * ids) are found out by a score and are no longer remembered. Everything has a bound.
 */
import { WireWriter } from '@spanloom/otlp'
import { FIELD_ATTRIBUTES } from './fields.ts'

/** Beyond this many keys, or this length of one, an attribute is written out each time. */
const KEYS_MAX = 1_024
const KEY_CHARS_MAX = 256
const VALUES_PER_KEY_MAX = 128
const VALUE_CHARS_MAX = 512
/** Hits minus misses; at the floor the key's values are given up. */
const SCORE_FLOOR = -64
const SCORE_CEILING = 256

export class KeyEntry {
  /** `0x0a length key`. */
  readonly bytes: Uint8Array
  values: Map<string | number | boolean, Uint8Array> | undefined = new Map()
  #score = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /** @hot The whole KeyValue field of this key with this value, or undefined when it is to be written out. */
  field(value: string | number | boolean): Uint8Array | undefined {
    const values = this.values
    if (values === undefined) return undefined
    const known = values.get(value)
    if (known !== undefined) {
      if (this.#score < SCORE_CEILING) this.#score++
      return known
    }
    if (--this.#score <= SCORE_FLOOR) {
      this.values = undefined
      return undefined
    }
    if (typeof value === 'string' && value.length > VALUE_CHARS_MAX) return undefined
    if (values.size >= VALUES_PER_KEY_MAX) values.clear()
    const field = encodeField(this.bytes, value)
    values.set(value, field)
    return field
  }
}

export class AttributeCache {
  readonly #keys = new Map<string, KeyEntry>()

  /** @hot */
  entry(key: string): KeyEntry {
    const known = this.#keys.get(key)
    if (known !== undefined) return known
    const entry = new KeyEntry(encodeKey(key))
    if (this.#keys.size < KEYS_MAX && key.length <= KEY_CHARS_MAX) this.#keys.set(key, entry)
    // Not remembered itself, so its values would be encoded in vain.
    else entry.values = undefined
    return entry
  }
}

const scratch = new WireWriter(4_096)

function encodeKey(key: string): Uint8Array {
  scratch.length = 0
  scratch.tag(1, 2)
  scratch.string(key)
  return copied(scratch, 0)
}

function encodeField(key: Uint8Array, value: string | number | boolean): Uint8Array {
  scratch.length = 0
  scratch.tag(FIELD_ATTRIBUTES, 2)
  const slot = scratch.openSlot()
  scratch.raw(key)
  writeScalarValue(scratch, value)
  scratch.closeSlot(slot)
  return copied(scratch, 0)
}

/** Field 2 of a KeyValue: the AnyValue of a string, a number or a boolean. */
export function writeScalarValue(writer: WireWriter, value: string | number | boolean): void {
  writer.tag(2, 2)
  const slot = writer.openSlot()
  writeScalar(writer, value)
  writer.closeSlot(slot)
}

/** The inside of an AnyValue. A whole number in the safe range is an int64, any other a double. */
export function writeScalar(writer: WireWriter, value: string | number | boolean): void {
  if (typeof value === 'string') {
    writer.tag(1, 2)
    writer.string(value)
  } else if (typeof value === 'boolean') {
    writer.tag(2, 0)
    writer.varint(value ? 1 : 0)
  } else if (Number.isSafeInteger(value)) {
    writer.tag(3, 0)
    writer.int64(value)
  } else {
    writer.tag(4, 1)
    writer.double(value)
  }
}

/** What was written from `start` on. A Buffer's own `slice` would be a view of memory that is written again. */
export function copied(writer: WireWriter, start: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(writer.bytes.subarray(start, writer.length))
}
