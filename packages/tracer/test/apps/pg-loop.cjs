// Asks for each row of a list on its own, and ends in the middle of the last loop.
const { trace } = require('@opentelemetry/api')
const { Client } = require('pg')

const client = new Client({
  host: '127.0.0.1',
  port: Number(process.env.PG_PORT),
  user: 'postgres',
  database: 'postgres'
})

async function loop(count) {
  for (let id = 0; id < count; id++) await client.query('SELECT $1::int AS id', [id])
}

async function main() {
  await client.connect()
  await trace.getTracer('app').startActiveSpan('list', async (span) => {
    await loop(6)
    span.end()
  })
  await trace.getTracer('app').startActiveSpan('never ends', () => loop(3))
  process.exit()
}
main()
