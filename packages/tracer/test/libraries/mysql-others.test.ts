/** mysql and mariadb against a real MariaDB. */
import { describe, expect, it } from 'vitest'
import { App, REGISTER } from '../child.ts'
import { LIBRARY_APPS, librariesAreThere } from './available.ts'
import { expectNoValue, names, runToEnd } from './scenario.ts'
import { hasServer, startServer } from './servers.ts'
import { sharedServer } from './shared-server.ts'

const runs = librariesAreThere && hasServer('mariadb')

describe.skipIf(!runs)('clients of MySQL', { timeout: 60_000 }, () => {
  const server = sharedServer(() => startServer('mariadb'))

  it.each([
    ['mysql-2.16', 'require'],
    ['mysql', 'require'],
    ['mysql', 'import']
  ])('%s, %s', async (name, how) => {
    const told = await runToEnd('mysql.mjs', [name, how, `${server.port}`])
    const { step } = told

    const values = told.under('values')
    expect(names(values)).toEqual(['INSERT orders'])
    expect(values[0]!.attributes).toEqual({
      'db.system.name': 'mysql',
      'db.namespace': 'shop',
      'db.operation.name': 'INSERT',
      'db.collection.name': 'orders',
      'db.query.text': 'INSERT INTO orders (id, mail) VALUES (?)',
      'server.address': '127.0.0.1',
      'server.port': server.port
    })
    expect(step('in callback').parentSpanId).toBe(step('values').spanId)
    expect(told.under('options')[0]!.attributes['db.query.text']).toBe(
      'SELECT * FROM `orders` WHERE mail IN (?)'
    )
    expect(names(told.under('events'))).toEqual(['SELECT orders'])
    expect(step('in event').parentSpanId).toBe(step('events').spanId)
    expect(names(told.under('stream'))).toEqual(['SELECT orders'])
    expect(step('in stream').parentSpanId).toBe(step('stream').spanId)
    expect(names(told.under('transaction'))).toEqual(['START shop', 'COMMIT shop'])
    const [duplicate] = told.under('duplicate')
    expect(duplicate!.attributes).toMatchObject({
      'db.response.status_code': '23000',
      'error.type': 'ER_DUP_ENTRY'
    })
    const failed = told.under('failed events')
    expect(failed.map(({ attributes }) => attributes['error.type'])).toEqual(['ER_NO_SUCH_TABLE'])
    for (const each of ['one', 'two', 'three']) {
      expect(names(told.under(`pool ${each}`))).toEqual(['SELECT orders', 'SELECT shop'])
      expect(step(`got ${each}`).parentSpanId).toBe(step(`pool ${each}`).spanId)
    }
    expect(names(told.under('cluster'))).toEqual(['SELECT orders'])
    expectNoValue(told)
  })

  it.each([
    ['mariadb-3.0', 'require'],
    ['mariadb-3.0', 'import'],
    ['mariadb-3.4', 'require'],
    ['mariadb', 'import']
  ])('%s, %s', async (name, how) => {
    const told = await runToEnd('mariadb.mjs', [name, how, `${server.port}`])
    const { step } = told

    expect(told.under('connect')).toEqual([])
    const values = told.under('values')
    expect(names(values)).toEqual(['INSERT orders'])
    expect(values[0]!.attributes).toEqual({
      'db.system.name': 'mariadb',
      'db.namespace': 'shop',
      'db.operation.name': 'INSERT',
      'db.collection.name': 'orders',
      'db.query.text': 'INSERT INTO orders (id, mail) VALUES (?)',
      'server.address': '127.0.0.1',
      'server.port': server.port
    })
    expect(names(told.under('execute'))).toEqual(['SELECT orders'])
    expect(names(told.under('prepared'))).toEqual(['UPDATE orders'])
    const [batch, ...more] = told.under('batch')
    expect(more).toEqual([])
    expect(batch!.attributes).toMatchObject({
      'db.operation.name': 'INSERT',
      'db.operation.batch.size': 2
    })
    expect(names(told.under('stream'))).toEqual(['SELECT orders'])
    expect(told.named('in data').map(({ parentSpanId }) => parentSpanId)).toEqual(
      Array(3).fill(step('stream').spanId)
    )
    expect(names(told.under('transaction'))).toEqual(['START shop', 'DELETE orders', 'COMMIT shop'])
    const [duplicate] = told.under('duplicate')
    expect(duplicate!.attributes).toMatchObject({
      'db.response.status_code': '23000',
      'error.type': 'ER_DUP_ENTRY'
    })
    expect(duplicate!.status).toMatchObject({ code: 2, message: 'Duplicate entry ?' })
    const [unprepared, ...others] = told.under('cannot prepare')
    expect(others).toEqual([])
    expect(unprepared!.attributes['error.type']).toBe('ER_BAD_FIELD_ERROR')
    for (const each of ['one', 'two', 'three']) {
      expect(names(told.under(`pool ${each}`))).toEqual([
        'SELECT orders',
        'SELECT orders',
        'SELECT shop'
      ])
      expect(step(`got ${each}`).parentSpanId).toBe(step(`pool ${each}`).spanId)
    }
    expect(names(told.under('callback'))).toEqual(['SELECT orders'])
    expect(step('in callback').parentSpanId).toBe(step('callback').spanId)
    expect(told.under('failed callback').map(({ attributes }) => attributes['error.type'])).toEqual(
      ['ER_NO_SUCH_TABLE']
    )
    expectNoValue(told)
  })
  it('mariadb, require: says that it cannot be instrumented so', async () => {
    const app = new App(`${LIBRARY_APPS}idle.mjs`, {
      nodeArgs: ['--import', REGISTER],
      args: ['mariadb', 'require']
    })
    await app.line(/INSTRUMENT_UNSUPPORTED.*mariadb/)
    await app.stop()
  })
})
