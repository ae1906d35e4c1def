import { describe, expect, it } from 'vitest'
import {
  hashOf,
  NO_STRING,
  OVERFLOW_STRING,
  OVERFLOW_TEXT,
  PROBES_MAX,
  StringTable
} from './string-table.ts'
import { Random, SEED } from './traces.testkit.ts'

const ROOMY = { stringsMax: 100_000, bytesMax: 1 << 24, stringBytesMax: 1000 }

describe('StringTable', () => {
  it('gives the same string the same id, wherever its bytes stand', () => {
    const strings = new StringTable(ROOMY)
    const bytes = Buffer.from('..GET..GET')
    const id = strings.intern(bytes, 2, 3)
    expect(strings.intern(bytes, 7, 3)).toBe(id)
    expect(strings.internText('GET')).toBe(id)
    expect(strings.text(id)).toBe('GET')
    expect(strings.intern(bytes, 2, 4)).not.toBe(id)
    expect(strings.size).toBe(3)
  })

  it(`holds what a Map holds, SEED=${SEED}`, () => {
    const random = new Random(SEED)
    const strings = new StringTable(ROOMY)
    const ids = new Map<string, number>()
    for (let round = 0; round < 60_000; round++) {
      const text = `${random.pick(['GET /', 'é', '日', ''])}${random.below(20_000)}`
      const id = strings.internText(text)
      expect(ids.get(text) ?? id).toBe(id)
      ids.set(text, id)
    }
    expect(strings.size).toBe(ids.size + 1)
    expect(strings.overflowed).toBe(0)
    for (const [text, id] of ids) expect(strings.text(id)).toBe(text)
    expect(new Set(ids.values()).size).toBe(ids.size)
  })

  it('keeps its own copy of the bytes', () => {
    const strings = new StringTable(ROOMY)
    const bytes = Buffer.from('abc')
    const id = strings.intern(bytes, 0, 3)
    bytes.fill(0)
    expect(strings.text(id)).toBe('abc')
  })

  it('accepts the last string that fits in count, and overflows the next', () => {
    const strings = new StringTable({ ...ROOMY, stringsMax: 3 })
    const [a, b] = [strings.internText('a'), strings.internText('b')]
    expect(strings.overflowed).toBe(0)
    expect(strings.internText('c')).toBe(OVERFLOW_STRING)
    expect(strings.internText('c')).toBe(OVERFLOW_STRING)
    expect(strings.overflowed).toBe(2)
    expect([strings.internText('a'), strings.internText('b')]).toEqual([a, b])
    expect(strings.text(OVERFLOW_STRING)).toBe(OVERFLOW_TEXT)
    expect(strings.size).toBe(3)
  })

  it('accepts the last string that fits in bytes, and overflows the next', () => {
    const strings = new StringTable({ ...ROOMY, bytesMax: OVERFLOW_TEXT.length + 4 })
    expect(strings.internText('abcde')).toBe(OVERFLOW_STRING)
    const id = strings.internText('abcd')
    expect(strings.text(id)).toBe('abcd')
    expect(strings.internText('e')).toBe(OVERFLOW_STRING)
    expect(strings.text(strings.internText(''))).toBe('')
    expect(strings.overflowed).toBe(2)
    expect(strings.byteCount).toBe(OVERFLOW_TEXT.length + 4)
  })

  it('gives up on strings that were chosen to collide, and keeps its speed for the others', () => {
    const strings = new StringTable({ ...ROOMY, stringsMax: 1024 })
    const slots = 2048
    const overflowSlot = hashOf(Buffer.from(OVERFLOW_TEXT), 0, OVERFLOW_TEXT.length) & (slots - 1)
    const slot = (overflowSlot + 1) & (slots - 1)
    const colliding: string[] = []
    for (let index = 0; colliding.length <= PROBES_MAX; index++) {
      const bytes = Buffer.from(`key-${index}`)
      if ((hashOf(bytes, 0, bytes.length) & (slots - 1)) === slot) colliding.push(`key-${index}`)
    }
    const last = colliding.pop()!
    const ids = colliding.map((text) => strings.internText(text))
    expect(new Set(ids).size).toBe(PROBES_MAX)
    expect(strings.overflowed).toBe(0)
    expect(strings.internText(last)).toBe(OVERFLOW_STRING)
    expect(strings.overflowed).toBe(1)
    expect(colliding.map((text) => strings.internText(text))).toEqual(ids)
  })

  it('cuts a string that is too long, between characters', () => {
    const strings = new StringTable({ ...ROOMY, stringBytesMax: 16 })
    const cut = (text: string) => strings.text(strings.internText(text))
    expect(cut('a'.repeat(16))).toBe('a'.repeat(16))
    expect(cut('a'.repeat(17))).toBe('a'.repeat(16))
    expect(cut(`${'a'.repeat(15)}é`)).toBe('a'.repeat(15))
    expect(cut(`${'a'.repeat(14)}é!`)).toBe(`${'a'.repeat(14)}é`)
    expect(cut(`${'a'.repeat(13)}😀`)).toBe('a'.repeat(13))
    expect(cut(`${'a'.repeat(12)}😀!`)).toBe(`${'a'.repeat(12)}😀`)
  })

  it('cuts bytes that are not UTF-8 at the limit', () => {
    const strings = new StringTable({ ...ROOMY, stringBytesMax: 16 })
    const id = strings.intern(new Uint8Array(30).fill(0x80), 0, 30)
    expect(strings.text(id)).toBe('\ufffd'.repeat(16))
  })

  it('reads what is not UTF-8 as U+FFFD, and keeps a byte order mark', () => {
    const strings = new StringTable(ROOMY)
    expect(strings.text(strings.intern(Uint8Array.of(0x61, 0xff, 0x62), 0, 3))).toBe('a\ufffdb')
    expect(strings.text(strings.internText('\ufeffx'))).toBe('\ufeffx')
  })

  it('has an empty text for no string, and none for ids that it never gave', () => {
    const strings = new StringTable(ROOMY)
    expect(strings.text(NO_STRING)).toBe('')
    expect(() => strings.text(1)).toThrow(RangeError)
    expect(() => strings.text(-2)).toThrow(RangeError)
  })

  it.each([
    { stringsMax: 0 },
    { bytesMax: OVERFLOW_TEXT.length - 1 },
    { stringBytesMax: OVERFLOW_TEXT.length - 1 }
  ])('refuses limits that leave no room for the overflow text: %j', (limit) => {
    expect(() => new StringTable({ ...ROOMY, ...limit })).toThrow(RangeError)
  })
})
