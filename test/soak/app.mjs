// The app that is soaked: it fails, is left by its clients, and leaks timers that outlive their requests.
import express from 'express'

const LEAKED_TIMER_MS = 45_000

const app = express()
app.get('/ok/:id', (request, response) => response.json({ id: request.params.id }))
app.get('/fails/:id', () => {
  throw new TypeError('soaked')
})
app.get('/rejects/:id', async () => {
  await null
  throw new Error('soaked', { cause: new RangeError('why') })
})
app.get('/slow/:id', (_request, response) => {
  setTimeout(() => response.end('late'), 200)
})
app.get('/leaks/:id', (request, response) => {
  // Holds on to its context, and through it to whatever the tracer keeps there.
  setTimeout(() => request.params.id, LEAKED_TIMER_MS)
  response.end('leaked')
})
app.get('/calls/:id', async (request, response) => {
  const { port } = server.address()
  const answer = await fetch(`http://127.0.0.1:${port}/ok/${request.params.id}`)
  response.json(await answer.json())
})
app.use((_error, _request, response, _next) => response.status(500).end('failed'))

const server = app.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))

process.on('message', () => {
  globalThis.gc()
  globalThis.gc()
  process.send({ heapBytes: process.memoryUsage().heapUsed })
})
