import { called, end, failure, load, mark, step } from './steps.mjs'

const [name, how, port] = process.argv.slice(2)
const mariadb = await load(name, how)
const callbacks = await load(`${name}/callback${name === 'mariadb' ? '' : '.js'}`, how)

const options = {
  host: '127.0.0.1',
  port: Number(port),
  user: 'root',
  allowPublicKeyRetrieval: true
}
const setUp = await mariadb.createConnection(options)
await setUp.query('CREATE DATABASE IF NOT EXISTS shop')
await setUp.query('DROP TABLE IF EXISTS shop.orders')
await setUp.query('CREATE TABLE shop.orders (id INT PRIMARY KEY, mail VARCHAR(80))')
await setUp.end()

const shop = { ...options, database: 'shop' }
const connection = await step('connect', () => mariadb.createConnection(shop))
await step('values', () =>
  connection.query('INSERT INTO orders (id, mail) VALUES (?, ?)', [1, 'secret@x'])
)
await step('execute', () => connection.execute('SELECT mail FROM orders WHERE id = ?', [1]))
await step('prepared', async () => {
  const statement = await connection.prepare('UPDATE orders SET mail = ? WHERE id = ?')
  await statement.execute(['secret', 1])
  statement.close()
})
await step('batch', () =>
  connection.batch('INSERT INTO orders VALUES (?, ?)', [
    [2, 'secret'],
    [3, 'secret']
  ])
)
await step('stream', async () => {
  const stream = connection.queryStream('SELECT id FROM orders')
  stream.on('data', () => mark('in data'))
  await new Promise((resolve) => stream.on('end', resolve))
})
await step('transaction', async () => {
  await connection.beginTransaction()
  await connection.query('DELETE FROM orders WHERE id = 3')
  await connection.commit()
})
await step('duplicate', () =>
  failure(connection.query('INSERT INTO orders VALUES (1, ?)', ['secret']))
)
await step('cannot prepare', () => failure(connection.execute('SELECT nope FROM orders')))
await connection.end()

// One connection, so that all but the first have to wait for what another gives back.
const pool = mariadb.createPool({ ...shop, connectionLimit: 1 })
await Promise.all(
  ['one', 'two', 'three'].map((each) =>
    step(`pool ${each}`, async () => {
      await pool.query('SELECT id FROM orders WHERE id = ?', [1])
      await pool.execute('SELECT mail FROM orders WHERE id = ?', [2])
      const taken = await pool.getConnection()
      mark(`got ${each}`)
      await taken.query('SELECT 1')
      await taken.release()
    })
  )
)
await pool.end()

const old = callbacks.createConnection(shop)
await called((done) => old.connect(done))
await step('callback', () =>
  called((done) =>
    old.query('SELECT id FROM orders WHERE mail = ?', ['secret'], (...outcome) => {
      mark('in callback')
      done(...outcome)
    })
  )
)
await step('failed callback', () =>
  failure(called((done) => old.query('SELECT * FROM nowhere', done)))
)
await called((done) => old.end(done))
end()
