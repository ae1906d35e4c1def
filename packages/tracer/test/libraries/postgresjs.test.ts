/** postgres (postgres.js) against a real PostgreSQL. */
import { describe, expect, it } from 'vitest'
import { librariesAreThere } from './available.ts'
import { expectNoValue, names, runToEnd } from './scenario.ts'
import { hasServer, startServer } from './servers.ts'
import { sharedServer } from './shared-server.ts'

const runs = librariesAreThere && hasServer('postgres')

describe.skipIf(!runs)('postgres', { timeout: 60_000 }, () => {
  const server = sharedServer(() => startServer('postgres'))

  it.each([
    ['postgres-3.1', 'require'],
    ['postgres-3.1', 'import'],
    ['postgres', 'require'],
    ['postgres', 'import']
  ])('%s, %s', async (name, how) => {
    const told = await runToEnd('postgres.mjs', [name, how, `${server.port}`])
    const { step, texts } = told

    const values = told.under('values')
    expect(names(values)).toEqual(['INSERT orders'])
    expect(values[0]!.attributes).toEqual({
      'db.system.name': 'postgresql',
      'db.namespace': 'postgres',
      'db.operation.name': 'INSERT',
      'db.collection.name': 'orders',
      'db.query.text': 'INSERT INTO orders VALUES ($1, $2), (?)',
      'server.address': '127.0.0.1',
      'server.port': server.port
    })
    expect(names(told.under('fragments'))).toEqual(['SELECT orders'])
    expect(texts('fragments')).toEqual([
      'SELECT id FROM "orders" WHERE mail = $1 AND id IN ($2,$3)'
    ])
    expect(texts('helper')).toEqual(['INSERT INTO orders ("id","mail")values($1,$2)'])
    expect(texts('unsafe')).toEqual(['SELECT * FROM orders WHERE mail = ?'])
    expect(names(told.under('file'))).toEqual(['SELECT orders'])
    expect(texts('file')).toEqual(['SELECT count(*) FROM orders WHERE mail = ?'])

    expect(told.under('failure')[0]!.attributes).toMatchObject({
      'db.response.status_code': '23505',
      'error.type': '23505'
    })
    const [bad] = told.under('bad value')
    expect(bad!.attributes['db.response.status_code']).toBe('22P02')
    expect(bad!.status.message).toBe('invalid input syntax for type integer: ?')

    expect(told.named('in each').map(({ parentSpanId }) => parentSpanId)).toEqual(
      Array(3).fill(step('each').spanId)
    )
    expect(names(told.under('cursor'))).toEqual(['SELECT postgres'])
    expect(told.under('cursor')[0]!.endTimeUnixNano).toBeGreaterThan(
      told.named('in loop').at(-1)!.startTimeUnixNano
    )
    expect(names(told.under('left cursor'))).toEqual(['SELECT postgres'])
    expect(told.named('in cursor').map(({ parentSpanId }) => parentSpanId)).toEqual(
      Array(2).fill(step('cursor callback').spanId)
    )
    expect(names(told.under('transaction'))).toEqual(
      [
        'begin postgres',
        'UPDATE orders',
        'SAVEPOINT postgres',
        'DELETE orders',
        'COMMIT postgres'
      ].map((each) => each.replace('begin', 'BEGIN'))
    )
    expect(step('in transaction').parentSpanId).toBe(step('transaction').spanId)
    expect(told.under('rolled back').map(({ name, status }) => [name, status.code])).toEqual([
      ['BEGIN postgres', 0],
      ['SELECT nowhere', 2],
      ['ROLLBACK postgres', 0]
    ])
    for (const each of ['one', 'two', 'three']) {
      expect(names(told.under(`pool ${each}`))).toEqual(['SELECT orders', 'SELECT postgres'])
      expect(step(`got ${each}`).parentSpanId).toBe(step(`pool ${each}`).spanId)
    }
    expect(told.under('never sent')).toEqual([])

    const [refused] = told.under('refused')
    expect(refused!.attributes).toMatchObject({
      'db.query.text': 'SELECT "id" FROM orders',
      'error.type': 'ECONNREFUSED'
    })
    expectNoValue(told)
  })
})
