import { describe, expect, it } from 'vitest'
import { summarize } from './sql.ts'

const text = (sql: string) => summarize(sql, 'mysql').text

describe('MySQL statements', () => {
  it.each([
    ["SELECT 'it\\'s secret', 1", 'SELECT ?, ?'],
    ["SELECT 'secret''s', 2", 'SELECT ?, ?'],
    ['SELECT "secret \\" still", "a""b"', 'SELECT ?, ?'],
    ["SELECT x'0F', b'01', n'secret', 0x1F", 'SELECT ?, ?, ?, ?'],
    ["SELECT _utf8mb4'secret'", 'SELECT _utf8mb4?'],
    ["SELECT 'secret", 'SELECT ?'],
    ["SELECT 'secret\\", 'SELECT ?'],
    ['SELECT "secret', 'SELECT ?'],
    ['SELECT a # secret\nFROM t -- secret', 'SELECT a FROM t'],
    ['SELECT 5--2, 1 --', 'SELECT ?--?, ?'],
    ["SELECT 1--'\nsecret'", 'SELECT ?--?'],
    ['SELECT /*! secret */ $a FROM t', 'SELECT $a FROM t']
  ])('%s', (sql, shown) => {
    expect(text(sql)).toBe(shown)
  })

  it('finds tables behind backticks', () => {
    expect(summarize('INSERT INTO `shop`.`order items` VALUES (1)', 'mysql').table).toBe(
      'shop.order items'
    )
  })

  it('keeps what another dialect made of the same text apart', () => {
    const sql = 'SELECT "a" FROM t'
    expect(summarize(sql).text).toBe('SELECT "a" FROM t')
    expect(text(sql)).toBe('SELECT ? FROM t')
    expect(summarize(sql).text).toBe('SELECT "a" FROM t')
  })
})
