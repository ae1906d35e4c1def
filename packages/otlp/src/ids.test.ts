import { describe, expect, it } from 'vitest'
import { int64Text } from './any-value.ts'
import { hexOfWords, spanIdOfRow, traceIdOfRow, wordsOfHex } from './ids.ts'
import { hexAt } from './text.ts'
import { Random, SEED } from './traces.testkit.ts'

describe(`hex, SEED=${SEED}`, () => {
  it('goes there and back for random ids', () => {
    const random = new Random(SEED)
    const words = new Uint32Array(12)
    for (let round = 0; round < 500; round++) {
      const bytes = random.bytes(16)
      const hex = Buffer.from(bytes).toString('hex')
      expect(wordsOfHex(random.chance(0.5) ? hex : hex.toUpperCase(), words, 4)).toBe(true)
      expect(traceIdOfRow(words, 1)).toBe(hex)
      expect(spanIdOfRow(words, 3)).toBe(hex.slice(16))
      expect(hexOfWords(words, 5, 1)).toBe(hex.slice(8, 16))
      expect(() => hexOfWords(words, 0, 5)).toThrow(RangeError)
      expect(hexAt(bytes, 2, 5)).toBe(hex.slice(4, 14))
    }
  })

  it.each(['abc', '0123456', 'xyz01234', '0123456 ', '０１２３４５６７', '-1234567', '0x123456'])(
    'does not take %j for hex',
    (hex) => {
      expect(wordsOfHex(hex, new Uint32Array(4), 0)).toBe(false)
    }
  )
})

describe(`int64Text, SEED=${SEED}`, () => {
  it('is exact for all 64 bits', () => {
    const random = new Random(SEED)
    const edges = [0n, 1n, 2n ** 53n, 10n ** 18n, 10n ** 9n, 2n ** 63n - 1n, 9n * 10n ** 18n]
    const values = edges.flatMap((edge) => [edge, -edge, edge - 1n, -edge - 1n])
    for (let round = 0; round < 2000; round++) {
      const bits = BigInt(random.below(2 ** 32)) * 2n ** 32n + BigInt(random.below(2 ** 32))
      values.push(BigInt.asIntN(64, bits) >> BigInt(random.below(64)))
    }
    for (const value of values) {
      const high = Number(BigInt.asIntN(32, value >> 32n))
      const low = Number(BigInt.asIntN(32, value))
      expect(int64Text(high, low)).toBe(String(value))
    }
  })
})
