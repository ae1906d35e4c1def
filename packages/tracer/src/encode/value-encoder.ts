/**
 * Attributes and their values as OTLP has them: KeyValue { 1 key, 2 AnyValue }. A span's are mostly found in
 * the cache; what does not repeat is written out, in a short form where it has one.
 */
import type { AnyValue } from '@opentelemetry/api'
import { SHORT_STRING_CHARS, type WireWriter } from '@spanloom/otlp'
import { AttributeCache, type KeyEntry, writeScalar } from './attribute-cache.ts'
import { FIELD_ATTRIBUTES } from './fields.ts'

/** Between a key and its text, and its double, in the short form. */
const SHORT_TEXT_BYTES = 4
const SHORT_DOUBLE_BYTES = 3
const ATTRIBUTES_TAG = (FIELD_ATTRIBUTES << 3) | 2

export class ValueEncoder {
  readonly #writer: WireWriter
  readonly #cache = new AttributeCache()
  readonly #bytesMax: number
  /** Where the message begins that may have `bytesMax` bytes. */
  messageStart = 0

  constructor(writer: WireWriter, bytesMax: number) {
    this.#writer = writer
    this.#bytesMax = bytesMax
  }

  /** @throws RangeError when the message has grown too large. */
  attributes(flat: readonly AnyValue[]): void {
    for (let index = 0; index < flat.length; index += 2) {
      this.attribute(flat[index] as string, flat[index + 1])
    }
  }

  attribute(key: string, value: AnyValue): void {
    this.value(this.#cache.entry(key), value)
  }

  key(key: string): KeyEntry {
    return this.#cache.entry(key)
  }

  /** @hot The attribute of a key that is known. */
  value(entry: KeyEntry, value: AnyValue): void {
    const field = isScalar(value) ? entry.field(value) : undefined
    if (field !== undefined) {
      this.#writer.raw(field)
      return
    }
    const start = this.#writer.length
    if (isShort(value)) {
      this.#writer.shortHead(ATTRIBUTES_TAG, entry.bytes)
      if (this.#endShort(entry.bytes.length, value)) return
    }
    this.#writer.length = start
    this.#writeKeyValue(FIELD_ATTRIBUTES, entry.bytes, value)
  }

  /**
   * @hot Puts a value where, from `at` to `end`, the attribute stands with another; false, and nothing done that
   * counts, when it does not take as many bytes.
   */
  replace(entry: KeyEntry, was: AnyValue, value: AnyValue, at: number, end: number): boolean {
    const writer = this.#writer
    // A length of one byte: the short form.
    if (writer.bytes[at + 1]! > 0x7f) return false
    const headEnd = at + 2 + entry.bytes.length
    if (typeof value === 'string') {
      const textAt = headEnd + SHORT_TEXT_BYTES
      return (
        typeof was === 'string' &&
        value.length === end - textAt &&
        value.length <= SHORT_STRING_CHARS &&
        writer.replaceAscii(textAt, value)
      )
    }
    if (!isDouble(value) || !isDouble(was)) return false
    writer.replaceDouble(headEnd + SHORT_DOUBLE_BYTES, value)
    return true
  }

  #endShort(keyBytes: number, value: string | number): boolean {
    return typeof value === 'string'
      ? this.#writer.shortText(keyBytes, value)
      : this.#writer.shortDouble(keyBytes, value)
  }

  #writeKeyValue(field: number, key: Uint8Array, value: AnyValue): void {
    const writer = this.#writer
    writer.tag(field, 2)
    const slot = writer.openSlot()
    writer.raw(key)
    writer.tag(2, 2)
    const valueSlot = writer.openSlot()
    this.#writeAnyValue(value)
    writer.closeSlot(valueSlot)
    writer.closeSlot(slot)
    if (writer.length - this.messageStart > this.#bytesMax) {
      throw new RangeError(`it is larger than ${this.#bytesMax} bytes`)
    }
  }

  /** AnyValue: scalars, 5 array_value { 1 values }, 6 kvlist_value { 1 values }, 7 bytes; null is empty. */
  #writeAnyValue(value: AnyValue): void {
    const writer = this.#writer
    if (value === null || value === undefined) return
    if (isScalar(value)) {
      writeScalar(writer, value)
    } else if (value instanceof Uint8Array) {
      writer.tag(7, 2)
      writer.lengthDelimited(value)
    } else if (Array.isArray(value)) {
      writer.tag(5, 2)
      const slot = writer.openSlot()
      for (const element of value) {
        writer.tag(1, 2)
        const elementSlot = writer.openSlot()
        this.#writeAnyValue(element)
        writer.closeSlot(elementSlot)
      }
      writer.closeSlot(slot)
    } else {
      writer.tag(6, 2)
      const slot = writer.openSlot()
      for (const [key, element] of Object.entries(value)) {
        this.#writeKeyValue(1, this.#cache.entry(key).bytes, element as AnyValue)
      }
      writer.closeSlot(slot)
    }
  }

  /** Attributes of events, links and resources: rare and seldom alike, so written out each time. */
  once(field: number, flat: readonly AnyValue[]): void {
    for (let index = 0; index < flat.length; index += 2) {
      const entry = this.#cache.entry(flat[index] as string)
      this.#writeKeyValue(field, entry.bytes, flat[index + 1])
    }
  }
}

/** @hot What does not repeat is mostly short: paths, ids, measured values. */
function isShort(value: AnyValue): value is string | number {
  if (typeof value === 'string') return value.length <= SHORT_STRING_CHARS
  return isDouble(value)
}

function isDouble(value: AnyValue): value is number {
  return typeof value === 'number' && !Number.isSafeInteger(value)
}

function isScalar(value: AnyValue): value is string | number | boolean {
  const type = typeof value
  return type === 'string' || type === 'number' || type === 'boolean'
}
