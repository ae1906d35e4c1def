import { describe, expect, it } from 'vitest'
import { COLLAPSED_CALLS_MAX, packCollapsedCalls, readCollapsedCalls } from './collapsed.ts'
import { COLLAPSED_CALLS } from './semconv.ts'
import { WireWriter } from './wire-writer.ts'

/** A span with one attribute, at offset 3 of a payload. */
function spanWith(key: string, value: Uint8Array, member = 7): [Uint8Array, number, number] {
  const writer = new WireWriter(64)
  writer.raw(new Uint8Array([1, 2, 3]))
  writer.tag(5, 2)
  writer.string('SELECT')
  writer.tag(9, 2)
  const slot = writer.openSlot()
  writer.tag(1, 2)
  writer.string(key)
  writer.tag(2, 2)
  const inner = writer.openSlot()
  writer.tag(member, 2)
  writer.lengthDelimited(value)
  writer.closeSlot(inner)
  writer.closeSlot(slot)
  writer.tag(6, 0)
  writer.varint(3)
  return [writer.take(), 3, writer.bytes.length]
}

function read(value: Uint8Array, key = COLLAPSED_CALLS, member = 7) {
  const [payload, offset] = spanWith(key, value, member)
  const calls = readCollapsedCalls(payload, offset, payload.length - offset)
  return calls && { starts: [...calls.startNano], durations: [...calls.durationNano] }
}

describe('collapsed calls', () => {
  it('come back as they were packed', () => {
    const pairs = [0, 127, 128, 50_000_000, 2 ** 40, Number.MAX_SAFE_INTEGER]
    expect(read(packCollapsedCalls(pairs))).toEqual({
      starts: [0, 128, 2 ** 40],
      durations: [127, 50_000_000, Number.MAX_SAFE_INTEGER]
    })
  })

  it('are two at least and 1,000 at most', () => {
    const pairs = (count: number) => Array<number>(count * 2).fill(5)
    expect(read(packCollapsedCalls(pairs(1)))).toBeUndefined()
    expect(read(packCollapsedCalls(pairs(2)))?.starts).toHaveLength(2)
    expect(read(packCollapsedCalls(pairs(COLLAPSED_CALLS_MAX)))?.starts).toHaveLength(1_000)
    expect(read(packCollapsedCalls(pairs(COLLAPSED_CALLS_MAX + 1)))).toBeUndefined()
  })

  it('are none when they are cut, too large, of another type or under another name', () => {
    const packed = packCollapsedCalls([1, 2, 3, 500])
    expect(read(packed)?.durations).toEqual([2, 500])
    expect(read(packed.subarray(0, packed.length - 1))).toBeUndefined()
    expect(read(packed.subarray(0, packed.length - 2))).toBeUndefined()
    expect(read(new Uint8Array([1, 2, 3, ...Array<number>(7).fill(0xff), 0x7f]))).toBeUndefined()
    expect(read(new Uint8Array([1, 2, 3, ...Array<number>(20).fill(0x80), 0]))).toBeUndefined()
    expect(read(packed, 'other')).toBeUndefined()
    expect(read(packed, COLLAPSED_CALLS, 1)).toBeUndefined()
  })
})
