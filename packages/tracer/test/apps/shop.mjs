// An ESM app: express answers from pg and from fetch. It holds no line of tracing code.
import { createServer } from 'node:http'
import express from 'express'
import pg from 'pg'

const pool = process.env.PG_PORT
  ? new pg.Pool({
      host: '127.0.0.1',
      port: Number(process.env.PG_PORT),
      user: 'postgres',
      database: 'postgres',
      max: 1
    })
  : undefined
const partner = createServer((request, response) => {
  response.end(JSON.stringify({ traceparent: request.headers.traceparent ?? null }))
})

const app = express()
const orders = express.Router()
orders.get('/:id', async (request, response) => {
  const { rows } = await pool.query('SELECT $1::int AS id', [request.params.id])
  const answer = await fetch(`http://127.0.0.1:${partner.address().port}/price?id=7&token=secret`)
  response.json({ order: rows[0], price: await answer.json() })
})
orders.get('/:id/fails', () => {
  throw new TypeError('no such order')
})
app.use('/shops/:shop/orders', orders)
app.get('/', (_request, response) => response.send('hello'))

partner.listen(0, '127.0.0.1', () => {
  const server = app.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`))
})
