/** What a span shows of a document. */
import { describe, expect, it } from 'vitest'
import { DOCUMENT_CHARS_MAX, withoutLiterals } from './graphql.ts'

describe('a shown document', () => {
  it.each([
    ['{ a(b: "x # y", c: -1.5e3) }', '{ a(b: ?, c: ?) }'],
    ['{ a(b: """x "y" 7""") # z\n}', '{ a(b: ?) }'],
    ['{ a(b: "x\\"y") }', '{ a(b: ?) }'],
    ['query Q1($v2: Int = 3) { f4(a: $v2) }', 'query Q1($v2: Int = ?) { f4(a: $v2) }']
  ])('%s', (document, text) => {
    expect(withoutLiterals(document)).toBe(text)
  })

  it('is cut at its limit, and shows nothing of a literal that is cut', () => {
    const names = 'a'.repeat(DOCUMENT_CHARS_MAX)
    expect(withoutLiterals(names)).toBe(names)
    expect(withoutLiterals(`${names}b`)).toBe(names)
    const upTo = names.slice(0, -8)
    for (const cut of ['(x: "secret")', '(x:"sec\\"ret")', '(x:"""secret""")', '(x:1234567890)']) {
      expect(withoutLiterals(upTo + cut)).toMatch(/^a+\(x: ?\?$/)
    }
  })
})
