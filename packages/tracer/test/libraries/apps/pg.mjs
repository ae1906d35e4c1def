import { called, end, failure, load, mark, step } from './steps.mjs'

const [name, how, port] = process.argv.slice(2)
const pg = await load(name, how)
const Cursor = await load('pg-cursor', how)

const options = { host: '127.0.0.1', port: Number(port), user: 'postgres', database: 'postgres' }
const pool = new pg.Pool({ ...options, max: 1 })
await pool.query('CREATE TABLE IF NOT EXISTS orders (id int PRIMARY KEY, mail text)')
await pool.query('TRUNCATE orders')

await step('promise', () => pool.query("INSERT INTO orders VALUES (1, 'secret')"))
await step('callback', () =>
  called((done) =>
    pool.query('SELECT mail FROM orders WHERE id = $1', [1], (...outcome) => {
      mark('in callback')
      done(...outcome)
    })
  )
)
await step('failure', () => failure(pool.query("INSERT INTO orders VALUES (1, 'secret')")))
await step('bad value', () => failure(pool.query('SELECT $1::int', ['secret "value"'])))
await step('bad syntax', () => failure(pool.query("SELECT 'secret")))
await pool.query({
  name: 'once prepared',
  text: 'SELECT id FROM orders WHERE id = $1',
  values: [1]
})
await step('by name', () => pool.query({ name: 'once prepared', values: [1] }))
await step('cursor', async () => {
  const client = await pool.connect()
  const cursor = client.query(new Cursor('SELECT generate_series(1, 5) AS n'))
  await called((done) =>
    cursor.read(2, (...outcome) => {
      mark('in cursor')
      done(...outcome)
    })
  )
  await called((done) => cursor.read(10, done))
  await called((done) => cursor.close(done))
  client.release()
})
// One connection: each but the first has to wait for what another gives back.
await Promise.all(
  ['one', 'two', 'three'].map((each) =>
    step(`pool ${each}`, async () => {
      await pool.query('SELECT id FROM orders')
      await called((done) =>
        pool.connect((error, client, release) => {
          mark(`got ${each}`)
          client?.query('SELECT 1', (...outcome) => {
            release()
            done(...outcome)
          })
          if (error) done(error)
        })
      )
    })
  )
)
// Of no step, and waits for a connection that a step gives back.
let letGo
const holder = step('holder', async () => {
  const client = await pool.connect()
  await new Promise((resolve) => {
    letGo = resolve
  })
  client.release()
})
while (letGo === undefined) await new Promise((resolve) => setImmediate(resolve))
const background = pool.query('SELECT 1 AS background')
letGo()
await Promise.all([holder, background])
await pool.query('DEALLOCATE ALL')
await pool.end()
end()
