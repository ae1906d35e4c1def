// Bundled by the test with each bundler: express (CommonJS) answers; its route must still be known.
import { createServer } from 'node:http'
import express from 'express'

const app = express()
app.get('/hello/:name', (request, response) => response.send(`hello ${request.params.name}`))
const server = createServer(app).listen(0, '127.0.0.1', () => {
  console.log(`listening ${server.address().port}`)
})
