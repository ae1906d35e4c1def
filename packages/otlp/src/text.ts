/** Bytes as text, through Node's own encoders. */

/** UTF-8; what is not UTF-8 becomes U+FFFD, and a byte order mark stays. */
export function textAt(bytes: Uint8Array, at: number, length: number): string {
  return bufferOf(bytes).toString('utf8', at, at + length)
}

/**
 * The texts of keys seen lately, one a slot: a payload repeats the same few dozen keys in every
 * span, and making a string costs three times as much as finding it here. 1,024 slots of 64 bytes.
 */
const KEY_SLOTS = 1024
const KEY_BYTES_MAX = 64
const keyBytes = new Uint8Array(KEY_SLOTS * KEY_BYTES_MAX)
const keyTexts = new Array<string>(KEY_SLOTS).fill('')
const keyLengths = new Uint8Array(KEY_SLOTS)

/** As `textAt`, for texts that come again and again. */
export function keyTextAt(bytes: Uint8Array, at: number, length: number): string {
  if (length > KEY_BYTES_MAX) return textAt(bytes, at, length)
  let hash = length
  for (let index = at; index < at + length; index++)
    hash = Math.imul(hash ^ bytes[index]!, 0x0100_0193)
  const slot = (hash ^ (hash >>> 15)) & (KEY_SLOTS - 1)
  const own = slot * KEY_BYTES_MAX
  let same = keyLengths[slot] === length
  for (let index = 0; same && index < length; index++)
    same = keyBytes[own + index] === bytes[at + index]
  if (!same) {
    keyTexts[slot] = textAt(bytes, at, length)
    keyLengths[slot] = length
    for (let index = 0; index < length; index++) keyBytes[own + index] = bytes[at + index]!
  }
  return keyTexts[slot]!
}

export function base64At(bytes: Uint8Array, at: number, length: number): string {
  return bufferOf(bytes).toString('base64', at, at + length)
}

/** Lower-case hex. */
export function hexAt(bytes: Uint8Array, at: number, length: number): string {
  return bufferOf(bytes).toString('hex', at, at + length)
}

/** The same memory as a Buffer. Worth doing once where much text is read. */
export function bufferOf(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
