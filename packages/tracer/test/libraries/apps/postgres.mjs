import { end, failure, load, mark, step } from './steps.mjs'

const [name, how, port] = process.argv.slice(2)
const postgres = await load(name, how)

const options = { host: '127.0.0.1', port: Number(port), user: 'postgres', database: 'postgres' }
const sql = postgres({ ...options, max: 1, onnotice() {} })
await sql`CREATE TABLE IF NOT EXISTS orders (id int PRIMARY KEY, mail text)`
await sql`TRUNCATE orders`

await step('values', () => sql`INSERT INTO orders VALUES (${1}, ${'secret'}), (2, 'secret')`)
await step('fragments', async () => {
  const where = sql`WHERE mail = ${'secret'}`
  await sql`SELECT id FROM ${sql('orders')} ${where} AND id IN ${sql([1, 2])}`
})
await step('helper', () => sql`INSERT INTO orders ${sql({ id: 3, mail: 'secret' })}`)
await step('unsafe', () => sql.unsafe("SELECT * FROM orders WHERE mail = 'secret'"))
await step('file', () => sql.file(new URL('./postgres.sql', import.meta.url).pathname))
await step('failure', () => failure(sql`INSERT INTO orders VALUES (1, 'secret')`))
await step('bad value', () => failure(sql`SELECT ${'secret "value"'}::int`))
await step('each', () =>
  sql`SELECT id FROM orders`.forEach(() => {
    mark('in each')
  })
)
await step('cursor', async () => {
  let rows = 0
  for await (const part of sql`SELECT generate_series(1, 5) AS n`.cursor(2)) {
    rows += part.length
    mark('in loop')
  }
  if (rows !== 5) throw new Error(`${rows} rows`)
})
await step('left cursor', async () => {
  for await (const _part of sql`SELECT generate_series(1, 5) AS n`.cursor(2)) break
})
await step('cursor callback', () =>
  sql`SELECT id FROM orders`.cursor(2, () => {
    mark('in cursor')
  })
)
await step('transaction', () =>
  sql.begin(async (inner) => {
    await inner`UPDATE orders SET mail = ${'secret'}`
    mark('in transaction')
    await inner.savepoint((deeper) => deeper`DELETE FROM orders WHERE id = 3`)
  })
)
await step('rolled back', () => failure(sql.begin((inner) => inner`SELECT * FROM nowhere`)))
// One connection: each but the first has to wait for another to be answered.
await Promise.all(
  ['one', 'two', 'three'].map((each) =>
    step(`pool ${each}`, async () => {
      await sql`SELECT id FROM orders`
      mark(`got ${each}`)
      await sql`SELECT 1`
    })
  )
)
// Made here and never waited for: it is not sent.
await step('never sent', async () => {
  sql`SELECT 1`
})
await sql.end()

const nowhere = postgres({ ...options, port: 1, max: 1 })
await step('refused', () => failure(nowhere`SELECT ${nowhere('id')} FROM orders`))
await nowhere.end({ timeout: 0 })
end()
