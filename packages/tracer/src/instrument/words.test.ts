import { describe, expect, it } from 'vitest'
import { knownMethod, parseHost, redactOrigin, redactQuery, redactTarget } from './http-words.ts'
import { summarize } from './sql.ts'

describe('HTTP’s words', () => {
  it.each([
    ['shop.example', 'shop.example', undefined],
    ['shop.example:8080', 'shop.example', 8080],
    ['127.0.0.1:1', '127.0.0.1', 1],
    ['[::1]:8080', '::1', 8080],
    ['[::1]', '::1', undefined],
    ['::1', '::1', undefined],
    ['host:bad', 'host', undefined],
    ['me:secret@shop.example:8080', 'shop.example', 8080]
  ])('a host header %s', (header, host, port) => {
    expect(parseHost(header)).toEqual({ host, port })
  })

  it('hides credentials and the values of queries, and keeps the names', () => {
    expect(redactQuery('id=7&token=a=b&flag&=x')).toBe('id=REDACTED&token=REDACTED&flag&=REDACTED')
    expect(redactTarget('/a?b=c#d')).toBe('/a?b=REDACTED')
    expect(redactTarget('/a#?b')).toBe('/a')
    const [word, token] = ['a'.repeat(24), 'a'.repeat(25)]
    expect(redactQuery(`${word}&${token}&7f3a&&x%20`)).toBe(`${word}&REDACTED&REDACTED&&REDACTED`)
    expect(redactTarget('http://me:secret@host:1/@a?b=c')).toBe(
      'http://REDACTED:REDACTED@host:1/@a?b=REDACTED'
    )
    expect(redactTarget('https://host?b=c')).toBe('https://host?b=REDACTED')
    expect(redactOrigin('http://me:secret@host:1')).toBe('http://REDACTED:REDACTED@host:1')
    expect(redactOrigin('http://host')).toBe('http://host')
  })

  it('knows the methods', () => {
    expect(knownMethod('PATCH')).toBe('PATCH')
    expect(knownMethod('get')).toBe('_OTHER')
    expect(knownMethod('STEAL')).toBe('_OTHER')
  })
})

describe('a SQL statement', () => {
  it.each([
    ["SELECT * FROM t WHERE a = 'x'", 'SELECT * FROM t WHERE a = ?'],
    ["SELECT 'it''s', E'a\\'b', U&'d', B'01', X'ff'", 'SELECT ?, ?, ?, ?, ?'],
    ["SELECT 'a\\' FROM t WHERE b = 'c'", 'SELECT ? FROM t WHERE b = ?'],
    ['SELECT 1, 1.5, .5, 1e10, 0xff, -3', 'SELECT ?, ?, ?, ?, ?, -?'],
    ['SELECT col1, t2.c3 FROM t2 LIMIT 10', 'SELECT col1, t2.c3 FROM t2 LIMIT ?'],
    ['SELECT $1::int, $2', 'SELECT $1::int, $2'],
    ["SELECT $$se'cret$$, $tag$ a $$ b $tag$", 'SELECT ?, ?'],
    ['SELECT a FROM t -- secret 1\nWHERE b=2', 'SELECT a FROM t WHERE b=?'],
    ['SELECT /* secret */ a\n\t FROM   t', 'SELECT a FROM t'],
    ['SELECT a FROM t WHERE b IN (1, 2,3)', 'SELECT a FROM t WHERE b IN (?)'],
    ["INSERT INTO t VALUES (1,'a'), (2,'b')", 'INSERT INTO t VALUES (?)'],
    ['SELECT "Weird Col" FROM "S"."T"', 'SELECT "Weird Col" FROM "S"."T"'],
    ["SELECT 'unfinished secret", 'SELECT ?'],
    ['SELECT $tag$unfinished secret', 'SELECT ?'],
    ['/* unfinished secret', ''],
    ['/* a /* secret */ secret */ SELECT 1 /* /* secret */', 'SELECT ?'],
    ['SELECT $é$ secret $é$ FROM t', 'SELECT ? FROM t'],
    ['SET LOCAL app.user TO secret', 'SET LOCAL app.user TO ?'],
    ['set x = secret, "secret"', 'set x = ?, ?'],
    ['UPDATE t SET a = b', 'UPDATE t SET a = b'],
    ['SET TRANSACTION READ ONLY', 'SET TRANSACTION READ ONLY']
  ])('%s', (sql, text) => {
    expect(summarize(sql).text).toBe(text)
  })

  it.each([
    ['select * from orders', 'SELECT', 'orders'],
    ['SELECT * FROM shop.orders o JOIN x ON 1=1', 'SELECT', 'shop.orders'],
    ['SELECT * FROM "Shop"."Order Lines"', 'SELECT', 'Shop.Order Lines'],
    ['INSERT INTO orders (a) VALUES (1)', 'INSERT', 'orders'],
    ['UPDATE ONLY orders SET a = 1', 'UPDATE', 'orders'],
    ['DELETE FROM orders', 'DELETE', 'orders'],
    ['CREATE TABLE IF NOT EXISTS orders (a int)', 'CREATE', 'orders'],
    ['WITH x AS (SELECT 1 FROM inner_t) INSERT INTO outer_t SELECT * FROM x', 'INSERT', 'outer_t'],
    ['(SELECT 1 FROM a) UNION SELECT 2 FROM b', 'SELECT', 'a'],
    ['SELECT now()', 'SELECT', undefined],
    ['BEGIN', 'BEGIN', undefined],
    ['  ', undefined, undefined],
    ['1', undefined, undefined]
  ])('%s does %s on %s', (sql, operation, table) => {
    expect(summarize(sql)).toMatchObject({ operation, table })
  })

  it('takes bounded time and room', () => {
    const long = summarize(`SELECT ${"'x',".repeat(100_000)} 1`)
    expect(long.text.length).toBeLessThanOrEqual(2_048)
    expect(summarize('('.repeat(50_000)).text.length).toBeLessThanOrEqual(2_048)
  })
})
