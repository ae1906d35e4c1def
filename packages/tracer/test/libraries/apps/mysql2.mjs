import { once } from 'node:events'
import { called, end, failure, load, mark, step } from './steps.mjs'

const [name, how, port] = process.argv.slice(2)
const mysql = await load(name, how)
const promise = await load(`${name}/promise`, how)

const options = { host: '127.0.0.1', port: Number(port), user: 'root' }
const setUp = await promise.createConnection(options)
await setUp.query('CREATE DATABASE IF NOT EXISTS shop')
await setUp.query('DROP TABLE IF EXISTS shop.orders')
await setUp.query('CREATE TABLE shop.orders (id INT PRIMARY KEY, mail VARCHAR(80))')
await setUp.end()

const shop = { ...options, database: 'shop' }
const client = mysql.createConnection(shop)
await called((done) => client.connect(done))

await step('values', () =>
  called((done) =>
    client.query('INSERT INTO orders (id, mail) VALUES (?, ?)', [1, 'secret@x'], (...outcome) => {
      mark('in callback')
      done(...outcome)
    })
  )
)
await step('literals', () =>
  called((done) =>
    client.query(
      `SELECT * FROM \`orders\` WHERE mail IN ("secret", 'it\\'s secret', 'secret''s') # secret`,
      done
    )
  )
)
await step('options', () =>
  called((done) => client.query({ sql: 'SELECT id FROM orders WHERE id = ?' }, [1], done))
)
await step('execute', () =>
  called((done) => client.execute('SELECT mail FROM orders WHERE id = ?', [1], done))
)
await step('prepared', async () => {
  const [statement] = await called((done) =>
    client.prepare('UPDATE orders SET mail = ? WHERE id = ?', done)
  )
  await called((done) => statement.execute(['secret', 1], done))
})
await step('events', async () => {
  const query = client.query('SELECT id FROM orders')
  query.on('result', () => mark('in event'))
  await once(query, 'end')
})
await step('duplicate', () =>
  failure(called((done) => client.query("INSERT INTO orders VALUES (1, 'secret')", done)))
)
await step('cannot prepare', () =>
  failure(called((done) => client.execute('SELECT nope FROM orders', done)))
)
await step('failed events', async () => {
  const [error] = await new Promise((resolve) => {
    client.query('SELECT * FROM nowhere').on('error', (...args) => resolve(args))
  })
  return error
})
await called((done) => client.end(done))

// One connection, so that all but the first have to wait for what another gives back.
const pool = promise.createPool({ ...shop, connectionLimit: 1 })
await Promise.all(
  ['one', 'two', 'three'].map((each) =>
    step(`pool ${each}`, async () => {
      await pool.query('SELECT id FROM orders WHERE id = ?', [1])
      await pool.execute('SELECT id FROM orders WHERE id = ?', [2])
      const connection = await pool.getConnection()
      mark(`got ${each}`)
      await connection.query('SELECT 1')
      connection.release()
    })
  )
)
await pool.end()

const cluster = mysql.createPoolCluster()
cluster.add('first', { ...shop, connectionLimit: 1 })
await step('cluster', () =>
  called((done) => cluster.of('*').query('SELECT id FROM orders LIMIT 1', done))
)
await called((done) => cluster.end(done))
end()
