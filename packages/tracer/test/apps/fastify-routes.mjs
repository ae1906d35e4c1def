// An ESM app on fastify, with a plugin under a prefix, a failing hook and a body.
import Fastify from 'fastify'

const app = Fastify()
app.get('/items/:id', async (request) => ({ id: request.params.id }))
app.post('/echo', async (request) => {
  const answer = await fetch(
    `http://127.0.0.1:${app.server.address().port}/items/${request.body.id}`
  )
  return answer.json()
})
app.get('/throws', async () => {
  throw new RangeError('thrown')
})
app.register(
  async (scope) => {
    scope.addHook('preHandler', async (request, reply) => {
      if (request.headers['x-key'] === undefined) return reply.code(401).send('no key')
    })
    scope.get('/users/:user', async () => 'user')
  },
  { prefix: '/admin' }
)
await app.listen({ port: 0, host: '127.0.0.1' })
console.log(`listening ${app.server.address().port}`)
