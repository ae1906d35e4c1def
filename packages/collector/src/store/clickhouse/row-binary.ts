/**
 * Writes rows in ClickHouse's RowBinary into one growing buffer. @hot
 *
 *   UInt8…UInt64, Float64   little endian
 *   String                  LEB128 length, then UTF-8 bytes (also LowCardinality(String))
 *   FixedString(n)          n bytes
 *   Array(T)                LEB128 count, then the elements
 *   Map(K, V)               LEB128 count, then key, value, key, value …
 *
 * https://clickhouse.com/docs/en/interfaces/formats#rowbinary
 */

const FIRST_BYTES = 64 * 1024
const TWO_32 = 4_294_967_296

const utf8 = new TextEncoder()

export class RowWriter {
  #bytes = new Uint8Array(FIRST_BYTES)
  #view = new DataView(this.#bytes.buffer)
  #length = 0

  get length(): number {
    return this.#length
  }

  uint8(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  uint16(value: number): void {
    this.#reserve(2)
    this.#view.setUint16(this.#length, value, true)
    this.#length += 2
  }

  uint32(value: number): void {
    this.#reserve(4)
    this.#view.setUint32(this.#length, value, true)
    this.#length += 4
  }

  /** A not negative number: what is above 2^53 is rounded, what is above 2^63 is cut there. */
  uint64(value: number): void {
    const whole = value > 0 ? Math.min(Math.round(value), 2 ** 63) : 0
    this.#reserve(8)
    this.#view.setUint32(this.#length, whole % TWO_32, true)
    this.#view.setUint32(this.#length + 4, Math.floor(whole / TWO_32), true)
    this.#length += 8
  }

  bigUint64(value: bigint): void {
    this.#reserve(8)
    this.#view.setBigUint64(this.#length, value, true)
    this.#length += 8
  }

  float64(value: number): void {
    this.#reserve(8)
    this.#view.setFloat64(this.#length, value, true)
    this.#length += 8
  }

  /** LEB128. */
  count(value: number): void {
    this.#reserve(5)
    let rest = value
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest & 127) | 128
      rest >>>= 7
    }
    this.#bytes[this.#length++] = rest
  }

  text(value: string): void {
    const chars = value.length
    // A UTF-16 unit is at most three bytes of UTF-8.
    this.#reserve(chars * 3 + 5)
    if (chars < 32 && this.#shortAscii(value, chars)) return
    // The length takes as many bytes as it would for ASCII, or the text moves up behind it.
    const guess = varintSize(chars)
    const start = this.#length + guess
    const { written } = utf8.encodeInto(value, this.#bytes.subarray(start))
    const size = varintSize(written)
    if (size !== guess) this.#bytes.copyWithin(this.#length + size, start, start + written)
    this.count(written)
    this.#length += written
  }

  /** `size` bytes from hex digits; zeros where there are none. */
  hex(digits: string, size: number): void {
    this.#reserve(size)
    const bytes = this.#bytes
    for (let index = 0; index < size; index++) {
      const high = hexValue(digits.charCodeAt(index * 2))
      bytes[this.#length++] = (high << 4) | hexValue(digits.charCodeAt(index * 2 + 1))
    }
  }

  /** Overwrites what stands at `offset`. */
  patchUint32(offset: number, value: number): void {
    this.#view.setUint32(offset, value, true)
  }

  /** What was written, in a buffer of its own; starts afresh. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.slice(0, this.#length)
    this.#length = 0
    return taken
  }

  /** The calls into `encodeInto` cost more than this loop up to about 32 characters. */
  #shortAscii(value: string, chars: number): boolean {
    const bytes = this.#bytes
    let at = this.#length
    bytes[at++] = chars
    for (let index = 0; index < chars; index++) {
      const code = value.charCodeAt(index)
      if (code > 127) return false
      bytes[at++] = code
    }
    this.#length = at
    return true
  }

  #reserve(size: number): void {
    const needed = this.#length + size
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}

function varintSize(value: number): number {
  let size = 1
  for (let rest = value; rest > 127; rest >>>= 7) size++
  return size
}

function hexValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  if (code >= 97 && code <= 102) return code - 87
  if (code >= 65 && code <= 70) return code - 55
  return 0
}
