/**
 * Writes protobuf's wire format into one growing buffer, in one pass.
 *
 *   tag     varint: field number << 3 | wire type
 *   0 VARINT   7 bits a byte, lowest first, high bit = more follows
 *   1 I64      8 bytes, little-endian
 *   2 LEN      varint length, then that many bytes
 *
 * A message's length is known only when it has been written. Its place is held by a slot of four
 * bytes and filled in afterwards as a varint of four bytes, over-long when the number is small,
 * which every protobuf decoder accepts. So nothing is measured twice and nothing is moved.
 * https://protobuf.dev/programming-guides/encoding/
 */
import { OtlpError } from './errors.ts'

/** The largest length that a four-byte slot holds: 2^28 - 1. */
export const SLOT_LENGTH_MAX = 0x0fff_ffff

/** Beyond this many characters Node's own UTF-8 writer beats a loop over them. */
export const SHORT_STRING_CHARS = 24

export class WireWriter {
  /** Valid up to `length`; replaced when it grows, so read it anew after each write. */
  bytes: Uint8Array
  length = 0
  #buffer: Buffer
  /** Of the same memory: one store for four bytes, whatever their alignment. */
  #view: DataView

  constructor(initialBytes = 65_536) {
    this.#buffer = Buffer.allocUnsafeSlow(initialBytes)
    this.bytes = this.#buffer
    this.#view = viewOf(this.#buffer)
  }

