/** The server over real sockets, with questions answered by the embedded engine. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { createQueryClient, ROUTES, type StatusResponse } from '@spanloom/query-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CollectorError } from '../errors.ts'
import { createQueries, type Queries } from '../query/queries.ts'
import { openChdbStore } from '../store/chdb/chdb-store.testkit.ts'
import { createRowBinaryEncoder } from '../store/clickhouse/encoder.ts'
import { keptTrace, spanIdOf, traceIdOf } from '../store/kept-trace.testkit.ts'
import { batchOf, type StoreUnderTest } from '../store/store.contract.testkit.ts'
import { createServer, type Server, type ServerOptions } from './server.ts'

/** In the middle of a rollup step. */
const NOW_MS = 1_795_424_405_000
const STEP_MS = 1_795_424_400_000
const STATUS = { version: '0.1.0', uptimeMs: 1 } as StatusResponse

let uiDir: string
const reported: string[] = []

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

class TestServer {
  readonly #server: Server
  url = ''
  port = 0

  constructor(queries: Queries, more: Partial<ServerOptions> = {}) {
    this.#server = createServer({
      queries,
      status: async () => STATUS,
      metrics: (accept) => ({ contentType: 'text/plain', body: `accept ${accept}\n` }),
      uiDir,
      report: (sentence) => reported.push(sentence),
      ...more
    })
  }

  async listen(): Promise<this> {
    const { host, port } = await this.#server.listen('127.0.0.1', 0)
    this.url = `http://${host}:${port}`
    this.port = port
    return this
  }

  close(): Promise<void> {
    return this.#server.close()
  }

  /** Sends the path as it is, which fetch would not. */
  ask(path: string, method = 'GET', headers: Record<string, string> = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: this.port, path, method, headers, agent: false }
      httpRequest(options, async (response) => {
        const chunks: Buffer[] = []
        for await (const chunk of response) chunks.push(chunk as Buffer)
        const { statusCode: status, headers: got } = response
        resolve({ status: status!, headers: got, body: Buffer.concat(chunks) })
      })
        .on('error', reject)
        .end()
    })
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests look at single fields of many shapes
  async json(path: string): Promise<{ status: number; body: any }> {
    const { status, body } = await this.ask(path)
    return { status, body: JSON.parse(body.toString()) }
  }
}

beforeAll(async () => {
  uiDir = await mkdtemp(join(tmpdir(), 'spanloom-ui-'))
  await mkdir(join(uiDir, 'assets'))
  await writeFile(join(uiDir, 'index.html'), '<!doctype html><title>Spanloom</title>')
  await writeFile(join(uiDir, 'assets', 'app-1a2b3c.js'), 'export {}')
  await writeFile(join(uiDir, 'favicon.svg'), '<svg/>')
})
afterAll(() => rm(uiDir, { recursive: true }))

function queriesOn({ store }: StoreUnderTest): Queries {
  return createQueries({
    ...{ spanStore: store, metricStore: store, nowUnixMs: () => NOW_MS },
    openSpans: { list: () => [] }
  })
}

describe('an empty store', () => {
  let under: StoreUnderTest
  let server: TestServer
  beforeAll(async () => {
    under = await openChdbStore()
    server = await new TestServer(queriesOn(under)).listen()
  })
  afterAll(async () => {
    await server.close()
    await under.remove()
  })

  it('has an answer to every route', async () => {
    const query = createQueryClient(server.url)
    const window = { fromUnixMs: STEP_MS - 900_000, toUnixMs: STEP_MS + 10_000 }
    expect(await query('services', {})).toEqual({ ...window, stepMs: 20_000, services: [] })
    expect(await query('operations', { service: 'shop' })).toMatchObject({ operations: [] })
    expect(await query('graph', {})).toEqual({ ...window, nodes: [], edges: [] })
    expect(await query('traces', {})).toEqual({
      traces: [],
      searchedFromUnixMs: NOW_MS - 900_000
    })
    expect(await query('openSpans', {})).toEqual({ spans: [] })
    expect(await query('status', {})).toEqual(STATUS)
    await expect(query('trace', { traceId: traceIdOf(1) })).rejects.toMatchObject({
      httpStatus: 404,
      code: 'QUERY_TRACE_NOT_FOUND'
    })
  })
})

