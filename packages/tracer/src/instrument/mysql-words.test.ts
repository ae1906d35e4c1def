import { describe, expect, it } from 'vitest'
import { readMysqlFailure } from './mysql-words.ts'

describe('an error of MySQL or MariaDB', () => {
  const read = (code: string, sqlMessage: string) => readMysqlFailure({ code, sqlMessage }).message

  it('keeps no value between its quotes, over all lines', () => {
    expect(read('ER_PARSE_ERROR', "wrong near ''secret\n secret' at line 1")).toBe(
      'wrong near ? at line 1'
    )
    expect(read('ER_BAD_FIELD_ERROR', "Unknown column 'a'")).toBe("Unknown column 'a'")
  })

  it('keeps neither the statement nor the parameters that the client puts behind it', () => {
    const told = 'Parameter at position 2 is undefined\nSELECT ?, ? - parameters:[1234,undefined]'
    expect(read('ER_PARAMETER_UNDEFINED', told)).toBe('Parameter at position 2 is undefined')
  })
})
