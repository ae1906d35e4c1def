import { expect, it } from 'vitest'
import { joinedWords } from './joined-words.ts'

it('joins, and keeps words apart that join alike', () => {
  expect(joinedWords('GET', '/a b')).toBe('GET /a b')
  expect(joinedWords('GET /a', 'b')).toBe('GET /a b')
  expect(joinedWords('GET', '/a b')).toBe('GET /a b')
})

it('is right past its bound', () => {
  for (let index = 0; index < 4_500; index++) {
    expect(joinedWords('GET', `/${index}`)).toBe(`GET /${index}`)
  }
  expect(joinedWords('GET', '/1')).toBe('GET /1')
})