describe('a shop', () => {
  let under: StoreUnderTest
  let server: TestServer
  beforeAll(async () => {
    under = await openChdbStore()
    await writeShop(under)
    server = await new TestServer(queriesOn(under)).listen()
  })
  afterAll(async () => {
    await server.close()
    await under.remove()
  })

  it('has its services, with rates over the time since they were first seen', async () => {
    const { body } = await server.json('/api/services')
    expect(body.services).toMatchObject([
      { service: 'orders', calls: 30, errors: 3 },
      { service: 'shop', calls: 120, errors: 0 }
    ])
    // Orders was first seen 30 s before the step that now is in.
    expect(body.services[0].callsPerSecond).toBeCloseTo(30 / 35, 9)
    expect(body.services[1].callsPerSecond).toBeCloseTo(120 / 65, 9)
    const { sparkline } = body.services[0]
    expect(sparkline).toHaveLength(Math.ceil((body.toUnixMs - body.fromUnixMs) / body.stepMs))
    const called = sparkline.filter((point: { calls: number }) => point.calls > 0)
    expect(called).toMatchObject([{ unixMs: STEP_MS - 40_000, calls: 30, errors: 3 }])
    expect(sparkline[0]).toEqual({ unixMs: body.fromUnixMs, calls: 0, errors: 0 })
    expect(body.services[0].p95Ms).toBeCloseTo(2 ** (200.95 / 8) / 1e6, 6)
  })

  it('has all of it from 0 to now', async () => {
    const { body } = await server.json(`/api/services?from=0&to=${NOW_MS}`)
    expect(body.services.map((row: { calls: number }) => row.calls)).toEqual([30, 120])
    expect(body.services[0].sparkline.length).toBeLessThanOrEqual(60)
    expect(body.toUnixMs).toBeGreaterThan(NOW_MS)
  })

  it('has operations of all kinds', async () => {
    const { body } = await server.json('/api/operations?service=orders')
    expect(body.operations).toMatchObject([
      { operation: 'POST /orders', kind: 'server', calls: 30 },
      { operation: 'SELECT', kind: 'client', calls: 7 }
    ])
  })

  it('has a graph whose nodes are the sums of what comes in', async () => {
    const { body } = await server.json('/api/graph')
    const nodes = Object.fromEntries(body.nodes.map((node: { id: string }) => [node.id, node]))
    expect(Object.keys(nodes)).toEqual([
      'database:pg',
      'service:cron',
      'service:orders',
      'service:shop',
      'user:user'
    ])
    expect(nodes['service:orders']).toMatchObject({ calls: 30, errors: 3 })
    expect(nodes['user:user']).toMatchObject({ calls: 120 })
    expect(nodes['service:cron']).toEqual({
      id: 'service:cron',
      name: 'cron',
      type: 'service',
      calls: 0,
      errors: 0,
      callsPerSecond: 0
    })
    // 20 calls in bucket 160 and 10 in bucket 240: the 28.5th of 30 is the latter's 8.5th.
    expect(nodes['service:orders'].p95Ms).toBeCloseTo(2 ** ((240 + 8.5 / 10) / 8) / 1e6, 6)
    expect(body.edges).toContainEqual(
      expect.objectContaining({
        source: 'service:shop',
        target: 'service:orders',
        connectionType: 'http',
        calls: 20,
        exampleTraceId: traceIdOf(1)
      })
    )
  })

  it('lists traces in pages, newest first', async () => {
    const ids: string[] = []
    let cursor = ''
    for (let pages = 0; pages < 10; pages++) {
      const { body } = await server.json(`/api/traces?limit=4${cursor}`)
      ids.push(...body.traces.map((trace: { traceId: string }) => trace.traceId))
      if (body.nextCursor === undefined) break
      cursor = `&cursor=${encodeURIComponent(body.nextCursor)}`
    }
    expect(ids).toEqual(Array.from({ length: 10 }, (_, index) => traceIdOf(10 - index)))
  })

  it('finds traces of years ago', async () => {
    const { body } = await server.json(
      `/api/traces?from=0&attribute=${encodeURIComponent('q=a=b')}`
    )
    expect(body.traces.map((trace: { traceId: string }) => trace.traceId)).toEqual([traceIdOf(11)])
    expect(body.searchedFromUnixMs).toBe(0)
    expect(body.nextCursor).toBeUndefined()
  })

  it('opens a trace, its id in any case', async () => {
    const traceId = traceIdOf(10)
    const { status, body } = await server.json(`/api/traces/${traceId.toUpperCase()}`)
    expect(status).toBe(200)
    expect(body).toMatchObject({ traceId, spans: [{ service: 'shop' }], truncated: false })
  })

  it('compresses what is worth it', async () => {
    const path = '/api/services?from=0'
    const { headers, body } = await server.ask(path, 'GET', { 'accept-encoding': 'gzip' })
    expect(headers['content-encoding']).toBe('gzip')
    const plain = await server.ask(path)
    expect(plain.headers['content-encoding']).toBeUndefined()
    expect(JSON.parse(gunzipSync(body).toString())).toEqual(JSON.parse(plain.body.toString()))
  })
})

