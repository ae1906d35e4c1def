/** Routes, errors and middleware of the real web frameworks. */
import { describe, expect, it } from 'vitest'
import type { App } from '../child.ts'
import type { SinkSpan } from '../otlp-sink.ts'
import { tracedApps } from '../traced-apps.ts'
import { LIBRARY_APPS, librariesAreThere } from './available.ts'

const INTERNAL = 1
const SERVER = 2

const { sink, start } = tracedApps(LIBRARY_APPS)
let app: App

async function serve(
  framework: string,
  how: string,
  variant = '',
  middlewareSpans = true
): Promise<string> {
  app = start('frameworks.mjs', {
    args: [framework, how, variant],
    env: { NO_COLOR: '1', SPANLOOM_MIDDLEWARE_SPANS: String(middlewareSpans) }
  })
  return `http://127.0.0.1:${await app.port()}`
}

/** The server spans of requests, one after the other, to these paths. */
async function requests<const Paths extends readonly string[]>(
  url: string,
  paths: Paths
): Promise<{ [Index in keyof Paths]: SinkSpan }> {
  for (const path of paths) await (await fetch(url + path)).text()
  const spans = paths.map((path) =>
    sink.span((span) => span.kind === SERVER && span.attributes['url.path'] === path)
  )
  return Promise.all(spans) as Promise<{ [Index in keyof Paths]: SinkSpan }>
}

const middleware = () => sink.spans.filter((span) => span.kind === INTERNAL)

