import { describe, expect, it } from 'vitest'
import {
  CALLS_MAX,
  callParts,
  callTicks,
  longestCallNs,
  readableAttributes,
  spanFacts,
  unpackCalls
} from './span-facts.ts'

const NONE = {
  callCount: undefined,
  callsTotalMs: undefined,
  isNPlusOne: false,
  blockedMs: undefined,
  gcPauseMs: undefined
}

/** Written out here, so that the reader is held to the format and not to itself. */
function pack(pairs: readonly number[]): string {
  const bytes: number[] = []
  for (const number of pairs) {
    let rest = number
    for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
    bytes.push(rest)
  }
  return Buffer.from(bytes).toString('base64')
}

function calls(...pairs: readonly number[]) {
  return unpackCalls({ 'spanloom.collapsed.calls': pack(pairs) })
}

describe('spanFacts', () => {
  it('reads what the tracer writes', () => {
    const facts = spanFacts({
      'spanloom.collapsed.count': '120',
      'spanloom.collapsed.duration_ms': '340.25',
      'spanloom.n_plus_one': 'true',
      'spanloom.event_loop.blocked_ms': '121',
      'spanloom.gc.pause_ms': '45'
    })

    expect(facts).toEqual({
      callCount: 120,
      callsTotalMs: 340.25,
      isNPlusOne: true,
      blockedMs: 121,
      gcPauseMs: 45
    })
  })

  it.each([
    [{}],
    [{ 'spanloom.collapsed.duration_ms': '5' }],
    [{ 'spanloom.collapsed.count': '1' }],
    [{ 'spanloom.collapsed.count': '2.5' }],
    [{ 'spanloom.collapsed.count': '<b>9</b>', 'spanloom.collapsed.duration_ms': '5' }],
    [{ 'spanloom.collapsed.count': '1e999', 'spanloom.gc.pause_ms': '-4' }],
    [{ 'spanloom.n_plus_one': 'yes', 'spanloom.event_loop.blocked_ms': '0' }]
  ])('%j says nothing', (attributes) => {
    expect(spanFacts(attributes)).toEqual(NONE)
  })

  it('takes two calls for a collapsed span', () => {
    expect(spanFacts({ 'spanloom.collapsed.count': '2' }).callCount).toBe(2)
  })
})

describe('unpackCalls', () => {
  it('gives each call back', () => {
    const found = calls(0, 127, 128, 50_000_000, 2 ** 40, Number.MAX_SAFE_INTEGER)!

    expect(found.count).toBe(3)
    expect([...found.startNs]).toEqual([0, 128, 2 ** 40])
    expect([...found.durationNs]).toEqual([127, 50_000_000, Number.MAX_SAFE_INTEGER])
    expect(longestCallNs(found)).toBe(Number.MAX_SAFE_INTEGER)
  })

  it('reads a thousand of the longest, and no more', () => {
    const most = Array<number>(CALLS_MAX * 2).fill(Number.MAX_SAFE_INTEGER)

    expect(calls(...most)!.count).toBe(CALLS_MAX)
    expect(calls(...Array<number>(CALLS_MAX * 2 + 2).fill(1))).toBeUndefined()
  })

  it.each([
    ['nothing', ''],
    ['one call', pack([1, 2])],
    ['half a call', pack([1, 2, 3])],
    ['half a number', Buffer.from([1, 2, 3, 0x80]).toString('base64')],
    ['a number without end', Buffer.from([1, 2, 3, ...Array(12).fill(0x80), 0]).toString('base64')],
    ['what is no base64', '<script>'],
    ['megabytes', 'AAAA'.repeat(1_000_000)]
  ])('takes %s for no calls', (_what, packed) => {
    expect(unpackCalls({ 'spanloom.collapsed.calls': packed })).toBeUndefined()
  })

  it('takes a span without them for one', () => {
    expect(unpackCalls({})).toBeUndefined()
  })
})

it('hides the packed calls where they can be read, and nothing else', () => {
  const packed = { 'spanloom.collapsed.calls': pack([1, 2, 3, 4]), __proto__x: 'kept' }
  const broken = { 'spanloom.collapsed.calls': '<script>' }

  expect(readableAttributes(packed)).toEqual({ __proto__x: 'kept' })
  expect(readableAttributes(broken)).toBe(broken)
})

describe('drawn calls', () => {
  it('are parts in order of time, joined where they touch', () => {
    const found = calls(50, 10, 0, 10, 10, 10, 55, 20)!

    expect(callParts(found, 0)).toEqual([0, 20, 50, 75])
    expect(callParts(found, 30)).toEqual([0, 75])
  })

  it('have a tick where each but the first begins, as far as there is room', () => {
    const found = calls(0, 10, 10, 10, 20, 10, 21, 3, 40, 10)!

    expect(callTicks(found, 0)).toEqual([10, 20, 21, 40])
    expect(callTicks(found, 10)).toEqual([10, 20, 40])
    expect(callTicks(found, 1_000)).toEqual([])
  })
})
