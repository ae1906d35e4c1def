/** The instrumentations against the real libraries, in real processes. */
import http from 'node:http'
import { connect } from 'node:net'
import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { App } from './child.ts'
import type { SinkSpan } from './otlp-sink.ts'
import { tracedApps } from './traced-apps.ts'

const SERVER = 2
const CLIENT = 3

const { sink, start } = tracedApps()

let app: App

async function serve(file: string, args: string[] = [], env: Record<string, string> = {}) {
  app = start(file, { args, env })
  return `http://127.0.0.1:${await app.port()}`
}

/** The server span of the request to this path. */
function serverSpan(path: string): Promise<SinkSpan> {
  return sink.span((span) => span.kind === SERVER && span.attributes['url.path'] === path)
}

describe.each(['express', 'express4'])('%s', (name) => {
  it('names the server span by the whole route, whatever way it was reached', async () => {
    const url = await serve('express-routes.cjs', [name])
    const routes = {
      '/a/b/deep/3/items/9': '/a/b/deep/:level/items/:item',
      '/a/b/deep/4': '/a/b/deep/:level',
      '/a/b/plain': '/a/b/plain',
      '/sub/page/2': '/sub/page/:n',
      '/late/5': '/late/:what',
      '/mounted/here': '/mounted',
      '/first/second': '/first/second',
      '/regex': '/^\\/re(gex)?$/'
    }
    for (const path of Object.keys(routes)) {
      expect((await fetch(url + path)).status).toBe(200)
    }
    for (const [path, route] of Object.entries(routes)) {
      const span = await serverSpan(path)
      expect(span.attributes['http.route']).toBe(route)
      expect(span.name).toBe(`GET ${route}`)
    }
    for (const path of ['/not/found', '/mounted/none']) {
      await fetch(url + path)
      const missing = await serverSpan(path)
      expect(missing.name).toBe('GET')
      expect(missing.attributes['http.route']).toBeUndefined()
      expect(missing.status.code).toBe(0)
    }
  })

  it('records what handlers throw or pass on, once, and fails the span from 500 on', async () => {
    const url = await serve('express-routes.cjs', [name])
    const expected = {
      '/throws': [500, 'RangeError', 2],
      '/async': [500, 'Error', 2],
      '/teapot': [418, 'Error', 0],
      '/handled': [400, 'TypeError', 0]
    } as const
    for (const [path, [status]] of Object.entries(expected)) {
      expect((await fetch(url + path)).status).toBe(status)
    }
    for (const [path, [status, type, code]] of Object.entries(expected)) {
      const span = await serverSpan(path)
      expect(span.attributes['http.response.status_code']).toBe(status)
      expect(span.events.map((event) => event.attributes['exception.type'])).toEqual([type])
      expect(span.status.code).toBe(code)
      expect(span.attributes['error.type']).toBe(code === 2 ? String(status) : undefined)
    }
  })

  it('leaves bodies alone', async () => {
    const url = await serve('express-routes.cjs', [name])
    const body = JSON.stringify({ text: 'ü'.repeat(50_000) })
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${url}/echo`, { method: 'POST', body, headers })
    expect(await answer.text()).toBe(body)
    expect((await serverSpan('/echo')).name).toBe('POST /echo')
  })
})

describe('fastify', () => {
  it('names routes, records errors, keeps the context behind a parsed body', async () => {
    const url = await serve('fastify-routes.mjs')
    const headers = { 'content-type': 'application/json' }
    await fetch(`${url}/echo`, { method: 'POST', body: '{"id":5}', headers })
    await fetch(`${url}/throws`)
    await fetch(`${url}/admin/users/1`)
    await fetch(`${url}/nowhere`)

    const echo = await serverSpan('/echo')
    expect(echo.name).toBe('POST /echo')
    const inner = await serverSpan('/items/5')
    expect(inner.name).toBe('GET /items/:id')
    const exit = await sink.span((span) => span.kind === CLIENT)
    expect(exit.parentSpanId).toBe(echo.spanId)
    expect(inner.parentSpanId).toBe(exit.spanId)
    expect(inner.traceId).toBe(echo.traceId)

    const failed = await serverSpan('/throws')
    expect(failed.events[0]!.attributes['exception.type']).toBe('RangeError')
    expect(failed.status.code).toBe(2)
    const refused = await serverSpan('/admin/users/1')
    expect(refused.name).toBe('GET /admin/users/:user')
    expect(refused.attributes['http.response.status_code']).toBe(401)
    expect((await serverSpan('/nowhere')).name).toBe('GET')
  })
})

describe('node:http server', () => {
  it('continues the caller’s trace and follows its decision not to sample', async () => {
    const url = await serve('http-plain.mjs')
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const headers = { traceparent, tracestate: 'a=1,b=2' }
    await fetch(`${url}/sampled?q=1`, { headers })
    await fetch(`${url}/unsampled`, { headers: { traceparent: `${traceparent.slice(0, -2)}00` } })
    await fetch(`${url}/bad`, { headers: { traceparent: 'nonsense' } })

    const span = await serverSpan('/sampled')
    expect(span.traceId).toBe('0af7651916cd43dd8448eb211c80319c')
    expect(span.parentSpanId).toBe('b7ad6b7169203331')
    expect(span.traceState).toBe('a=1,b=2')
    expect(span.flags).toBe(0x301)
    expect(span.attributes).toMatchObject({
      'http.request.method': 'GET',
      'url.scheme': 'http',
      'url.query': 'q=REDACTED',
      'server.address': '127.0.0.1',
      'network.protocol.version': '1.1',
      'client.address': '127.0.0.1'
    })
    const fresh = await serverSpan('/bad')
    expect(fresh.parentSpanId).toBe('')
    // Sampled, random, and known not to have a remote parent.
    expect(fresh.flags).toBe(0x103)
    expect(sink.spans.some((each) => each.attributes['url.path'] === '/unsampled')).toBe(false)
  })

  it('keeps the context in body events and across overlapping requests', async () => {
    const url = await serve('http-plain.mjs')
    const body = 'x'.repeat(300_000)
    const seen = (await (await fetch(`${url}/body`, { method: 'POST', body })).json()) as string[]
    expect(new Set(seen).size).toBe(1)
    expect(seen[0]).not.toBe('none')
    expect(seen.length).toBeGreaterThan(2)

    const overlaps = await Promise.all(
      Array.from({ length: 40 }, async () => (await fetch(`${url}/overlap`)).json())
    )
    const ids = (overlaps as [string, string][]).map(([before, after]) => {
      expect(after).toBe(before)
      return before
    })
    expect(new Set(ids).size).toBe(40)
  })

  it('leaves the context of whoever runs the parser as it was', async () => {
    const url = await serve('http-plain.mjs')
    const { outer, after, inner } = (await (await fetch(`${url}/over-stream`)).json()) as {
      outer: string
      after: string[]
      inner: string
    }
    expect(after).toEqual([outer, 'mine', outer, 'mine', outer, 'mine'])
    expect(outer).toMatch(/^[0-9a-f]{32}$/)
    // Chunked: its length stands before it.
    expect(inner).toContain((await serverSpan('/inner')).traceId)
    expect(inner).not.toContain(outer)
  })

  it('ends the spans of all that a connection had begun when it goes', async () => {
    const url = await serve('http-plain.mjs')
    const { port } = new URL(url)
    const connection = connect(Number(port), '127.0.0.1')
    const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
    connection.write(get('/first') + get('/never?1') + get('/second') + get('/never?2'))
    await app.line(/never reached[\s\S]*never reached/)
    connection.destroy()
    const isAborted = (span: SinkSpan) => span.attributes['spanloom.http.aborted'] === true
    await sink.until(() => sink.spans.filter(isAborted).length === 3, 'three aborted spans')
    expect((await serverSpan('/first')).attributes['http.response.status_code']).toBe(200)
    // Answered, but behind one that was not: the client never saw it.
    expect(isAborted(await serverSpan('/second'))).toBe(true)
    expect(sink.spans).toHaveLength(4)
  })

  it('ends the span of a request that the app left without its socket', async () => {
    const url = await serve('http-plain.mjs')
    await fetch(`${url}/detached`)
    await fetch(`${url}/detached?again`)
    await sink.until(() => sink.spans.length === 2, 'two spans')
    expect(sink.spans.map((span) => span.attributes['http.response.status_code'])).toEqual([
      200, 200
    ])
    expect(app.stderr).not.toContain('spanloom')
  })

  it('ends the span of a client that went away', async () => {
    const url = await serve('http-plain.mjs')
    const request = http.get(`${url}/never`)
    request.on('error', () => {})
    await app.line(/never reached/)
    request.destroy()
    const span = await serverSpan('/never')
    expect(span.attributes['spanloom.http.aborted']).toBe(true)
    expect(span.attributes['http.response.status_code']).toBeUndefined()
  })
})

describe('node:http client', () => {
  it('makes one span, carries the trace on, and tells failures', async () => {
    const url = await serve('http-plain.mjs')
    const relay = (to: string) => fetch(`${url}/relay?to=${encodeURIComponent(to)}`)
    await relay(`${url}/status?code=204&key=secret`)
    await relay(`${url}/status?code=404`)
    await relay('http://127.0.0.1:9/closed')

    const found = await sink.span((span) => isClientTo(span, '/status?code=REDACTED&key=REDACTED'))
    expect(found.name).toBe('GET')
    expect(found.status.code).toBe(0)
    expect(found.attributes['http.response.status_code']).toBe(204)
    expect(found.attributes['server.port']).toBe(Number(new URL(url).port))
    const callee = await serverSpan('/status')
    expect(callee.parentSpanId).toBe(found.spanId)

    const missing = await sink.span((span) => span.attributes['error.type'] === '404')
    expect(missing.status.code).toBe(2)
    const refused = await sink.span((span) => isClientTo(span, '/closed'))
    expect(refused.attributes['error.type']).toBe('ECONNREFUSED')
    expect(refused.status.code).toBe(2)
    expect(sink.spans.filter((span) => span.kind === CLIENT)).toHaveLength(3)
  })

  it('names where a request goes, whatever Host the app passes on', async () => {
    const url = await serve('http-plain.mjs')
    await fetch(`${url}/passed-on`)
    const { attributes } = await sink.span((span) => span.kind === CLIENT)
    expect(attributes['server.address']).toBe('127.0.0.1')
    expect(attributes['server.port']).toBe(Number(new URL(url).port))
    expect(attributes['url.full']).toBe(`${url}/ok?id=REDACTED`)
  })

  it('ends the span of an upgrade, a tunnel and a WebSocket with its answer', async () => {
    const url = await serve('http-plain.mjs')
    await fetch(`${url}/switch`)
    await serverSpan('/switch')
    const { port } = new URL(url)
    const ends = sink.spans
      .filter((span) => span.kind === CLIENT)
      .map(({ attributes, status }) => [
        attributes['url.full'],
        attributes['http.response.status_code'],
        status.code
      ])
    expect(ends).toEqual([
      [`http://localhost:${port}/upgraded`, 101, 0],
      [`http://localhost:${port}/shop.example:443`, 200, 0],
      [`http://localhost:${port}/websocket`, 101, 0]
    ])
  })
})

