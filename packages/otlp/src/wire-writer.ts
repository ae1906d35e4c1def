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

/** Beyond this many bytes Node's own UTF-8 writer beats a loop over characters. */
const SHORT_STRING_CHARS = 24

export class WireWriter {
  /** Valid up to `length`; replaced when it grows, so read it anew after each write. */
  bytes: Uint8Array
  length = 0
  #buffer: Buffer
  readonly #view64 = new Float64Array(1)
  readonly #view8 = new Uint8Array(this.#view64.buffer)

  constructor(initialBytes = 65_536) {
    this.#buffer = Buffer.allocUnsafeSlow(initialBytes)
    this.bytes = this.#buffer
  }

  /** Hands over what was written and starts on a buffer of the same size. The caller owns it. */
  take(nextBytes = this.bytes.length): Uint8Array {
    const taken = this.bytes.subarray(0, this.length)
    this.#buffer = Buffer.allocUnsafeSlow(nextBytes)
    this.bytes = this.#buffer
    this.length = 0
    return taken
  }

  /** Hands over what was written, with the memory below it, and goes on in `next`, which is nobody else's. */
  swap(next: ArrayBuffer): Uint8Array<ArrayBuffer> {
    const taken = this.bytes.subarray(0, this.length) as Uint8Array<ArrayBuffer>
    this.#buffer = Buffer.from(next)
    this.bytes = this.#buffer
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
    this.#buffer = grown
    this.bytes = grown
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

  /** @hot Eight bytes, little-endian, from two unsigned halves. */
  fixed64(high: number, low: number): void {
    this.reserve(8)
    const bytes = this.bytes
    const at = this.length
    bytes[at] = low
    bytes[at + 1] = low >>> 8
    bytes[at + 2] = low >>> 16
    bytes[at + 3] = low >>> 24
    bytes[at + 4] = high
    bytes[at + 5] = high >>> 8
    bytes[at + 6] = high >>> 16
    bytes[at + 7] = high >>> 24
    this.length = at + 8
  }

  fixed32(value: number): void {
    this.reserve(4)
    for (let shift = 0; shift < 32; shift += 8) this.bytes[this.length++] = value >>> shift
  }

  double(value: number): void {
    this.reserve(8)
    this.#view64[0] = value
    this.bytes.set(this.#view8, this.length)
    this.length += 8
  }

  /** @hot Eight big-endian bytes, as OTLP writes ids: the first byte is the highest. */
  id64(high: number, low: number): void {
    this.reserve(8)
    const bytes = this.bytes
    const at = this.length
    bytes[at] = high >>> 24
    bytes[at + 1] = high >>> 16
    bytes[at + 2] = high >>> 8
    bytes[at + 3] = high
    bytes[at + 4] = low >>> 24
    bytes[at + 5] = low >>> 16
    bytes[at + 6] = low >>> 8
    bytes[at + 7] = low
    this.length = at + 8
  }

  /** @hot Bytes that were encoded before: tags, keys, cached strings. */
  raw(chunk: Uint8Array): void {
    this.reserve(chunk.length)
    this.bytes.set(chunk, this.length)
    this.length += chunk.length
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
    const bytes = this.bytes
    const start = this.length + 1
    for (let index = 0; index < chars; index++) {
      const unit = text.charCodeAt(index)
      if (unit > 0x7f) return false
      bytes[start + index] = unit
    }
    bytes[this.length] = chars
    this.length = start + chars
    return true
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
    const bytes = this.bytes
    bytes[slot] = (length & 0x7f) | 0x80
    bytes[slot + 1] = ((length >>> 7) & 0x7f) | 0x80
    bytes[slot + 2] = ((length >>> 14) & 0x7f) | 0x80
    bytes[slot + 3] = length >>> 21
  }
}
