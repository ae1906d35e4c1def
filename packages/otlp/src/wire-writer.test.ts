import protobuf from 'protobufjs'
import { describe, expect, it } from 'vitest'
import { OtlpError } from './errors.ts'
import { Random, SEED } from './traces.testkit.ts'
import { SLOT_LENGTH_MAX, WireWriter } from './wire-writer.ts'

function written(write: (writer: WireWriter) => void, initialBytes = 64): protobuf.Reader {
  const writer = new WireWriter(initialBytes)
  write(writer)
  return protobuf.Reader.create(Buffer.from(writer.take()))
}

/** The text between a length and the end. */
function stringOf(text: string, initialBytes = 64): string {
  const reader = written((writer) => writer.string(text), initialBytes)
  const length = reader.uint32()
  expect(reader.len - reader.pos).toBe(length)
  return Buffer.from(reader.buf).toString('utf8', reader.pos)
}

describe('WireWriter', () => {
  it.each([
    0,
    1,
    127,
    128,
    16_383,
    16_384,
    2 ** 28 - 1,
    2 ** 28,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 35 - 1,
    2 ** 35,
    2 ** 52,
    2 ** 53 - 1,
    2 ** 53
  ])('writes %d as protobufjs does', (value) => {
    const expected = protobuf.Writer.create().uint64(value).finish()
    const writer = new WireWriter(1)
    writer.varint(value)
    expect(Buffer.from(writer.take())).toEqual(Buffer.from(expected))
  })

  it.each([
    0n,
    1n,
    -1n,
    -128n,
    2n ** 53n - 1n,
    -(2n ** 53n) + 1n,
    2n ** 53n + 1n,
    2n ** 63n - 1n,
    -(2n ** 63n)
  ])('writes the int64 %d, as a number where that is exact', (value) => {
    const read = (given: number | bigint) =>
      String(written((writer) => writer.int64(given)).int64())
    expect(read(value)).toBe(String(value))
    if (Number.isSafeInteger(Number(value))) expect(read(Number(value))).toBe(String(value))
  })

  it('writes fixed numbers', () => {
    const reader = written((writer) => {
      writer.fixed32(0xfedc_ba98)
      writer.fixed64(0xffff_fffe, 0x8000_0001)
      for (const double of [0, -0, 1.5, Number.NaN, Number.NEGATIVE_INFINITY, 5e-324]) {
        writer.double(double)
      }
    }, 1)
    expect(reader.fixed32()).toBe(0xfedc_ba98)
    expect(BigInt(reader.fixed64().toString())).toBe(0xffff_fffe_8000_0001n)
    for (const double of [0, -0, 1.5, Number.NaN, Number.NEGATIVE_INFINITY, 5e-324]) {
      expect(reader.double()).toBe(double)
    }
  })

  it('writes ids with the highest byte first', () => {
    const writer = new WireWriter(1)
    writer.id64(0x0102_0304, 0xf506_0708)
    expect(Buffer.from(writer.take()).toString('hex')).toBe('01020304f5060708')
  })

  it.each([
    '',
    'a',
    'a'.repeat(24),
    'a'.repeat(25),
    'a'.repeat(200_000),
    'é',
    'ééééééééééééééééééééééé\u007f',
    '日本語'.repeat(5000),
    '😀'.repeat(12),
    '\u0000'
  ])('writes strings, short and long, of any script (%#)', (text) => {
    expect(stringOf(text)).toBe(text)
    expect(stringOf(text, 1)).toBe(text)
  })

  it('writes lone surrogates as U+FFFD', () => {
    expect(stringOf('a\ud800')).toBe('a\ufffd')
    expect(stringOf('\udc00\ud800')).toBe('\ufffd\ufffd')
    expect(stringOf(`${'x'.repeat(40)}\ud83d`)).toBe(`${'x'.repeat(40)}\ufffd`)
  })

  it('keeps what was written when it grows', () => {
    const random = new Random(SEED)
    const writer = new WireWriter(1)
    const expected: number[] = []
    for (let round = 0; round < 300; round++) {
      const chunk = random.bytes(random.below(400))
      writer.raw(chunk)
      expected.push(...chunk)
    }
    expect(writer.length).toBe(expected.length)
    expect(Buffer.from(writer.take())).toEqual(Buffer.from(expected))
  })

  it.each([0, 1, 127, 128, 2 ** 14, 2 ** 21])('measures a message of %d bytes', (length) => {
    const reader = written((writer) => {
      writer.tag(16, 2)
      const slot = writer.openSlot()
      writer.raw(new Uint8Array(length))
      writer.closeSlot(slot)
      writer.lengthDelimited(Uint8Array.of(1, 2))
    }, 1)
    expect(reader.uint32()).toBe((16 << 3) | 2)
    expect(reader.uint32()).toBe(length)
    reader.skip(length)
    expect([...reader.bytes()]).toEqual([1, 2])
    expect(reader.pos).toBe(reader.len)
  })

  it('measures the longest message that a slot holds, and refuses a longer one', () => {
    const writer = new WireWriter()
    const slot = writer.openSlot()
    // Only the position is looked at; 256 MB need not be written for it.
    writer.length = slot + 4 + SLOT_LENGTH_MAX
    writer.closeSlot(slot)
    expect([...writer.bytes.subarray(slot, slot + 4)]).toEqual([0xff, 0xff, 0xff, 0x7f])
    writer.length++
    expect(() => writer.closeSlot(slot)).toThrow(OtlpError)
  })

  it('writes ids and times with their tags', () => {
    const hex = (write: (writer: WireWriter) => void) => {
      const writer = new WireWriter(1)
      write(writer)
      return Buffer.from(writer.take()).toString('hex')
    }
    expect(hex((writer) => writer.taggedId64(0x12, 0x0102_0304, -2))).toBe('120801020304fffffffe')
    expect(hex((writer) => writer.taggedId128(0x0a, 1, -1, 2, 3))).toBe(
      '0a1000000001ffffffff0000000200000003'
    )
    expect(hex((writer) => writer.taggedFixed64(0x39, 1, 0xf000_0002))).toBe('39020000f001000000')
  })

  it('repeats what it has written, also where it has to grow for that', () => {
    const writer = new WireWriter(8)
    writer.string('abcdef')
    writer.repeat(1, 7)
    writer.repeat(0, 13)
    expect(Buffer.from(writer.take()).toString('latin1')).toBe(
      '\u0006abcdefabcdef\u0006abcdefabcdef'
    )
  })

  const key = (bytes: number) => Uint8Array.from([0x0a, bytes - 2, ...Buffer.alloc(bytes - 2, 'k')])

  it.each([
    [24, 10, true],
    [25, 10, false],
    [0, 10, true],
    [10, 113, true],
    [10, 114, false]
  ])('a text of %i characters with a key of %i bytes is short: %j', (chars, keyBytes, isShort) => {
    const writer = new WireWriter(1)
    writer.shortHead(0x4a, key(keyBytes))
    expect(writer.shortText(keyBytes, 'x'.repeat(chars))).toBe(isShort)
    if (!isShort) {
      expect(writer.length).toBe(2 + keyBytes)
      return
    }
    const reader = protobuf.Reader.create(Buffer.from(writer.take()))
    expect([reader.uint32(), reader.uint32()]).toEqual([0x4a, reader.len - 2])
    expect([reader.uint32(), reader.string()]).toEqual([0x0a, 'k'.repeat(keyBytes - 2)])
    expect([reader.uint32(), reader.uint32()]).toEqual([0x12, chars + 2])
    expect([reader.uint32(), reader.string()]).toEqual([0x0a, 'x'.repeat(chars)])
  })

  it('a text beyond ASCII is not short, and nothing of it is written', () => {
    const writer = new WireWriter(1)
    writer.shortHead(0x4a, key(4))
    expect(writer.shortText(4, 'ascii, then é')).toBe(false)
    expect(writer.length).toBe(6)
  })

  it.each([
    [116, true],
    [117, false]
  ])('a double with a key of %i bytes is short: %j', (keyBytes, isShort) => {
    const writer = new WireWriter(1)
    writer.shortHead(0x4a, key(keyBytes))
    expect(writer.shortDouble(keyBytes, -0.5)).toBe(isShort)
    if (!isShort) return
    const reader = protobuf.Reader.create(Buffer.from(writer.take()))
    expect([reader.uint32(), reader.uint32()]).toEqual([0x4a, reader.len - 2])
    expect([reader.uint32(), reader.string()]).toEqual([0x0a, 'k'.repeat(keyBytes - 2)])
    expect([reader.uint32(), reader.uint32()]).toEqual([0x12, 9])
    expect([reader.uint32(), reader.double()]).toEqual([0x21, -0.5])
  })

  it('writes over what it has written', () => {
    const writer = new WireWriter(8)
    writer.string('abcdef')
    writer.double(1.5)
    expect(writer.replaceAscii(2, 'xyz')).toBe(true)
    expect(writer.replaceAscii(2, 'é')).toBe(false)
    writer.replaceDouble(7, -2.5)
    const bytes = Buffer.from(writer.take())
    expect(bytes.toString('latin1', 0, 7)).toBe('\u0006axyzef')
    expect(bytes.readDoubleLE(7)).toBe(-2.5)
  })

  it('hands over its bytes and starts anew', () => {
    const writer = new WireWriter(8)
    writer.string('first')
    const first = writer.take()
    writer.string('other')
    expect(Buffer.from(first).toString('latin1')).toBe('\u0005first')
    expect(Buffer.from(writer.take()).toString('latin1')).toBe('\u0005other')
    expect(writer.length).toBe(0)
  })
})
