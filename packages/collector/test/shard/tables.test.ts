/** The tables below the shard, against the plainest thing that does the same. */
import { describe, expect, it } from 'vitest'
import { BinaryReader, BinaryWriter } from '../../src/lib/binary.ts'
import { NameTable } from '../../src/lib/name-table.ts'
import { RowIndex } from '../../src/lib/row-index.ts'
import { PayloadScanner } from '../../src/scan/payload-scanner.ts'
import { Deadlines } from '../../src/stitch/deadlines.ts'
import { FingerprintMemory, NOT_REMEMBERED } from '../../src/stitch/fingerprint-memory.ts'
import { encodePayload, randomOf } from './payloads.ts'
import { span } from './timeline.ts'

describe('RowIndex', () => {
  it('finds what a Map finds, through collisions, growth and removal', () => {
    const random = randomOf(5)
    const index = new RowIndex()
    const keys = new Map<number, number>()
    // So few hashes that most rows collide.
    const hashOf = (key: number) => (key * 7) % 97
    const keyOf: number[] = []
    for (let round = 0; round < 5000; round++) {
      const key = Math.floor(random() * 400)
      if (keys.has(key)) {
        index.remove(keys.get(key)!)
        keys.delete(key)
      } else {
        const row = keyOf.push(key) - 1
        index.add(row, hashOf(key))
        keys.set(key, row)
      }
      const asked = Math.floor(random() * 400)
      expect(find(index, hashOf(asked), (row) => keyOf[row] === asked)).toBe(keys.get(asked) ?? -1)
    }
    index.clear()
    expect(find(index, 0, () => true)).toBe(-1)
  })
})

function find(index: RowIndex, hash: number, is: (row: number) => boolean): number {
  for (let slot = index.first(hash); ; slot = index.after(slot)) {
    const row = index.rowAt(slot)
    if (row < 0 || is(row)) return row
  }
}

describe('FingerprintMemory', () => {
  it('remembers the last generationMax at least, and twice as many at most', () => {
    const memory = new FingerprintMemory()
    for (let id = 1; id <= 3000; id++) memory.add(id * 3, id * 5, id % 7, 1000)
    const known = (id: number) => memory.tagOf(id * 3, id * 5)

    expect(memory.size).toBe(2000)
    expect(known(3000)).toBe(3000 % 7)
    expect(known(1001)).toBe(1001 % 7)
    expect(known(1000)).toBe(NOT_REMEMBERED)
    memory.add(9, 9, 0, 1000)
    expect(known(2000)).toBe(NOT_REMEMBERED)
    expect(known(2001)).toBe(2001 % 7)
  })

  it('keeps the newer tag of what comes twice', () => {
    const memory = new FingerprintMemory()
    memory.add(1, 2, 3, 10)
    memory.add(1, 2, 4, 10)

    expect(memory.tagOf(1, 2)).toBe(4)
    expect(memory.size).toBe(1)
  })

  it('is the same after it was written and read, and goes on the same', () => {
    const memory = new FingerprintMemory()
    for (let id = 1; id <= 1700; id++) memory.add(id, 2 ** 32 - id, id % 5, 1000)
    const writer = new BinaryWriter()
    memory.write(writer)
    const again = new FingerprintMemory()
    again.read(new BinaryReader(writer.finish()))

    for (const one of [memory, again]) one.add(5000, 5000, 1, 700)
    for (let id = 1; id <= 1700; id++) {
      expect(again.tagOf(id, 2 ** 32 - id)).toBe(memory.tagOf(id, 2 ** 32 - id))
    }
    expect(again.size).toBe(memory.size)
  })
})

describe('Deadlines', () => {
  it('miss none that is due, through arming, moving and forgetting', () => {
    const random = randomOf(9)
    const deadlines = new Deadlines()
    const armed = new Map<number, number>()
    for (let clockMs = 0; clockMs < 60_000; clockMs += 1 + Math.floor(random() * 700)) {
      for (let change = 0; change < 20; change++) {
        const trace = Math.floor(random() * 200)
        if (armed.has(trace)) deadlines.disarm(trace)
        armed.delete(trace)
        if (random() < 0.2) continue
        armed.set(trace, clockMs + random() * 5000)
        deadlines.arm(trace, armed.get(trace)!)
      }
      const visited = new Set<number>()
      deadlines.takeDue(clockMs, (trace) => visited.add(trace))
      for (const [trace, deadline] of armed) {
        if (deadline <= clockMs) expect(visited).toContain(trace)
      }
      for (const trace of visited) {
        expect(armed.get(trace)).toBeLessThan(clockMs + 200)
        armed.delete(trace)
      }
    }
  })
})

describe('BinaryReader', () => {
  it('reads what was written, and refuses to read on', () => {
    const writer = new BinaryWriter()
    for (const count of [0, 127, 128, 2 ** 31, 2 ** 53 - 1]) writer.count(count)
    writer.float(-0.1)
    writer.text('é\u{1f980}')
    writer.column(Float64Array.of(1, 2, 3), 2)
    writer.column(Int32Array.of(-1, 5), 2)
    const bytes = writer.finish()
    // At an odd offset: columns must not depend on where they stand.
    const shifted = new Uint8Array(bytes.length + 1)
    shifted.set(bytes, 1)
    const reader = new BinaryReader(shifted.subarray(1))

    expect([0, 1, 2, 3, 4].map(() => reader.count())).toEqual([0, 127, 128, 2 ** 31, 2 ** 53 - 1])
    expect(reader.float()).toBe(-0.1)
    expect(reader.text()).toBe('é\u{1f980}')
    expect(reader.floats()).toEqual(Float64Array.of(1, 2))
    expect(reader.integers()).toEqual(Int32Array.of(-1, 5))
    expect(reader.atEnd).toBe(true)
    expect(() => reader.float()).toThrow(RangeError)
    expect(() => new BinaryReader(Uint8Array.of(5, 1)).blob()).toThrow(RangeError)
  })
})

describe('PayloadScanner', () => {
  const many = (from: number, count: number) =>
    encodePayload(
      Array.from({ length: count }, (_, id) => span(1, id + 1, 0, { name: `op-${from + id}` }))
    )

  /** The names of a payload on a scanner that saw `before`. */
  function namesAfter(before: readonly Uint8Array[], payload: Uint8Array): string[] {
    const names = new NameTable()
    const scanner = new PayloadScanner(names)
    for (const other of before) scanner.scan(other)
    const rows = scanner.scan(payload)
    return Array.from({ length: rows.count }, (_, row) =>
      names.text(scanner.nameOf(rows.name[row]!))
    )
  }

  it('gives a payload the same names whatever came before, past the table’s limits too', {
    timeout: 60_000
  }, () => {
    const small = many(0, 10)
    const large = many(1_000_000, 140_000)
    const half = many(2_000_000, 70_000)

    expect(namesAfter([half, half], small)).toEqual(namesAfter([], small))
    const alone = namesAfter([], large)
    expect(alone.filter((name) => name === '__overflow__').length).toBeGreaterThan(8000)
    expect(namesAfter([half], large)).toEqual(alone)
    expect(namesAfter([large], small)).toEqual(namesAfter([], small))
  })
})
