/** What a span shows of a document. */
import { describe, expect, it } from 'vitest'
import {
  DOCUMENT_CHARS_MAX,
  SEARCHED_CHARS_MAX,
  withoutLiterals,
  withoutQuotes
} from './graphql-document.ts'

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

describe('an error about a document', () => {
  it.each([
    [
      'Int cannot represent non-integer value: "secret"',
      '{ a(b: "secret") }',
      'Int cannot represent non-integer value: ?'
    ],
    [
      'Cannot query field "a" on type "Query".',
      '{ a(b: "b") }',
      'Cannot query field "a" on type "Query".'
    ],
    ['No date: secret', '{ a(b: "secret") }', 'No date: ?'],
    ['Expected "Name", found Int "-42".', '{ a(-42) }', 'Expected "Name", found Int "?".'],
    ['found 4, not 42 of "a4"', '{ a4(b: 4, c: "x") }', 'found ?, not 42 of "a4"'],
    ['found "se\\"cret" in "f"', '{ f(b: "se\\u0022cret") }', 'found ?'],
    ['found secret at 7 "f"', '{ f(b: """secret""") }', 'found secret at ? ?']
  ])('%s: of %s', (message, document, text) => {
    expect(withoutQuotes(message, document)).toBe(text)
  })

  it('quotes nothing of a document that is too long to search', () => {
    const of = (chars: number) => withoutQuotes('field "a"', '{ a }'.padEnd(chars))
    expect(of(SEARCHED_CHARS_MAX)).toBe('field "a"')
    expect(of(SEARCHED_CHARS_MAX + 1)).toBe('field ?')
  })
})
