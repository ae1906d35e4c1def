/** mysql, mysql2 and mariadb against a real MariaDB. */
import { describe, expect, it } from 'vitest'
import { App, REGISTER } from '../child.ts'
import { LIBRARY_APPS, librariesAreThere } from './available.ts'
import { expectNoValue, names, runToEnd, type Told } from './scenario.ts'
import { hasServer, startServer } from './servers.ts'
import { sharedServer } from './shared-server.ts'

const runs = librariesAreThere && hasServer('mariadb')

describe.skipIf(!runs)('clients of MySQL', { timeout: 60_000 }, () => {
  const server = sharedServer(() => startServer('mariadb'))

  /** What all of them do alike. */
  function expectQueries(told: Told, system: string, pooled: readonly string[]): void {
    const values = told.under('values')
    expect(names(values)).toEqual(['INSERT orders'])
    expect(values[0]!.attributes).toEqual({
      'db.system.name': system,
      'db.namespace': 'shop',
      'db.operation.name': 'INSERT',
      'db.collection.name': 'orders',
      'db.query.text': 'INSERT INTO orders (id, mail) VALUES (?)',
      'server.address': '127.0.0.1',
      'server.port': server.port
    })
    const [duplicate] = told.under('duplicate')
    expect(duplicate!.attributes).toMatchObject({
      'db.response.status_code': '23000',
      'error.type': 'ER_DUP_ENTRY'
    })
    expect(duplicate!.status).toMatchObject({ code: 2, message: 'Duplicate entry ?' })
    for (const each of ['one', 'two', 'three']) {
      const pool = told.step(`pool ${each}`)
      expect(names(told.under(pool.name))).toEqual(pooled)
      expect(told.step(`got ${each}`).parentSpanId).toBe(pool.spanId)
    }
    expectNoValue(told)
  }

  /** What mysql2 has kept of mysql. */
  function expectEvents(told: Told): void {
    const { step } = told
    expect(step('in callback').parentSpanId).toBe(step('values').spanId)
    expect(names(told.under('events'))).toEqual(['SELECT orders'])
    expect(step('in event').parentSpanId).toBe(step('events').spanId)
    const failed = told.under('failed events')
    expect(failed.map(({ attributes }) => attributes['error.type'])).toEqual(['ER_NO_SUCH_TABLE'])
    expect(names(told.under('cluster'))).toEqual(['SELECT orders'])
  }

  it.each([
    ['mysql-2.16', 'require'],
    ['mysql', 'require'],
    ['mysql', 'import']
  ])('%s, %s', async (name, how) => {
    const told = await runToEnd('mysql.mjs', [name, how, `${server.port}`])
    const { step, texts } = told
    expectQueries(told, 'mysql', ['SELECT orders', 'SELECT shop'])
    expectEvents(told)
    expect(texts('options')).toEqual(['SELECT * FROM `orders` WHERE mail IN (?)'])
    expect(names(told.under('stream'))).toEqual(['SELECT orders'])
    expect(step('in stream').parentSpanId).toBe(step('stream').spanId)
    expect(names(told.under('transaction'))).toEqual(['START shop', 'COMMIT shop'])
  })

  it.each([
    ['mysql2-3.6', 'require'],
    ['mysql2', 'require'],
    ['mysql2', 'import']
  ])('%s, %s', async (name, how) => {
    const told = await runToEnd('mysql2.mjs', [name, how, `${server.port}`])
    const { texts } = told
    expectQueries(told, 'mysql', ['SELECT orders', 'SELECT orders', 'SELECT shop'])
    expectEvents(told)
    expect(texts('literals')).toEqual(['SELECT * FROM `orders` WHERE mail IN (?)'])
    expect(names(told.under('literals'))).toEqual(['SELECT orders'])
    expect(texts('options')).toEqual(['SELECT id FROM orders WHERE id = ?'])
    expect(texts('execute')).toEqual(['SELECT mail FROM orders WHERE id = ?'])
    expect(texts('prepared')).toEqual(['UPDATE orders SET mail = ? WHERE id = ?'])
    expect(texts('events')).toEqual(['SELECT id FROM orders'])
    expect(told.under('cannot prepare').map(({ status }) => status.message)).toEqual([
      expect.stringContaining("column 'nope'")
    ])
  })

  it.each([
    ['mariadb-3.0', 'require'],
    ['mariadb-3.0', 'import'],
    ['mariadb-3.4', 'require'],
    ['mariadb', 'import']
  ])('%s, %s', async (name, how) => {
    const told = await runToEnd('mariadb.mjs', [name, how, `${server.port}`])
    const { step } = told
    expectQueries(told, 'mariadb', ['SELECT orders', 'SELECT orders', 'SELECT shop'])
    expect(told.under('connect')).toEqual([])
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
    const [unprepared, ...others] = told.under('cannot prepare')
    expect(others).toEqual([])
    expect(unprepared!.attributes['error.type']).toBe('ER_BAD_FIELD_ERROR')
    expect(names(told.under('callback'))).toEqual(['SELECT orders'])
    expect(step('in callback').parentSpanId).toBe(step('callback').spanId)
    expect(told.under('failed callback').map(({ attributes }) => attributes['error.type'])).toEqual(
      ['ER_NO_SUCH_TABLE']
    )
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