  #use(buffer: Buffer): void {
    this.#buffer = buffer
    this.bytes = buffer
    this.#view = viewOf(buffer)
  }

  /** Hands over what was written and starts on a buffer of the same size. The caller owns it. */
  take(nextBytes = this.bytes.length): Uint8Array {
    const taken = this.bytes.subarray(0, this.length)
    this.#use(Buffer.allocUnsafeSlow(nextBytes))
    this.length = 0
    return taken
  }

  /** Hands over what was written, with the memory below it, and goes on in `next`, which is nobody else's. */
  swap(next: ArrayBuffer): Uint8Array<ArrayBuffer> {
    const taken = this.bytes.subarray(0, this.length) as Uint8Array<ArrayBuffer>
    this.#use(Buffer.from(next))
    this.length = 0
    return taken
  }

  /** Makes room for `count` more bytes. Each write below does so itself, except `raw…`. */
  reserve(count: number): void {
    if (this.length + count > this.bytes.length) this.#grow(count)
  }

  #grow(count: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.length + count))
    grown.set(this.bytes.subarray(0, this.length))
    this.#use(grown)
  }

  /** @hot A non-negative integer up to 2^53. */
  varint(value: number): void {
    this.reserve(8)
    const bytes = this.bytes
    let at = this.length
    let rest = value
    while (rest > 0x7fff_ffff) {
      bytes[at++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    while (rest > 0x7f) {
      bytes[at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    bytes[at++] = rest
    this.length = at
  }

  /** An int64 as a safe integer or a bigint; a negative one takes ten bytes, as protobuf has it. */
  int64(value: number | bigint): void {
    if (value >= 0 && value <= Number.MAX_SAFE_INTEGER) {
      this.varint(Number(value))
      return
    }
    this.reserve(10)
    let rest = BigInt.asUintN(64, BigInt(value))
    for (let byte = 0; byte < 9; byte++) {
      this.bytes[this.length++] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    this.bytes[this.length++] = Number(rest)
  }

  tag(field: number, wireType: 0 | 1 | 2 | 5): void {
    this.varint((field << 3) | wireType)
  }

  /** @hot An id of eight bytes with its tag, of one byte, and its length. */
  taggedId64(tag: number, high: number, low: number): void {
    this.reserve(10)
    const at = this.length
    this.bytes[at] = tag
    this.bytes[at + 1] = 8
    this.#view.setUint32(at + 2, high)
    this.#view.setUint32(at + 6, low)
    this.length = at + 10
  }

  /** @hot One of sixteen. */
  taggedId128(tag: number, word0: number, word1: number, word2: number, word3: number): void {
    this.reserve(18)
    const at = this.length
    const view = this.#view
    this.bytes[at] = tag
    this.bytes[at + 1] = 16
    view.setUint32(at + 2, word0)
    view.setUint32(at + 6, word1)
    view.setUint32(at + 10, word2)
    view.setUint32(at + 14, word3)
    this.length = at + 18
  }

  /** @hot Eight bytes, little-endian, with their tag, of one byte. */
  taggedFixed64(tag: number, high: number, low: number): void {
    this.reserve(9)
    const at = this.length
    this.bytes[at] = tag
    this.#view.setUint32(at + 1, low, true)
    this.#view.setUint32(at + 5, high, true)
    this.length = at + 9
  }

  /** @hot Eight bytes, little-endian, from two unsigned halves. */
  fixed64(high: number, low: number): void {
    this.reserve(8)
    const at = this.length
    this.#view.setUint32(at, low, true)
    this.#view.setUint32(at + 4, high, true)
    this.length = at + 8
  }

  fixed32(value: number): void {
    this.reserve(4)
    this.#view.setUint32(this.length, value, true)
    this.length += 4
  }

  double(value: number): void {
    this.reserve(8)
    this.#view.setFloat64(this.length, value, true)
    this.length += 8
  }

  /** @hot Eight big-endian bytes, as OTLP writes ids: the first byte is the highest. */
  id64(high: number, low: number): void {
    this.reserve(8)
    const at = this.length
    this.#view.setUint32(at, high)
    this.#view.setUint32(at + 4, low)
    this.length = at + 8
  }

  /** @hot Bytes that were encoded before: tags, keys, cached strings. */
  raw(chunk: Uint8Array): void {
    this.reserve(chunk.length)
    this.bytes.set(chunk, this.length)
    this.length += chunk.length
  }

  /** @hot What was written from `from` until `until`, once more. */
  repeat(from: number, until: number): void {
    this.reserve(until - from)
    this.bytes.copyWithin(this.length, from, until)
    this.length += until - from
  }

  /** A length-delimited byte string, without its tag. */
  lengthDelimited(chunk: Uint8Array): void {
    this.varint(chunk.length)
    this.raw(chunk)
  }

  /** @hot A string as UTF-8 with its length before it, without its tag. */
  string(text: string): void {
    const chars = text.length
    // Three bytes for a UTF-16 unit at most, and a slot for the length.
    this.reserve(chars * 3 + 5)
    if (chars <= SHORT_STRING_CHARS && this.#ascii(text, chars)) return
    const slot = this.openSlot()
    this.length += this.#buffer.write(text, this.length)
    this.closeSlot(slot)
  }

  #ascii(text: string, chars: number): boolean {
    const start = this.length + 1
    if (!this.#asciiAt(text, chars, start)) return false
    this.bytes[this.length] = chars
    this.length = start + chars
    return true
  }

  #asciiAt(text: string, chars: number, start: number): boolean {
    const bytes = this.bytes
    for (let index = 0; index < chars; index++) {
      const unit = text.charCodeAt(index)
      if (unit > 0x7f) return false
      bytes[start + index] = unit
    }
    return true
  }

  /**
   * @hot The beginning of a KeyValue whose lengths are one byte each; `shortText` or `shortDouble` is to follow:
   *
   *   tag  length { key  0x12 length { 0x0a length text } }        `key` with its own tag and length
   */
  shortHead(tag: number, key: Uint8Array): void {
    const count = key.length
    this.reserve(count + 2)
    const at = this.length
    this.bytes[at] = tag
    this.bytes.set(key, at + 2)
    this.length = at + count + 2
  }

  /** @hot Ends a KeyValue whose head was just written, with `keyBytes` of key; or writes nothing, and false. */
  shortText(keyBytes: number, text: string): boolean {
    const chars = text.length
    const length = keyBytes + 4 + chars
    if (chars > SHORT_STRING_CHARS || length > 0x7f) return false
    this.reserve(chars + 4)
    const at = this.length
    if (!this.#asciiAt(text, chars, at + 4)) return false
    const bytes = this.bytes
    bytes[at - keyBytes - 1] = length
    bytes[at] = 0x12
    bytes[at + 1] = chars + 2
    bytes[at + 2] = 0x0a
    bytes[at + 3] = chars
    this.length = at + 4 + chars
    return true
  }

  /** @hot The same with a double; false for a long key. */
  shortDouble(keyBytes: number, value: number): boolean {
    const length = keyBytes + 11
    if (length > 0x7f) return false
    this.reserve(11)
    const bytes = this.bytes
    const at = this.length
    bytes[at - keyBytes - 1] = length
    bytes[at] = 0x12
    bytes[at + 1] = 9
    bytes[at + 2] = 0x21
    this.#view.setFloat64(at + 3, value, true)
    this.length = at + 11
    return true
  }

  /** @hot Writes a text over as many bytes at `at`; false, and some of it written, when it is beyond ASCII. */
  replaceAscii(at: number, text: string): boolean {
    return this.#asciiAt(text, text.length, at)
  }

  /** @hot Writes a double over the eight bytes at `at`. */
  replaceDouble(at: number, value: number): void {
    this.#view.setFloat64(at, value, true)
  }

  /** Holds the place of a length; returns what `closeSlot` wants. */
  openSlot(): number {
    this.reserve(4)
    const slot = this.length
    this.length = slot + 4
    return slot
  }

  /** Fills in the length of all that was written since `openSlot`. */
  closeSlot(slot: number): void {
    const length = this.length - slot - 4
    if (length > SLOT_LENGTH_MAX) {
      throw new OtlpError('OTLP_TOO_LARGE', [length, SLOT_LENGTH_MAX])
    }
    const varint =
      (length & 0x7f) |
      ((length & 0x3f80) << 1) |
      ((length & 0x1f_c000) << 2) |
      ((length & 0xfe0_0000) << 3)
    this.#view.setUint32(slot, varint | 0x80_8080, true)
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}
