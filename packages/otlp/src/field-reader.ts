/** Reads the fields of one message, one after the other: what the decoders are made of. */
import { doubleOf, findKeyValue, valueText } from './any-value.ts'
import { isZero, SPAN_ID_BYTES } from './ids.ts'
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

export interface KeyText {
  key: string
  /** The value as any-value.ts writes it; empty when the value is not set. */
  text: string
  /** Set for int and double values; an int beyond 2^53 is rounded here, and exact in `text`. */
  number?: number
}

/** Walks the fields of one message. Fields that OTLP does not know are passed over. */
export class FieldReader {
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

  double(): number {
    return doubleOf(this.high, this.low)
  }

  keyText(): KeyText {
    const bytes = this.#bytes
    const place = findKeyValue(bytes, this.at, this.at + this.length)
    const key = keyTextAt(bytes, place.keyAt, place.keyLength)
    const value = valueText(bytes, place.valueAt, place.valueAt + place.valueLength)
    return value === undefined ? { key, text: '' } : { key, ...value }
  }
}
