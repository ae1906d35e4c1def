import { describe, expect, it } from 'vitest'
import { ident, lit, traceIdLit, uint64, unixNanoOfMs } from './lit.ts'

describe('a literal', () => {
  const cases = [
    ['', "''"],
    ['plain', "'plain'"],
    [`it's`, `'it\\'s'`],
    ['\\', `'\\\\'`],
    [`\\'`, `'\\\\\\''`],
    ["'; DROP TABLE spans; --", `'\\'; DROP TABLE spans; --'`],
    ['a\0b', `'a\\0b'`],
    ['line\nbreak', `'line\nbreak'`],
    ['🚀', `'🚀'`],
    ['lone \ud800 and \udc00', `'lone \ufffd and \ufffd'`]
  ] as const
  for (const [text, expected] of cases) {
    it(`of ${JSON.stringify(text)} cannot end early`, () => expect(lit(text)).toBe(expected))
  }

  it('of a number is a whole one that fits', () => {
    expect(uint64(0)).toBe('toUInt64(0)')
    expect(uint64('18446744073709551615')).toBe('toUInt64(18446744073709551615)')
    for (const wrong of [-1, 1.5, Number.NaN, 2 ** 53, '18446744073709551616']) {
      expect(() => uint64(wrong), String(wrong)).toThrow(RangeError)
    }
  })

  it('of a trace id takes nothing but 32 hex digits', () => {
    expect(traceIdLit('0a'.repeat(16))).toContain(`unhex('${'0a'.repeat(16)}')`)
    for (const wrong of ['', '0A'.repeat(16), '0a'.repeat(15), `${'0a'.repeat(15)}')`]) {
      expect(() => traceIdLit(wrong)).toThrow(TypeError)
    }
  })

  it('is never an identifier, and an identifier is one of ours', () => {
    expect(ident('red_10s')).toBe('`red_10s`')
    for (const wrong of ['', 'a`b', 'a b', 'A', '1a']) expect(() => ident(wrong)).toThrow(TypeError)
  })
})

describe('milliseconds', () => {
  it('become nanoseconds without a loss of digits', () => {
    expect(unixNanoOfMs(1_795_424_400_000)).toBe(1_795_424_400_000_000_000n)
    expect(unixNanoOfMs(0.000_001)).toBe(1n)
    expect(unixNanoOfMs(12.5)).toBe(12_500_000n)
    expect(unixNanoOfMs(-0.5)).toBe(-500_000n)
  })
})
