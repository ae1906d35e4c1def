/**
 * Orders and stock. Express and pg; asks payments with node:http.
 *
 * An order is written and its stock taken in one transaction; then the card is charged, outside of
 * it, because a slow payment must not hold the only connection that the database has to give.
 */
import { createServer } from 'node:http'
import express, { type NextFunction, type Request, type Response } from 'express'
import pg from 'pg'
import { callWithHttp, type Reply } from './lib/call.ts'
import { Counter } from './lib/counter.ts'
import { runService } from './lib/run-service.ts'

const { DATABASE_URL, PAYMENTS_URL } = process.env
const UNIQUE_VIOLATION = '23505'

interface Order {
  readonly orderId: string
  readonly productId: string
  readonly userId: string
  readonly card: string
  readonly amountCents: number
}

const counter = new Counter()
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 1 })
pool.on('error', (error) => console.error(error.message))
const app = express()
app.use(express.json())
app.use((request, response, next) => {
  response.on('close', () => {
    counter.served(request.method, request.route?.path ?? '*', response.statusCode)
  })
  next()
})

app.get('/stock/:productId', async (request, response) => {
  const found = await query(pool, 'SELECT left_count FROM stock WHERE product_id = $1', [
    request.params.productId
  ])
  response.json({ left: found.rows[0]?.left_count ?? 0 })
})

app.post('/orders', async (request, response) => {
  const order = request.body as Order
  if (!(await insertOrder(order))) {
    response.status(409).json({ error: `The order ${order.orderId} was placed before.` })
    return
  }
  const payment = await charge(order)
  const state = payment.status === 200 ? 'paid' : 'refused'
  await query(pool, 'UPDATE orders SET state = $2 WHERE order_id = $1', [order.orderId, state])
  if (state === 'paid') response.status(201).json({ orderId: order.orderId, state })
  else response.status(payment.status === 402 ? 402 : 502).json({ orderId: order.orderId, state })
})

app.use((error: Error, _request: Request, response: Response, _next: NextFunction) => {
  response.status(500).json({ error: error.message })
})

runService(createServer(app), counter, () => pool.end())

/** False when there is an order with this id. */
async function insertOrder(order: Order): Promise<boolean> {
  const client = await pool.connect()
  try {
    await query(client, 'BEGIN')
    await query(
      client,
      'INSERT INTO orders (order_id, user_id, product_id, amount_cents) VALUES ($1, $2, $3, $4)',
      [order.orderId, order.userId, order.productId, order.amountCents]
    )
    await query(client, 'UPDATE stock SET left_count = left_count - 1 WHERE product_id = $1', [
      order.productId
    ])
    await query(client, 'COMMIT')
    return true
  } catch (error) {
    await query(client, 'ROLLBACK')
    if ((error as { code?: string }).code === UNIQUE_VIOLATION) return false
    throw error
  } finally {
    client.release()
  }
}

function charge({ orderId, amountCents, card }: Order): Promise<Reply> {
  const payload = { orderId, amountCents, card }
  return callWithHttp(counter, 'payments', `${PAYMENTS_URL}/charges`, 'POST', payload)
}

async function query(
  on: pg.Pool | pg.PoolClient,
  text: string,
  values: readonly unknown[] = []
): Promise<pg.QueryResult> {
  try {
    const result = await on.query(text, [...values])
    counter.called('shop', false)
    return result
  } catch (error) {
    counter.called('shop', true)
    throw error
  }
}