describe('what is asked wrongly', () => {
  let server: TestServer
  beforeAll(async () => {
    const never = async (): Promise<never> => {
      throw new Error('was asked')
    }
    const queries = createQueries({
      spanStore: { findTraces: never, getTrace: never, findLongSpans: never },
      metricStore: { services: never, operations: never, edges: never },
      openSpans: { list: () => [] },
      nowUnixMs: () => NOW_MS
    })
    server = await new TestServer(queries).listen()
  })
  afterAll(() => server.close())

  const wrong: readonly (readonly [string, string])[] = [
    ['/api/services?from=yesterday', '"from" must be a number'],
    ['/api/services?from=2&to=1', '`from` must not be after `to`'],
    ['/api/services?form=1', 'Unknown parameter "form"'],
    ['/api/services?from=1&from=2', 'more than once'],
    ['/api/operations', '"service" is missing'],
    ['/api/traces?limit=0', '"limit" must be a number from 1 to 200'],
    ['/api/traces?limit=201', '"limit" must be a number from 1 to 200'],
    ['/api/traces?limit=1.5', 'whole number'],
    ['/api/traces?status=good', 'one of error, ok'],
    ['/api/traces?attribute=novalue', 'key=value'],
    ['/api/traces?attribute==x', 'key=value'],
    ['/api/traces?cursor=abc', 'The cursor'],
    [`/api/traces?cursor=99999999999999999999-${traceIdOf(1)}`, 'The cursor'],
    [`/api/traces?cursor=1-${traceIdOf(1).slice(1)}g`, 'The cursor'],
    ['/api/traces/xyz', '32 hex digits'],
    [`/api/traces/${traceIdOf(1)}0`, '32 characters'],
    ['/api/traces/%zz', 'well-formed'],
    ['/api/traces?__proto__=1', 'Unknown parameter']
  ]
  for (const [path, sentence] of wrong) {
    it(`is refused with a sentence: ${path}`, async () => {
      const { status, body } = await server.json(path)
      expect(status).toBe(400)
      expect(body.error.code).toMatch(/^QUERY_BAD_/)
      expect(body.error.message).toContain(sentence)
    })
  }

  it('gets 404 as JSON where no route is', async () => {
    const { status, body } = await server.json('/api/nothing?x=1')
    expect(status).toBe(404)
    expect(body.error).toEqual({
      code: 'SERVE_NOT_FOUND',
      message: 'There is nothing at /api/nothing.'
    })
  })

  it('gets 405 for every method but GET and HEAD', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      for (const path of ['/api/services', '/', '/metrics']) {
        const { status, headers, body } = await server.ask(path, method)
        expect([status, headers.allow]).toEqual([405, 'GET, HEAD'])
        expect(JSON.parse(body.toString()).error.code).toBe('SERVE_METHOD_NOT_ALLOWED')
      }
    }
  })

  it('hears nothing about errors of ours, but the operator does', async () => {
    reported.length = 0
    const { status, body } = await server.json('/api/services')
    expect(status).toBe(500)
    expect(JSON.stringify(body)).not.toContain('was asked')
    expect(reported).toEqual(['GET /api/services failed: was asked'])
  })
})