describe.skipIf(!librariesAreThere)('frameworks', { timeout: 60_000 }, () => {
  it.each([
    ['express', 'require', ''],
    ['express4', 'import', ''],
    ['fastify', 'import', ''],
    ['fastify4', 'require', ''],
    ['koa', 'require', '@koa/router'],
    ['koa', 'import', '@koa/router'],
    ['koa2', 'require', '@koa/router-12'],
    ['koa2', 'import', '@koa/router'],
    ['hono', 'require', ''],
    ['hono', 'import', ''],
    ['hono', 'import', 'bare'],
    ['hono-1', 'require', ''],
    ['hono-1', 'import', 'bare'],
    ['nest10', 'require', 'express'],
    ['nest11', 'import', 'express'],
    ['nest', 'require', 'express'],
    ['nest', 'import', 'fastify']
  ])('%s by %s (%s): routes and errors are on the server span', async (name, how, variant) => {
    const url = await serve(name, how, variant)
    const [order, nested, broken, missing] = await requests(url, [
      '/orders/7',
      '/shops/x/items/3',
      '/broken/1',
      '/missing/9'
    ])
    expect(order.name).toBe('GET /orders/:id')
    expect(order.attributes['http.route']).toBe('/orders/:id')
    expect(order.attributes['http.response.status_code']).toBe(200)
    expect(nested.name).toBe('GET /shops/:shop/items/:item')
    expect(broken.name).toBe('GET /broken/:id')
    expect(broken.status.code).toBe(2)
    expect(broken.events.map((event) => event.attributes['exception.message'])).toEqual(['broken'])
    expect(missing.attributes['http.response.status_code']).toBe(404)
    expect(missing.name).toBe('GET')
    // A cold layer may take as long as a slow one, so only these are counted.
    expect(sink.spans.filter((span) => span.kind === SERVER)).toHaveLength(4)
    expect(app.stderr).not.toContain('spanloom')
  })

  it.each([
    ['koa', '@koa/router'],
    ['koa', 'koa-router'],
    ['koa2', '@koa/router-12']
  ])('%s with %s: of several routes that match, the one that answers', async (name, router) => {
    const url = await serve(name, 'require', router)
    const [latest, passed] = await requests(url, ['/orders/latest', '/orders/passed'])
    expect(latest.name).toBe('GET /orders/latest')
    expect(passed.name).toBe('GET /orders/:id')
  })

  it('hono: middleware that refuses has the route it stood before', async () => {
    const url = await serve('hono', 'import')
    const [refused] = await requests(url, ['/refused/1'])
    expect(refused.attributes['http.response.status_code']).toBe(401)
    expect(refused.name).toBe('GET /refused/:id')
  })

  it('hono: a handler of all methods below a path is a route', async () => {
    const url = await serve('hono', 'import')
    const [called, none] = await requests(url, ['/trpc/orders.list', '/trpc/none'])
    expect(called.name).toBe('GET /trpc/*')
    expect(none.name).toBe('GET')
  })

  it.each(['express', 'express4'])(
    '%s: middleware that is slow or fails makes a span',
    async (name) => {
      const url = await serve(name, 'require')
      const [, slow, refused, file] = await requests(url, [
        '/orders/7',
        '/slow',
        '/refused',
        '/static/file'
      ])
      const of = (name: string, { spanId }: SinkSpan) =>
        middleware().find((span) => span.name === name && span.parentSpanId === spanId)
      expect(of('middleware - guard', refused)!.status.code).toBe(2)
      expect(of('middleware - files', file)!.status.code).toBe(0)
      const span = of('middleware - slow', slow)
      expect(span!.status.code).toBe(0)
      expect(span!.attributes['code.function.name']).toBe('slow')
      expect(span!.startTimeUnixNano).toBeGreaterThanOrEqual(slow.startTimeUnixNano)
      expect(span!.endTimeUnixNano).toBeLessThanOrEqual(slow.endTimeUnixNano)
      expect(Number(span!.endTimeUnixNano - span!.startTimeUnixNano)).toBeGreaterThan(5e6)
      expect(refused.events).toHaveLength(1)
    }
  )

  it.each([
    ['koa', '@koa/router'],
    ['koa2', '@koa/router-12']
  ])('%s: middleware that is slow makes a span', async (name, router) => {
    const url = await serve(name, 'require', router)
    const [, slow] = await requests(url, ['/orders/7', '/slow'])
    expect(middleware().map((span) => [span.name, span.parentSpanId])).toContainEqual([
      'middleware - slow',
      slow.spanId
    ])
  })
  it.each([
    ['koa', '@koa/router'],
    ['koa2', '@koa/router-12']
  ])('%s: the middleware that fails makes a span, and no other', async (name, router) => {
    const url = await serve(name, 'require', router)
    const paths = [
      '/refused',
      '/answered/refused',
      '/answered/direct',
      '/answered/late',
      '/answered/broken',
      '/broken/1'
    ]
    const servers = await requests(url, paths)
    const failed = servers.map(({ spanId }) =>
      middleware()
        .filter((span) => span.parentSpanId === spanId && span.status.code === 2)
        .map((span) => [span.name, span.status.message, span.attributes['error.type']])
    )
    expect(failed).toEqual([
      [['middleware - guard', 'refused', 'RangeError']],
      [['middleware - guard', 'refused', 'RangeError']],
      [['middleware - direct', 'direct', 'Error']],
      [['middleware - guard', 'late', 'Error']],
      [],
      []
    ])
    // What a handler throws has no span of its own, so it is on the server's, whoever answers it.
    expect(servers.map(({ events }) => events.length)).toEqual([1, 0, 0, 0, 1, 1])
    expect(servers[3]!.name).toBe('GET /answered/late')
    expect(app.stderr).not.toContain('spanloom')
  })
  it('koa: without spans of middleware, what is thrown below a router is on the server span', async () => {
    const url = await serve('koa', 'import', '@koa/router', false)
    const [broken, guarded] = await requests(url, ['/answered/broken', '/routed/guarded'])
    expect(broken.events.map((event) => event.attributes['exception.message'])).toEqual(['broken'])
    expect(guarded.events).toHaveLength(1)
    expect(middleware()).toEqual([])
  })
  it.each([
    ['koa', '@koa/router', 'import'],
    ['koa', '@koa/router', 'require'],
    ['koa', '@koa/router-13', 'require'],
    ['koa', '@koa/router-14', 'require'],
    ['koa2', '@koa/router-12', 'require'],
    ['koa2', 'koa-router-12', 'require'],
    ['koa', 'koa-router', 'import']
  ])('%s with %s by %s: the same of middleware inside a router', async (name, router, how) => {
    const url = await serve(name, how, router)
    const paths = ['used', 'layered', 'guarded', 'stopped', 'broken', 'x/late', 'x/used']
    const servers = await requests(
      url,
      paths.map((path) => `/routed/${path}`)
    )
    const made = servers.map(({ spanId }) =>
      middleware().filter((span) => span.parentSpanId === spanId)
    )
    // Others may be as slow when they are cold.
    const slow = [0, 1, 6].map((index) => made[index]!.map((span) => span.name))
    expect(slow[0]).toContain('middleware - routedGuard')
    expect(slow[1]).toContain('middleware - before')
    expect(slow[2]).toContain('middleware - routedGuard')
    const all = made.flat().map((span) => span.name)
    expect(all).not.toContain('middleware - handles')
    const failed = made.map((spans) =>
      spans
        .filter((span) => span.status.code === 2)
        .map((span) => [span.name, span.status.message, span.attributes['error.type']])
    )
    expect(failed).toEqual([
      [],
      [],
      [['middleware - routedGuard', 'guarded', 'RangeError']],
      [['middleware - before', 'stopped', 'RangeError']],
      [],
      [['middleware - routedGuard', 'late', 'Error']],
      []
    ])
    expect(servers.map((server) => server.name)).toEqual([
      ...new Array(5).fill('GET /routed/:what'),
      'GET /routed/:what/:more',
      'GET /routed/:what/:more'
    ])
    expect(app.stderr).not.toContain('spanloom')
  })
})
