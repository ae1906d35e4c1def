import { describe, expect, it } from 'vitest'
import { RowWriter } from './row-binary.ts'

function written(write: (row: RowWriter) => void): Buffer {
  const row = new RowWriter()
  write(row)
  return Buffer.from(row.take())
}

describe('a row', () => {
  it('has numbers in little endian', () => {
    const bytes = written((row) => {
      row.uint8(1)
      row.uint16(0x0203)
      row.uint32(0x0405_0607)
      row.uint64(2 ** 53 - 1)
      row.bigUint64(0xffff_ffff_ffff_ffffn)
      row.float64(1.5)
    })
    expect(bytes.toString('hex')).toBe(
      '01' + '0302' + '07060504' + 'ffffffffffff1f00' + 'ffffffffffffffff' + '000000000000f83f'
    )
  })

  it('cuts numbers that no UInt64 is, instead of wrapping round', () => {
    const numbers = [-1, Number.NaN, 0.4, 1.6, 2 ** 63, Number.POSITIVE_INFINITY]
    const bytes = written((row) => {
      for (const number of numbers) row.uint64(number)
    })
    const read = numbers.map((_, index) => bytes.readBigUInt64LE(index * 8))
    expect(read).toEqual([0n, 0n, 0n, 2n, 2n ** 63n, 2n ** 63n])
  })

  it('has the length of a text in bytes before it, at every border of its own length', () => {
    for (const chars of [0, 1, 31, 32, 42, 43, 127, 128, 5461, 5462, 16_383, 16_384, 70_000]) {
      for (const char of ['a', 'é', '€', '🚀']) {
        const text = char.repeat(chars)
        const utf8 = Buffer.from(text)
        const bytes = written((row) => {
          row.text(text)
          row.uint8(7)
        })
        const { value, size } = leb128(bytes)
        expect(value).toBe(utf8.length)
        expect(bytes.subarray(size, -1).equals(utf8)).toBe(true)
        expect(bytes.at(-1)).toBe(7)
      }
    }
  })

  it('has ids from hex of either case, and zeros for what is missing', () => {
    expect(written((row) => row.hex('0aFf', 2)).toString('hex')).toBe('0aff')
    expect(written((row) => row.hex('', 4)).toString('hex')).toBe('00000000')
    expect(written((row) => row.hex('0a', 2)).toString('hex')).toBe('0a00')
  })

  it('grows, and starts afresh when it was taken', () => {
    const row = new RowWriter()
    for (let number = 0; number < 100_000; number++) row.uint32(number)
    const bytes = Buffer.from(row.take())
    expect([bytes.length, bytes.readUInt32LE(399_996)]).toEqual([400_000, 99_999])
    expect(row.length).toBe(0)
    row.uint8(1)
    expect([...row.take()]).toEqual([1])
  })
})

function leb128(bytes: Uint8Array): { value: number; size: number } {
  let value = 0
  for (let size = 0; ; size++) {
    value += (bytes[size]! & 127) * 2 ** (size * 7)
    if (bytes[size]! < 128) return { value, size: size + 1 }
  }
}
