// One app, in the framework that the argument names: a route with a parameter, one in a mounted router, one that
// throws, and middleware that is fast, slow or fails. The second argument says how the framework is loaded.
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'

const require = createRequire(import.meta.url)
const [, , framework, how, variant] = process.argv
const load = async (name) => (how === 'require' ? require(name) : await import(name))
const loadDefault = async (name) => {
  const exports = await load(name)
  return how === 'require' ? exports : exports.default
}
const listening = (server) => console.log(`listening ${server.address().port}`)

const apps = {
  async koa() {
    const Koa = await loadDefault(framework)
    const Router = await loadDefault(variant)
    const app = new Koa()
    app.silent = true
    app.use(async function answers(ctx, next) {
      try {
        await next()
      } catch (error) {
        if (!ctx.path.startsWith('/answered')) throw error
        ctx.status = 500
      }
    })
    app.use(async function fast(_ctx, next) {
      await next()
    })
    app.use(async function slow(ctx, next) {
      if (ctx.path === '/slow') await sleep(8)
      await next()
    })
    app.use(async function guard(ctx, next) {
      if (ctx.path.endsWith('/refused')) throw new RangeError('refused')
      await next()
      if (ctx.path.endsWith('/late')) throw new Error('late')
    })
    app.use(function direct(ctx, next) {
      if (ctx.path.endsWith('/direct')) throw new Error('direct')
      return next()
    })
    const items = new Router({ prefix: '/items' })
    items.get('/:item', (ctx) => {
      ctx.body = ctx.params.item
    })
    const router = new Router()
    router.use(async (_ctx, next) => next())
    router.get('/orders/latest', (ctx) => {
      ctx.body = 'latest'
    })
    router.get('/orders/passed', (_ctx, next) => next())
    router.get('/orders/:id', async (ctx) => {
      await sleep(8)
      ctx.body = ctx.params.id
    })
    router.get('/answered/broken', () => {
      throw new Error('broken')
    })
    router.get('/slow', (ctx) => {
      ctx.body = 'slow'
    })
    router.get('/answered/late', (ctx) => {
      ctx.body = 'late'
    })
    router.get('/broken/:id', () => {
      throw new Error('broken')
    })
    router.use('/shops/:shop', items.routes())
    const routed = new Router({ prefix: '/routed' })
    routed.use(async function routedGuard(ctx, next) {
      if (ctx.path.endsWith('/guarded')) throw new RangeError('guarded')
      if (ctx.path.endsWith('/used')) await sleep(8)
      await next()
      if (ctx.path.endsWith('/late')) throw new Error('late')
    })
    const before = async function before(ctx, next) {
      if (ctx.params.what === 'layered') await sleep(8)
      if (ctx.params.what === 'stopped') throw new RangeError('stopped')
      await next()
    }
    routed.get(['/:what', '/:what/:more'], before, async function handles(ctx) {
      if (ctx.params.what === 'broken') throw new Error('broken')
      await sleep(8)
      ctx.body = ctx.params.what
    })
    router.use(routed.routes())
    app.use(router.routes())
    app.use(router.allowedMethods())
    const server = app.listen(0, '127.0.0.1', () => listening(server))
  },

  async hono() {
    const { Hono } = await load('hono')
    const { serve } = await load(framework.replace('hono', '@hono/node-server'))
    const app = new Hono()
    // Without middleware Hono answers in another way.
    if (variant !== 'bare') app.use(async (_c, next) => next())
    app.onError((_error, c) => c.text('broken', 500))
    app.all('/trpc/*', (c) => (c.req.path.endsWith('none') ? c.notFound() : c.text('called')))
    app.use('/refused/*', (c) => c.text('no', 401))
    app.get('/refused/:id', (c) => c.text('yes'))
    app.get('/orders/:id', (c) => c.text(c.req.param('id')))
    app.get('/broken/:id', () => {
      throw new Error('broken')
    })
    const items = new Hono().basePath('/items')
    items.get('/:item', (c) => c.text(c.req.param('item')))
    app.route('/shops/:shop', items)
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () =>
      listening(server)
    )
  },

  async fastify() {
    const app = (await loadDefault(framework))()
    app.get('/orders/:id', async (request) => request.params.id)
    app.get('/broken/:id', async () => {
      throw new Error('broken')
    })
    app.register(
      async (shop) => {
        shop.get('/items/:item', async (request) => request.params.item)
      },
      { prefix: '/shops/:shop' }
    )
    await app.listen({ port: 0, host: '127.0.0.1' })
    listening(app.server)
  },

  async express() {
    const express = await loadDefault(framework)
    const app = express()
    app.use(function fast(_request, _response, next) {
      next()
    })
    app.use(function slow(request, _response, next) {
      if (request.path === '/slow') setTimeout(next, 8)
      else next()
    })
    app.use(function guard(request, _response, next) {
      next(request.path === '/refused' ? new Error('refused') : undefined)
    })
    app.use('/static', function files(_request, response) {
      setTimeout(() => response.send('file'), 8)
    })
    app.get('/slow', (_request, response) => response.send('slow'))
    app.get('/orders/:id', (request, response) => {
      setTimeout(() => response.send(request.params.id), 8)
    })
    app.get('/broken/:id', () => {
      throw new Error('broken')
    })
    const shop = express.Router({ mergeParams: true })
    shop.get('/items/:item', (request, response) => response.send(request.params.item))
    app.use('/shops/:shop', shop)
    app.use((_error, _request, response, _next) => response.status(500).send('failed'))
    const server = createServer(app).listen(0, '127.0.0.1', () => listening(server))
  },

  async nest() {
    // Its packages ask for each other by name: other majors are in a folder of their own.
    const here =
      framework === 'nest' ? require : createRequire(require.resolve(`${framework}/package.json`))
    const { Controller, Get, Module, Param } = here('@nestjs/common')
    const { NestFactory } = await load(here.resolve('@nestjs/core'))
    class Orders {
      order(id) {
        return id
      }
      broken() {
        throw new Error('broken')
      }
      item(item) {
        return item
      }
    }
    const route = (path, method, parameter) => {
      const descriptor = Object.getOwnPropertyDescriptor(Orders.prototype, method)
      Get(path)(Orders.prototype, method, descriptor)
      if (parameter) Param(parameter)(Orders.prototype, method, 0)
    }
    route('/orders/:id', 'order', 'id')
    route('/broken/:id', 'broken')
    route('/shops/:shop/items/:item', 'item', 'item')
    Controller()(Orders)
    class App {}
    Module({ controllers: [Orders] })(App)
    const { FastifyAdapter } = variant === 'fastify' ? await load('@nestjs/platform-fastify') : {}
    const adapter = FastifyAdapter === undefined ? [] : [new FastifyAdapter()]
    const app = await NestFactory.create(App, ...adapter, { logger: false })
    await app.listen(0, '127.0.0.1')
    listening(app.getHttpServer())
  }
}

await apps[framework.match(/^[a-z]+/)[0]]()
