/**
 * Writes and reads a checkpoint's fields: numbers, strings and whole columns, one after the other,
 * little-endian, without names. Who reads must ask for what was written, in the same order; the
 * version at the front of the state says which order that is.
 *
 *   count    varint, up to 2^53
 *   float    8 bytes
 *   text     count of bytes, UTF-8
 *   column   count of elements, then their bytes
 */

export class BinaryWriter {
  #bytes = new Uint8Array(4096)
  #view = new DataView(this.#bytes.buffer)
  #length = 0
  readonly #utf8 = new TextEncoder()

  /** The bytes, in a buffer of their own size: it may be transferred. The writer is done. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length)
  }

  /** A view of the bytes so far, valid until the next write. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  fixed32(value: number): void {
    this.#reserve(4)
    this.#view.setUint32(this.#length, value, true)
    this.#length += 4
  }

  count(value: number): void {
    this.#reserve(8)
    let rest = value
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#length++] = rest
  }

  float(value: number): void {
    this.#reserve(8)
    this.#view.setFloat64(this.#length, value, true)
    this.#length += 8
  }

  text(value: string): void {
    this.blob(this.#utf8.encode(value))
  }

  blob(bytes: Uint8Array): void {
    this.count(bytes.length)
    this.#raw(bytes)
  }

  /** The first `count` elements. */
  column(column: Float64Array | Int32Array | Uint32Array | Uint8Array, count: number): void {
    this.count(count)
    this.#raw(new Uint8Array(column.buffer, column.byteOffset, count * column.BYTES_PER_ELEMENT))
  }

  #raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
  }
}

/** @throws RangeError when more is asked for than there is. */
export class BinaryReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0
  readonly #utf8 = new TextDecoder()

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  count(): number {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = this.#view.getUint8(this.#at++)
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 128
    }
  }

  fixed32(): number {
    const value = this.#view.getUint32(this.#at, true)
    this.#at += 4
    return value
  }

  float(): number {
    const value = this.#view.getFloat64(this.#at, true)
    this.#at += 8
    return value
  }

  text(): string {
    return this.#utf8.decode(this.blob())
  }

  /** A copy. */
  blob(): Uint8Array<ArrayBuffer> {
    return this.#raw(this.count())
  }

  floats(): Float64Array<ArrayBuffer> {
    return new Float64Array(this.#raw(this.count() * 8).buffer)
  }

  words(): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.#raw(this.count() * 4).buffer)
  }

  integers(): Int32Array<ArrayBuffer> {
    return new Int32Array(this.#raw(this.count() * 4).buffer)
  }

  #raw(length: number): Uint8Array<ArrayBuffer> {
    if (this.#at + length > this.#bytes.length) throw new RangeError('The state ends too early.')
    const taken = this.#bytes.slice(this.#at, this.#at + length)
    this.#at += length
    // A Buffer's slice shares its memory; columns need their own, aligned.
    return taken.buffer.byteLength === length && taken.byteOffset === 0
      ? (taken as Uint8Array<ArrayBuffer>)
      : Uint8Array.from(taken)
  }
}