describe('npm’s undici', () => {
  it('makes one span, and replaces the headers that the app passed on', async () => {
    const url = await serve('http-plain.mjs')
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const to = encodeURIComponent(`${url}/headers?a=secret`)
    const headers = { traceparent, baggage: 'user=me' }
    const answer = await fetch(`${url}/undici?to=${to}`, { headers })
    const received = (await answer.json()) as Record<string, string>

    const exit = await sink.span((span) => isClientTo(span, '/headers?a=REDACTED'))
    const callee = await serverSpan('/headers')
    expect(received.traceparent).toBe(`00-${exit.traceId}-${exit.spanId}-01`)
    expect(received.baggage).toBe('user=me')
    expect(exit.traceId).toBe('0af7651916cd43dd8448eb211c80319c')
    expect(callee.parentSpanId).toBe(exit.spanId)
    expect(sink.spans).toHaveLength(3)
  })
})

function isClientTo(span: SinkSpan, target: string): boolean {
  return span.kind === CLIENT && String(span.attributes['url.full']).endsWith(target)
}

describe('pg', () => {
  let server: PGLiteSocketServer
  let database: PGlite

  beforeAll(async () => {
    database = await PGlite.create()
    server = new PGLiteSocketServer({ db: database, port: 0, host: '127.0.0.1' })
    await server.start()
    // Its database is made anew: 3 s alone, more than 10 s on a busy machine.
  }, 60_000)
  afterAll(async () => {
    await server.stop()
    await database.close()
  })

  it('makes a span for every form of query, and keeps the context in each', async () => {
    const env = {
      PG_PORT: server.getServerConn().split(':')[1]!,
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.url
    }
    app = start('pg-forms.cjs', { env })

    const kept = JSON.parse((await app.line(/kept (.*)/))[1]!)
    expect(kept).toEqual({
      promise: [true],
      callback: [true],
      connect: [true, true],
      configCallback: [true],
      submittable: [true],
      failing: [true],
      transaction: [true]
    })
    expect((await app.line(/unhandled (\d+)/))[1]).toBe('1')
    expect(await app.ended()).toMatchObject({ code: 0 })

    const parentOf = (name: string) => sink.spans.find((span) => span.name === name)!.spanId
    const of = (name: string) =>
      sink.spans.filter((span) => span.kind === CLIENT && span.parentSpanId === parentOf(name))
    const [query] = of('promise')
    expect(query!.name).toBe('SELECT shop.orders')
    expect(query!.attributes).toEqual({
      'db.system.name': 'postgresql',
      'db.namespace': 'postgres',
      'db.query.text': 'SELECT name FROM shop.orders WHERE id = ? AND note = ?',
      'db.operation.name': 'SELECT',
      'db.collection.name': 'shop.orders',
      'server.address': '127.0.0.1',
      'server.port': Number(env.PG_PORT)
    })
    expect(of('callback').map((span) => span.name)).toEqual(['SELECT postgres'])
    expect(of('connect').map((span) => span.name)).toEqual(['UPDATE shop.orders'])
    expect(of('configCallback')).toHaveLength(1)
    expect(of('submittable').map((span) => span.name)).toEqual(['SELECT shop.orders'])
    expect(of('transaction').map((span) => span.name)).toEqual([
      'BEGIN postgres',
      'INSERT shop.orders',
      'COMMIT postgres'
    ])
    const [failed] = of('failing')
    expect(failed!.status.code).toBe(2)
    expect(failed!.attributes['db.response.status_code']).toBe('42P01')
    expect(failed!.attributes['error.type']).toBe('42P01')
  })

  it('collapses a loop of queries into one span, also when the process ends within it', async () => {
    const env = {
      PG_PORT: server.getServerConn().split(':')[1]!,
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
      SPANLOOM_COLLAPSE: 'true'
    }
    app = start('pg-loop.cjs', { env })
    expect(await app.ended()).toMatchObject({ code: 0 })
    const list = await sink.span('list')
    expect(list.attributes['spanloom.n_plus_one']).toBe(true)
    const below = sink.spans.filter((span) => span.parentSpanId === list.spanId)
    const counts = below.map((span) => Number(span.attributes['spanloom.collapsed.count'] ?? 1))
    // A batch may leave in the middle of the loop; no call is lost by that, or counted twice.
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(6)
    expect(below.length).toBeLessThan(6)
    const others = sink.spans.filter((span) => span.kind === CLIENT && !below.includes(span))
    const left = others.map((span) => Number(span.attributes['spanloom.collapsed.count'] ?? 1))
    expect(left.reduce((sum, count) => sum + count, 0)).toBe(3)
  })

  it('stands in one trace with express and fetch', async () => {
    const url = await serve('shop.mjs', [], { PG_PORT: server.getServerConn().split(':')[1]! })
    const answer = (await (await fetch(`${url}/shops/x/orders/7`)).json()) as {
      price: { traceparent: string }
    }
    const root = await sink.span('GET /shops/:shop/orders/:id')
    const query = await sink.span('SELECT postgres')
    const exit = await sink.span((span) => span.kind === CLIENT && span.name === 'GET')
    expect(query.parentSpanId).toBe(root.spanId)
    expect(exit.parentSpanId).toBe(root.spanId)
    expect(exit.attributes['url.full']).toMatch(/price\?id=REDACTED&token=REDACTED$/)
    expect(answer.price.traceparent).toBe(`00-${root.traceId}-${exit.spanId}-03`)
    expect(new Set(sink.spans.map((span) => span.traceId)).size).toBe(1)
    expect(sink.spans).toHaveLength(4)
  })
})
