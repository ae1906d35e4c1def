/**
 * The four apps. Each is given its libraries by its two entries, `<app>.mjs` and `<app>.cjs`, so that both
 * module systems run the same lines. Once it listens an app tells its starter the port over the IPC
 * channel, and answers there what it has used; bare or traced, this is the same.
 */
'use strict'

exports.nodeHttp = (http) => {
  const server = http.createServer((_request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end('{"hello":"world"}')
  })
  server.listen(0, '127.0.0.1', () => report(server))
}

exports.express = (express) => {
  const app = threeMiddlewares(express())
  app.get('/hello/:name', (request, response) => {
    response.json({ hello: request.params.name })
  })
  const server = app.listen(0, '127.0.0.1', () => report(server))
}

exports.fastify = (fastify) => {
  const app = fastify()
  app.get('/hello/:name', async (request) => ({ hello: request.params.name }))
  app.listen({ port: 0, host: '127.0.0.1' }).then(() => report(app.server))
}

exports.expressFetchPg = (express, pg) => {
  const { UPSTREAM_URL, DATABASE_URL } = process.env
  const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 8 })
  const app = threeMiddlewares(express())
  app.get('/hello/:name', async (request, response) => {
    const answer = await fetch(UPSTREAM_URL)
    const { inStock } = await answer.json()
    const { rows } = await pool.query('SELECT id, item FROM orders WHERE id = $1', [7])
    response.json({ hello: request.params.name, inStock, item: rows[0].item })
  })
  const server = app.listen(0, '127.0.0.1', () => report(server))
}

function threeMiddlewares(app) {
  app.use(function requestId(request, _response, next) {
    request.id = 'r1'
    next()
  })
  app.use(function session(request, _response, next) {
    request.session = undefined
    next()
  })
  app.use(function permissions(_request, response, next) {
    response.setHeader('cache-control', 'no-store')
    next()
  })
  return app
}

function report(server) {
  process.on('message', (message) => {
    if (message === 'usage') {
      const whole = process.cpuUsage()
      const main = process.threadCpuUsage()
      process.send({
        cpuMicros: whole.user + whole.system,
        mainThreadMicros: main.user + main.system,
        rssBytes: process.memoryUsage.rss()
      })
    } else if (message === 'stop') {
      process.exit()
    }
  })
  const { user, system } = process.cpuUsage()
  process.send({ port: server.address().port, cpuMicros: user + system })
}
