// An app for the doctor: express answers one request that it sends itself; pg is loaded and never used.
import 'pg'
import express from 'express'

const app = express()
app.get('/hello', (_request, response) => response.send('hello'))
const server = app.listen(0, '127.0.0.1', async () => {
  await (await fetch(`http://127.0.0.1:${server.address().port}/hello`)).text()
  if (process.argv[2] !== 'stay') server.close()
})