describe('a store in trouble', () => {
  const troubles = [
    ['STORE_UNAVAILABLE', ['it restarts'], 503],
    ['STORE_QUERY_TIMEOUT', [10], 504],
    ['STORE_BUSY', [], 429],
    ['STORE_QUERY_TOO_LARGE', [], 422]
  ] as const
  for (const [code, facts, expected] of troubles) {
    it(`is said with ${expected} for ${code}`, async () => {
      const services = async (): Promise<never> => {
        throw new CollectorError(code, facts as never)
      }
      const server = await new TestServer({ services } as unknown as Queries).listen()
      const { status, headers, body } = await server.ask('/api/services')
      expect(status).toBe(expected)
      expect(JSON.parse(body.toString()).error.code).toBe(code)
      expect(headers['retry-after']).toBe(expected === 429 || expected === 503 ? '1' : undefined)
      await server.close()
    })
  }

  it('lets 32 questions in at once, and refuses the 33rd', async () => {
    const release = withResolvers<void>()
    let running = 0
    const services = async () => {
      running++
      await release.promise
      return { services: [] }
    }
    const server = await new TestServer({ services } as unknown as Queries).listen()
    const asked = Array.from({ length: 32 }, () => server.ask('/api/services'))
    await expect.poll(() => running, { timeout: 5_000 }).toBe(32)
    const refused = await server.ask('/api/services')
    expect(refused.status).toBe(429)
    expect(refused.headers['retry-after']).toBe('1')
    release.resolve()
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(Array(32).fill(200))
    expect((await server.ask('/api/services')).status).toBe(200)
    await server.close()
  })

  it('is asked no longer when the client has gone', async () => {
    const seen = withResolvers<AbortSignal>()
    const services = (_params: unknown, signal: AbortSignal) => {
      seen.resolve(signal)
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
      })
    }
    const server = await new TestServer({ services } as unknown as Queries).listen()
    const socket = connect(server.port, '127.0.0.1')
    socket.write('GET /api/services HTTP/1.1\r\nhost: x\r\n\r\n')
    const signal = await seen.promise
    socket.destroy()
    await expect.poll(() => signal.aborted, { timeout: 5_000 }).toBe(true)
    await server.close()
  })
})

describe('pages and metrics', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await new TestServer({} as Queries).listen()
  })
  afterAll(() => server.close())

  it('serves the page on every path that is no file', async () => {
    for (const path of ['/', '/services', '/traces/0a0b?x=1', '/a/b/c']) {
      const { status, headers, body } = await server.ask(path)
      expect(status).toBe(200)
      expect(headers['content-type']).toContain('text/html')
      expect(headers['cache-control']).toBe('no-cache')
      expect(body.toString()).toContain('<title>Spanloom')
    }
  })

  it('caches assets for good, and other files not', async () => {
    const asset = await server.ask('/assets/app-1a2b3c.js')
    expect(asset.headers['cache-control']).toBe('public, max-age=31536000, immutable')
    expect(asset.headers['content-type']).toContain('javascript')
    const icon = await server.ask('/favicon.svg')
    expect(icon.headers['cache-control']).toBe('no-cache')
    expect((await server.ask('/assets/gone.js')).status).toBe(404)
  })

  it('leaves its directory for no path', async () => {
    for (const path of ['/../../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/assets/..%2f..%2fx']) {
      const { body } = await server.ask(path)
      expect(body.toString()).not.toContain('root:')
    }
  })

  it('answers HEAD with headers alone', async () => {
    for (const path of ['/', '/api/status', '/metrics', '/assets/app-1a2b3c.js']) {
      const { status, body } = await server.ask(path, 'HEAD')
      expect([status, body.length]).toEqual([200, 0])
    }
  })

  it('tells browsers what to refuse, with every answer', async () => {
    for (const path of ['/', '/api/status', '/api/nothing', '/metrics']) {
      const { headers } = await server.ask(path)
      expect(headers['content-security-policy']).toContain("script-src 'self';")
      expect(headers['content-security-policy']).toContain("frame-ancestors 'none'")
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(headers['referrer-policy']).toBe('no-referrer')
      expect(headers['x-powered-by']).toBeUndefined()
    }
  })

  it('hands metrics over with the type that was asked for', async () => {
    const accept = 'application/openmetrics-text; version=1.0.0'
    const { headers, body } = await server.ask('/metrics', 'GET', { accept })
    expect(headers['content-type']).toMatch(/^text\/plain/)
    expect(body.toString()).toBe(`accept ${accept}\n`)
  })

  it('says which port is taken', async () => {
    const other = createServer({
      queries: {} as Queries,
      status: async () => STATUS,
      metrics: () => ({ contentType: 'text/plain', body: '' }),
      uiDir
    })
    const error = await other.listen('127.0.0.1', server.port).catch((reason) => reason)
    expect(error.code).toBe('SERVE_LISTEN_FAILED')
    expect(error.message).toContain(`127.0.0.1:${server.port}`)
    expect(error.message).toContain('--ui-port')
  })

  it('lets go of idle connections when it closes', async () => {
    const closing = await new TestServer({} as Queries).listen()
    const socket = connect(closing.port, '127.0.0.1')
    socket.write('GET /api/status HTTP/1.1\r\nhost: x\r\nconnection: keep-alive\r\n\r\n')
    await new Promise((resolve) => socket.once('data', resolve))
    const ended = new Promise((resolve) => socket.once('close', resolve))
    await closing.close()
    await ended
  })

  it('has a route for each of the API', () => {
    expect(Object.keys(ROUTES).sort()).toEqual(
      ['graph', 'openSpans', 'operations', 'services', 'status', 'trace', 'traces'].sort()
    )
  })
})

