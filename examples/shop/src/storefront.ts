/** What shoppers see. Express; calls the catalog with fetch, and the others with node:http. */
import { createServer } from 'node:http'
import express, { type NextFunction, type Request, type Response } from 'express'
import { callWithFetch, callWithHttp } from './lib/call.ts'
import { Counter } from './lib/counter.ts'
import { runService } from './lib/run-service.ts'

const { CATALOG_URL, ORDERS_URL, RECOMMENDATIONS_URL } = process.env

const counter = new Counter()
const app = express()
app.use(express.json())
app.use((request, response, next) => {
  response.on('close', () => {
    counter.served(request.method, request.route?.path ?? '*', response.statusCode)
  })
  next()
})

app.get('/', async (_request, response) => {
  const products = await callWithFetch(counter, 'catalog', `${CATALOG_URL}/products`)
  response.status(products.status).json(products.body)
})

app.get('/products/:id', async (request, response) => {
  const id = encodeURIComponent(request.params.id)
  const [product, stock] = await Promise.all([
    callWithFetch(counter, 'catalog', `${CATALOG_URL}/products/${id}`),
    callWithHttp(counter, 'orders', `${ORDERS_URL}/stock/${id}`)
  ])
  response.status(product.status).json({ ...(product.body as object), stock: stock.body })
})

app.post('/checkout', async (request, response) => {
  const { orderId, productId, userId, card } = request.body as Record<string, string>
  const product = await callWithFetch(counter, 'catalog', `${CATALOG_URL}/products/${productId}`)
  if (product.status !== 200) {
    response.status(product.status).json(product.body)
    return
  }
  const { priceCents } = product.body as { priceCents: number }
  const order = await callWithHttp(counter, 'orders', `${ORDERS_URL}/orders`, 'POST', {
    orderId,
    productId,
    userId,
    card,
    amountCents: priceCents
  })
  response.status(order.status).json(order.body)
})

app.get('/recommendations/:userId', async (request, response) => {
  const userId = encodeURIComponent(request.params.userId)
  const url = `${RECOMMENDATIONS_URL}/recommendations/${userId}`
  const recommended = await callWithHttp(counter, 'recommendations', url)
  response.status(recommended.status).json(recommended.body)
})

app.use((error: Error, _request: Request, response: Response, _next: NextFunction) => {
  response.status(502).json({ error: error.message })
})

runService(createServer(app), counter)
