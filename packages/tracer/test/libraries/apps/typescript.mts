// TypeScript for tsx, with one request to itself.
import express from 'express'

const greeting: string = 'hello'

const app = express()
app.get('/hello/:name', (_request, response) => response.send(greeting))
const server = app.listen(0, '127.0.0.1', async () => {
  const { port } = server.address() as { port: number }
  await (await fetch(`http://127.0.0.1:${port}/hello/you`)).text()
  server.close()
})
