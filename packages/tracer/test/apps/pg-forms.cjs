// Every form of a pg query, each in a span of its own, one connection for all, so that they queue.
const { trace } = require('@opentelemetry/api')
const pg = require('pg')

const tracer = trace.getTracer('forms')
const active = () => trace.getActiveSpan()?.spanContext().spanId ?? 'none'
const pool = new pg.Pool({
  host: '127.0.0.1',
  port: Number(process.env.PG_PORT),
  user: 'postgres',
  database: 'postgres',
  max: 1
})
const kept = {}

function inSpan(name, run) {
  return tracer.startActiveSpan(name, async (span) => {
    const own = span.spanContext().spanId
    kept[name] = []
    try {
      await run((note = active()) => kept[name].push(note === own))
    } finally {
      span.end()
    }
  })
}

const forms = {
  promise: async (note) => {
    await pool.query("SELECT name FROM shop.orders WHERE id = 7 AND note = 'secret'")
    note()
  },
  callback: (note) =>
    new Promise((resolve) => {
      pool.query('SELECT $1::int', [1], () => {
        note()
        resolve()
      })
    }),
  connect: (note) =>
    new Promise((resolve) => {
      pool.connect((_error, client, done) => {
        note()
        client.query(
          { text: 'UPDATE shop.orders SET name = $1 WHERE id = 1', values: ['x'] },
          () => {
            note()
            done()
            resolve()
          }
        )
      })
    }),
  configCallback: (note) =>
    new Promise((resolve) => {
      pool.connect().then((client) => {
        client.query({
          text: 'SELECT 2',
          callback: () => {
            note()
            client.release()
            resolve()
          }
        })
      })
    }),
  submittable: (note) =>
    new Promise((resolve) => {
      pool.connect().then((client) => {
        const query = client.query(new pg.Query('SELECT name FROM shop.orders'))
        query.on('row', () => {})
        query.on('end', () => {
          note(active() === 'none' ? undefined : undefined)
          client.release()
          resolve()
        })
      })
    }),
  failing: async (note) => {
    try {
      await pool.query('SELECT * FROM missing_table')
    } catch (error) {
      note()
      if (error.code !== '42P01') throw error
    }
  },
  transaction: async (note) => {
    const client = await pool.connect()
    await client.query('BEGIN')
    await client.query("INSERT INTO shop.orders (id, name) VALUES (2, 'two'), (3, 'three')")
    await client.query('COMMIT')
    client.release()
    note()
  }
}

async function main() {
  await pool.query('CREATE SCHEMA IF NOT EXISTS shop')
  await pool.query('CREATE TABLE IF NOT EXISTS shop.orders (id int, name text, note text)')
  await Promise.all(Object.entries(forms).map(([name, run]) => inSpan(name, run)))
  console.log(`kept ${JSON.stringify(kept)}`)
  let unhandled = 0
  process.on('unhandledRejection', () => unhandled++)
  void pool.query('SELECT nonsense FROM nowhere')
  await new Promise((resolve) => process.once('unhandledRejection', resolve))
  console.log(`unhandled ${unhandled}`)
  await pool.end()
}

main()
