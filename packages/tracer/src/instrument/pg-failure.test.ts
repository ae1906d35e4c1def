import { describe, expect, it } from 'vitest'
import { readPgFailure } from './pg-failure.ts'

describe('an error of PostgreSQL', () => {
  const read = (code: string, message: string) =>
    readPgFailure(Object.assign(new Error(message), { code }))

  it('has a status of five letters and digits', () => {
    expect(read('23505', 'duplicate key')).toEqual({
      statusCode: '23505',
      type: '23505',
      message: 'duplicate key'
    })
    expect(read('XX000', 'internal').statusCode).toBe('XX000')
  })

  it('keeps no value of a data exception', () => {
    expect(read('22P02', 'invalid input syntax for type integer: "se"cret"').message).toBe(
      'invalid input syntax for type integer: ?'
    )
  })

  it('keeps nothing of the statement in which the syntax is wrong', () => {
    expect(read('42601', 'unterminated quoted string at or near "\'se"cret"').message).toBe(
      'unterminated quoted string at or near ?'
    )
    expect(read('42601', 'syntax error at end of input').message).toBe(
      'syntax error at end of input'
    )
  })

  it.each(['EPIPE', 'ECONNRESET', 'CONNECTION_ENDED'])('%s, of a connection, is none', (code) => {
    expect(read(code, 'gone')).toEqual({ statusCode: undefined, type: code, message: 'gone' })
  })
})
