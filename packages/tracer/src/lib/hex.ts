/** Hexadecimal text of 32-bit words and back. Ids are numbers inside and text at the edges only. */
const BYTE_HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** @hot Eight lower-case digits. */
export function hexOfWord(word: number): string {
  return (
    BYTE_HEX[word >>> 24]! +
    BYTE_HEX[(word >>> 16) & 0xff]! +
    BYTE_HEX[(word >>> 8) & 0xff]! +
    BYTE_HEX[word & 0xff]!
  )
}

/** Two lower-case digits. */
export function hexOfByte(byte: number): string {
  return BYTE_HEX[byte & 0xff]!
}

const DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))

/** @hot Eight lower-case digits as bytes of text, from `start` on. */
export function putHexOfWord(text: Uint8Array, start: number, word: number): void {
  for (let digit = 0; digit < 8; digit++) {
    text[start + digit] = DIGITS[(word >>> (28 - digit * 4)) & 0xf]!
  }
}

/** @hot Two of them. */
export function putHexOfByte(text: Uint8Array, start: number, byte: number): void {
  text[start] = DIGITS[(byte >>> 4) & 0xf]!
  text[start + 1] = DIGITS[byte & 0xf]!
}

/** @hot The word written as eight lower-case digits at `start`, or -1 when it is not. */
export function wordFromHex(text: string, start: number): number {
  let high = 0
  let low = 0
  for (let index = 0; index < 4; index++) {
    const digit = digitOf(text.charCodeAt(start + index))
    const lowDigit = digitOf(text.charCodeAt(start + 4 + index))
    if (digit < 0 || lowDigit < 0) return -1
    high = (high << 4) | digit
    low = (low << 4) | lowDigit
  }
  return high * 65_536 + low
}

/** The byte written as two lower-case digits at `start`, or -1 when it is not. */
export function byteFromHex(text: string, start: number): number {
  const high = digitOf(text.charCodeAt(start))
  const low = digitOf(text.charCodeAt(start + 1))
  return high < 0 || low < 0 ? -1 : high * 16 + low
}

function digitOf(unit: number): number {
  if (unit >= 48 && unit <= 57) return unit - 48
  if (unit >= 97 && unit <= 102) return unit - 87
  return -1
}
