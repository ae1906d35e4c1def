import { once } from 'node:events'
import { called, end, failure, load, mark, step } from './steps.mjs'

const [name, how, port] = process.argv.slice(2)
const mysql = await load(name, how)

const options = { host: '127.0.0.1', port: Number(port), user: 'root' }
const client = mysql.createConnection(options)
await called((done) => client.connect(done))
await called((done) => client.query('CREATE DATABASE IF NOT EXISTS shop', done))
await called((done) => client.query('DROP TABLE IF EXISTS shop.orders', done))
await called((done) =>
  client.query('CREATE TABLE shop.orders (id INT PRIMARY KEY, mail VARCHAR(80))', done)
)
await called((done) => client.end(done))

const shop = { ...options, database: 'shop' }
const connection = mysql.createConnection(shop)
await step('values', () =>
  called((done) =>
    connection.query(
      'INSERT INTO orders (id, mail) VALUES (?, ?)',
      [1, 'secret@x'],
      (...outcome) => {
        mark('in callback')
        done(...outcome)
      }
    )
  )
)
await step('options', () =>
  called((done) =>
    connection.query(
      { sql: `SELECT * FROM \`orders\` WHERE mail IN ("secret", ?)` },
      ['secret'],
      done
    )
  )
)
await step('events', async () => {
  const query = connection.query('SELECT id FROM orders')
  query.on('result', () => mark('in event'))
  await once(query, 'end')
})
await step('stream', async () => {
  const stream = connection.query('SELECT id FROM orders').stream()
  stream.on('data', () => mark('in stream'))
  await once(stream, 'end')
})
await step('transaction', async () => {
  await called((done) => connection.beginTransaction(done))
  await called((done) => connection.commit(done))
})
await step('duplicate', () =>
  failure(called((done) => connection.query("INSERT INTO orders VALUES (1, 'secret')", done)))
)
await step('failed events', async () => {
  const query = connection.query('SELECT * FROM nowhere')
  await new Promise((resolve) => query.on('error', resolve))
})
await called((done) => connection.end(done))

// One connection, so that all but the first have to wait for what another gives back.
const pool = mysql.createPool({ ...shop, connectionLimit: 1 })
await Promise.all(
  ['one', 'two', 'three'].map((each) =>
    step(`pool ${each}`, async () => {
      await called((done) => pool.query('SELECT id FROM orders WHERE id = ?', [1], done))
      const [taken] = await called((done) =>
        pool.getConnection((...outcome) => {
          mark(`got ${each}`)
          done(...outcome)
        })
      )
      await called((done) => taken.query('SELECT 1', done))
      taken.release()
    })
  )
)
await called((done) => pool.end(done))

const cluster = mysql.createPoolCluster()
cluster.add('first', { ...shop, connectionLimit: 1 })
await step('cluster', () =>
  called((done) => cluster.of('*').query('SELECT id FROM orders LIMIT 1', done))
)
await called((done) => cluster.end(done))
end()
