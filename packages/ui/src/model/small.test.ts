import { describe, expect, it } from 'vitest'
import { assignSlots, hashSlot, SLOT_COUNT, slotOf } from './palette.ts'
import { parseDurationMs, writeDurationMs } from './parse-duration.ts'
import { safeHref } from './safe-url.ts'
import { shareParts } from './share.ts'
import { decodeSort, encodeSort, sortRows } from './sort.ts'
import { clockTicks, niceTicks } from './ticks.ts'
import { windowParams } from './time-window.ts'

describe('palette', () => {
  it('gives ten services ten colours, in whatever order they come', () => {
    const names = Array.from({ length: SLOT_COUNT }, (_, at) => `service-${at}`)
    const slots = assignSlots(new Map(), names)

    expect(new Set(slots.values()).size).toBe(SLOT_COUNT)
    expect(assignSlots(new Map(), [...names].reverse())).toEqual(slots)
  })

  it('keeps what was given, and the map itself when nothing is new', () => {
    const slots = assignSlots(new Map(), ['a', 'b'])
    const more = assignSlots(slots, ['c', 'a'])

    expect(assignSlots(slots, ['b', 'a'])).toBe(slots)
    expect(more.get('a')).toBe(slots.get('a'))
    expect(slotOf(new Map(), 'never seen')).toBe(hashSlot('never seen'))
  })

  it('stops remembering at its bound', () => {
    const many = Array.from({ length: 700 }, (_, at) => `s${at}`)

    expect(assignSlots(new Map(), many).size).toBe(500)
  })
})

describe('shareParts', () => {
  it('keeps what is equal and takes what is not', () => {
    const before = {
      rows: [
        { id: 1, n: 1 },
        { id: 2, n: 1 }
      ],
      total: 2
    }
    const after = shareParts(before, {
      rows: [
        { id: 1, n: 1 },
        { id: 2, n: 5 }
      ],
      total: 2
    })

    expect(after).toEqual({
      rows: [
        { id: 1, n: 1 },
        { id: 2, n: 5 }
      ],
      total: 2
    })
    expect(after.rows[0]).toBe(before.rows[0])
    expect(after.rows[1]).not.toBe(before.rows[1])
    expect(shareParts(before, structuredClone(before))).toBe(before)
  })

  it('sees what was added and what is gone', () => {
    const before: { a: number; b?: number } = { a: 1, b: 2 }

    expect(shareParts(before, { a: 1 })).toEqual({ a: 1 })
    expect(shareParts<object>({ a: 1 }, before)).toEqual(before)
    expect(shareParts([1, 2], [1])).toEqual([1])
  })

  it('carries a hostile name as any other', () => {
    const hostile = JSON.parse('{"__proto__":"x","a":1}')
    const shared = shareParts(JSON.parse('{"a":1}'), hostile)

    expect(Object.keys(shared)).toEqual(['__proto__', 'a'])
    expect(Object.getPrototypeOf(shared)).toBe(Object.prototype)
  })
})

describe('safeHref', () => {
  it('links http and https', () => {
    expect(safeHref('https://example.com/a?b=c')).toBe('https://example.com/a?b=c')
    expect(safeHref('HTTP://example.com')).toBe('http://example.com/')
  })

  it.each([
    'javascript:alert(1)',
    ' https://example.com',
    'data:text/html,x',
    '//example.com',
    'https://',
    'see https://example.com',
    'ftp://example.com',
    ''
  ])('leaves %j as text', (value) => {
    expect(safeHref(value)).toBeUndefined()
  })
})

describe('sorting', () => {
  const columns = ['name', 'rate'] as const
  const fallback = { column: 'rate', descending: true } as const
  const rows = [
    { name: 'b', rate: 1 },
    { name: 'a', rate: 1 },
    { name: 'c', rate: undefined },
    { name: 'd', rate: 7 }
  ]
  const order = (text: string) =>
    sortRows(
      rows,
      decodeSort(text, columns, fallback),
      (row, column) => row[column],
      (row) => row.name
    ).map((row) => row.name)

  it('puts equal rows by name and the unmeasured last, both ways', () => {
    expect(order('rate')).toEqual(['d', 'a', 'b', 'c'])
    expect(order('-rate')).toEqual(['a', 'b', 'd', 'c'])
    expect(order('-name')).toEqual(['a', 'b', 'c', 'd'])
  })

  it('reads back what it wrote, and falls back', () => {
    const sort = { column: 'name', descending: false } as const

    expect(decodeSort(encodeSort(sort), columns, fallback)).toEqual(sort)
    expect(decodeSort('odd', columns, fallback)).toBe(fallback)
    expect(decodeSort(undefined, columns, fallback)).toBe(fallback)
  })
})

describe('ticks', () => {
  it('are round numbers', () => {
    expect(niceTicks(0, 100, 5)).toEqual([0, 20, 40, 60, 80, 100])
    expect(niceTicks(3, 9, 3)).toEqual([4, 6, 8])
    expect(niceTicks(5, 5, 3)).toEqual([])
  })

  it('on a clock are whole minutes or seconds', () => {
    const at = Date.UTC(2026, 10, 23, 9, 43, 7)

    expect(clockTicks(at, at + 120_000, 4).map((tick) => (tick - at) / 1000)).toEqual([
      23, 53, 83, 113
    ])
    expect(clockTicks(at, at + 90 * 86_400_000, 5).length).toBeLessThanOrEqual(5)
  })
})

describe('durations as typed', () => {
  it.each([
    ['250', 250],
    ['250ms', 250],
    [' 1.5 s ', 1_500],
    ['1,5s', 1_500],
    ['2m', 120_000],
    ['800us', 0.8],
    ['800 µs', 0.8]
  ])('reads %j as %d ms', (text, ms) => {
    expect(parseDurationMs(text)).toBeCloseTo(ms, 9)
  })

  it.each(['', 'fast', '-5ms', '5 weeks', '1s2'])('refuses %j', (text) => {
    expect(parseDurationMs(text)).toBeUndefined()
  })

  it.each([0.5, 250, 1_500, 1_234, 60_000])('reads %d back as written', (ms) => {
    expect(parseDurationMs(writeDurationMs(ms))).toBe(ms)
  })
})

describe('windowParams', () => {
  it('leaves the end to the collector when the window ends now', () => {
    expect(windowParams({ last: '5m' }, 1_000_000)).toEqual({ from: 700_000 })
    expect(windowParams({ fromUnixMs: 5, toUnixMs: 9 }, 1_000_000)).toEqual({ from: 5, to: 9 })
  })
})
