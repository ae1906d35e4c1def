/** mysql2 against a real MariaDB. */
import { describe, expect, it } from 'vitest'
import { librariesAreThere } from './available.ts'
import { expectNoValue, names, runToEnd } from './scenario.ts'
import { hasServer, startServer } from './servers.ts'
import { sharedServer } from './shared-server.ts'

const runs = librariesAreThere && hasServer('mariadb')

describe.skipIf(!runs)('mysql2', { timeout: 60_000 }, () => {
  const server = sharedServer(() => startServer('mariadb'))

  it.each([
    ['mysql2-3.6', 'require'],
    ['mysql2', 'require'],
    ['mysql2', 'import']
  ])('%s, %s', async (name, how) => {
    const told = await runToEnd('mysql2.mjs', [name, how, `${server.port}`])
    const { step, texts } = told

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
    expect(texts('literals')).toEqual(['SELECT * FROM `orders` WHERE mail IN (?)'])
    expect(names(told.under('literals'))).toEqual(['SELECT orders'])
    expect(texts('options')).toEqual(['SELECT id FROM orders WHERE id = ?'])
    expect(texts('execute')).toEqual(['SELECT mail FROM orders WHERE id = ?'])
    expect(texts('prepared')).toEqual(['UPDATE orders SET mail = ? WHERE id = ?'])
    expect(texts('events')).toEqual(['SELECT id FROM orders'])
    expect(step('in event').parentSpanId).toBe(step('events').spanId)

    const [duplicate] = told.under('duplicate')
    expect(duplicate!.attributes).toMatchObject({
      'db.response.status_code': '23000',
      'error.type': 'ER_DUP_ENTRY'
    })
    expect(duplicate!.status).toMatchObject({ code: 2, message: 'Duplicate entry ?' })
    expect(told.under('cannot prepare').map(({ status }) => status.message)).toEqual([
      expect.stringContaining("column 'nope'")
    ])
    const failed = told.under('failed events')
    expect(failed.map(({ attributes }) => attributes['error.type'])).toEqual(['ER_NO_SUCH_TABLE'])

    for (const each of ['one', 'two', 'three']) {
      expect(names(told.under(`pool ${each}`))).toEqual([
        'SELECT orders',
        'SELECT orders',
        'SELECT shop'
      ])
      expect(step(`got ${each}`).parentSpanId).toBe(step(`pool ${each}`).spanId)
    }
    expect(names(told.under('cluster'))).toEqual(['SELECT orders'])
    expectNoValue(told)
  })
})
