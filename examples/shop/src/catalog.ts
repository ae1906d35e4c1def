/** The products, from memory. Fastify. */
import fastify from 'fastify'
import { Counter } from './lib/counter.ts'
import { runService } from './lib/run-service.ts'
import { PRODUCTS } from './products.ts'

const counter = new Counter()
const app = fastify()
const byId = new Map(PRODUCTS.map((product) => [product.id, product]))

app.addHook('onResponse', async (request, reply) => {
  counter.served(request.method, request.routeOptions.url ?? '*', reply.statusCode)
})

app.get('/products', async () => PRODUCTS)

app.get<{ Params: { id: string } }>('/products/:id', async (request, reply) => {
  const product = byId.get(request.params.id)
  if (product !== undefined) return product
  return reply.code(404).send({ error: `There is no product ${request.params.id}.` })
})

await app.ready()
runService(app.server, counter)
