import { describe, expect, it } from 'vitest'
import { createClock, nanosOf } from './clock.ts'
import { byteFromHex, hexOfByte, hexOfWord, wordFromHex } from './hex.ts'
import { createRandomWords } from './random-ids.ts'

describe('nanosOf', () => {
  it.each([0, 1, 999.999, 1_000, 1_795_426_799_370.792, 4_102_444_800_000, 18_446_744_073_000])(
    'splits %d ms into two words',
    (epochMs) => {
      const pair = new Uint32Array(2)
      nanosOf(epochMs, pair)
      const seconds = Math.floor(epochMs / 1_000)
      const nanos = BigInt(Math.round((epochMs - seconds * 1_000) * 1e6))
      const expected = BigInt(seconds) * 1_000_000_000n + nanos
      expect((BigInt(pair[0]!) << 32n) | BigInt(pair[1]!)).toBe(expected)
    }
  )
})

describe('the clock', () => {
  it('follows the wall clock only when the two have come apart', () => {
    let wall = 1_000_000
    let monotonic = 50
    const clock = createClock(
      () => monotonic,
      () => wall
    )
    expect(clock.now()).toBe(1_000_000)
    monotonic += 10
    wall += 60
    clock.anchor()
    expect(clock.now()).toBe(1_000_010)
    wall += 3_600_000
    clock.anchor()
    expect(clock.now()).toBe(wall)
    expect(clock.fromMonotonic(monotonic)).toBe(wall)
  })
})

describe('hex', () => {
  it('writes and reads words and bytes', () => {
    for (const word of [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x0102_a0ff]) {
      expect(wordFromHex(`x${hexOfWord(word)}`, 1)).toBe(word)
    }
    expect(byteFromHex(hexOfByte(0xfe), 0)).toBe(0xfe)
    expect(wordFromHex('0000000G', 0)).toBe(-1)
    expect(wordFromHex('0000', 0)).toBe(-1)
    expect(wordFromHex('0000000A', 0)).toBe(-1)
  })
})

describe('random words', () => {
  it('fills its pool again when it is used up', () => {
    let fills = 0
    const next = createRandomWords((pool) => {
      pool.fill(++fills)
    })
    const drawn = Array.from({ length: 8_193 }, next)
    expect(drawn[0]).toBe(1)
    expect(drawn[8_191]).toBe(1)
    expect(drawn[8_192]).toBe(2)
  })
})
