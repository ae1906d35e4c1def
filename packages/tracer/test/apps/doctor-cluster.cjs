// Two workers that answer one request each, which they send themselves; when both have, they are ended.
const cluster = require('node:cluster')
const express = require('express')

if (cluster.isPrimary) {
  let answered = 0
  for (let index = 0; index < 2; index++) {
    cluster.fork().on('message', () => {
      if (++answered === 2) for (const worker of Object.values(cluster.workers)) worker.send('end')
    })
  }
} else {
  const app = express()
  app.get('/hello', (_request, response) => response.send('hello'))
  // A port of its own: the primary would hand requests to either.
  const server = app.listen({ port: 0, host: '127.0.0.1', exclusive: true }, async () => {
    await (await fetch(`http://127.0.0.1:${server.address().port}/hello`)).text()
    process.send('answered')
  })
  process.on('message', () => process.exit())
}