function withResolvers<T>() {
  let resolve!: (value: T) => void
  const promise = new Promise<T>((fulfil) => {
    resolve = fulfil
  })
  return { promise, resolve }
}

async function writeShop({ store }: StoreUnderTest): Promise<void> {
  const encoder = createRowBinaryEncoder()
  for (let number = 1; number <= 10; number++) {
    const startUnixNano = BigInt(NOW_MS - 60_000 + number * 1000) * 1_000_000n
    const spans = [{ spanId: spanIdOf(1) }]
    encoder.addTrace(keptTrace({ traceId: traceIdOf(number), startUnixNano, spans }))
  }
  const spans = [{ spanId: spanIdOf(1), attributes: { q: 'a=b' } }]
  const longAgo = 1_500_000_000_000_000_000n
  encoder.addTrace(keptTrace({ traceId: traceIdOf(11), startUnixNano: longAgo, spans }))
  const server = { kind: 2, errors: 0, durationSumNano: 1e6 }
  const fast = { indexes: [200], counts: [30] }
  const ago = (seconds: number) => STEP_MS - seconds * 1000
  const orders = { ...server, service: 'orders', durations: fast, stepUnixMs: ago(30) }
  encoder.addSpanMetrics({ ...orders, operation: 'POST /orders', calls: 30, errors: 3 })
  encoder.addSpanMetrics({ ...orders, operation: 'SELECT', kind: 3, calls: 7 })
  const shop = { ...server, service: 'shop', operation: 'GET /', durations: fast, calls: 60 }
  encoder.addSpanMetrics({ ...shop, stepUnixMs: ago(60) })
  encoder.addSpanMetrics({ ...shop, stepUnixMs: ago(0) })
  const edge = { stepUnixMs: ago(30), errors: 0, durationSumNano: 1, exampleTraceId: '' }
  const http = { ...edge, clientType: 'service', serverType: 'service', connectionType: 'http' }
  const at = (index: number, count: number) => ({
    calls: count,
    durations: { indexes: [index], counts: [count] }
  })
  encoder.addEdge({ ...http, clientType: 'user', client: 'user', server: 'shop', ...at(160, 120) })
  encoder.addEdge({
    ...http,
    client: 'shop',
    server: 'orders',
    ...at(160, 20),
    exampleTraceId: traceIdOf(1)
  })
  encoder.addEdge({ ...http, client: 'cron', server: 'orders', ...at(240, 10), errors: 3 })
  const database = { serverType: 'database', server: 'pg', connectionType: 'database' }
  encoder.addEdge({ ...http, client: 'orders', ...database, ...at(100, 7) })
  await store.write(batchOf(encoder.take(NOW_MS)), new AbortController().signal)
}
