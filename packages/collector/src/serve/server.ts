/**
 * The UI, the query API and `/metrics` on one port.
 *
 *   GET /api/…       a route of `ROUTES` each: parameters checked, at most 32 at once
 *   GET /metrics     whatever the metric exporter writes
 *   GET /assets/…    the UI's files, named by their content: cached for good
 *   GET anything     the UI's page, which knows its own paths
 *
 * Only GET and HEAD: there is nothing here that changes anything.
 */
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import {
  parseParams,
  ROUTES,
  type RouteAnswers,
  type RouteName,
  type RouteParams,
  type StatusResponse
} from '@spanloom/query-api'
import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import { CollectorError } from '../errors.ts'
import type { Queries } from '../query/queries.ts'
import { SECURITY_HEADERS, sendError, sendJson } from './answers.ts'

/** Each page of the UI asks up to four; the store's readers take two and queue 64. */
const QUERIES_MAX = 32
const CLOSE_GRACE_MS = 2_000
const ASSET_SECONDS = 365 * 24 * 3600

export interface MetricsAnswer {
  readonly contentType: string
  readonly body: string | Uint8Array
}

export interface ServerOptions {
  readonly queries: Queries
  readonly status: (signal: AbortSignal) => Promise<StatusResponse>
  /** `accept` is the request's header, '' when it has none. */
  readonly metrics: (accept: string) => MetricsAnswer | Promise<MetricsAnswer>
  /** The built UI: a directory with index.html and assets/. */
  readonly uiDir: string
  /** Hears of failures that a client is told nothing about. */
  readonly report?: (sentence: string) => void
}

export interface Address {
  readonly host: string
  readonly port: number
}

export interface Server {
  /** @throws CollectorError SERVE_LISTEN_FAILED */
  listen(host: string, port: number): Promise<Address>
  /** Answers what is under way (2 s at most), ends idle connections. */
  close(): Promise<void>
}

export function createServer(options: ServerOptions): Server {
  const http = createHttpServer(createApp(options))
  return {
    listen: (host, port) => listen(http, host, port),
    close: () => close(http)
  }
}

type Ask = (params: never, signal: AbortSignal) => Promise<RouteAnswers[RouteName]>

function createApp(options: ServerOptions): Express {
  const report = options.report ?? (() => {})
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.use((request: Request, response: Response, next: NextFunction) => {
    response.set(SECURITY_HEADERS)
    if (request.method === 'GET' || request.method === 'HEAD') next()
    else next(new CollectorError('SERVE_METHOD_NOT_ALLOWED', [request.method]))
  })
  serveApi(app, options)
  app.get('/metrics', async (request, response) => {
    const { contentType, body } = await options.metrics(request.get('accept') ?? '')
    response.set({ 'content-type': contentType, 'cache-control': 'no-store' })
    response.end(request.method === 'HEAD' ? undefined : body)
  })
  serveUi(app, options.uiDir)
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    void sendError(request, response, error, report)
  })
  return app
}

function serveApi(app: Express, { queries, status }: ServerOptions): void {
  const asks: Readonly<Record<RouteName, Ask>> = {
    ...queries,
    status: (_params, signal) => status(signal)
  }
  let running = 0
  for (const name of Object.keys(ROUTES) as RouteName[]) {
    app.get(ROUTES[name].path, async (request, response) => {
      if (running >= QUERIES_MAX) throw new CollectorError('QUERY_TOO_MANY', [])
      const params = paramsOf(name, request)
      running++
      try {
        const body = await asks[name](params as never, goneSignal(response))
        await sendJson(request, response, 200, body)
      } finally {
        running--
      }
    })
  }
  app.use('/api', (request) => {
    throw new CollectorError('SERVE_NOT_FOUND', [request.originalUrl.split('?', 1)[0]!])
  })
}

/** @throws CollectorError QUERY_BAD_PARAM */
function paramsOf<Name extends RouteName>(name: Name, request: Request): RouteParams<Name> {
  const given = { ...(request.query as Record<string, string | string[]>) }
  const inPath: Record<string, unknown> = request.params
  for (const [param, value] of Object.entries(inPath)) {
    if (typeof value === 'string') given[param] = value
  }
  const parsed = parseParams(ROUTES[name].params, given)
  if ('problem' in parsed) throw new CollectorError('QUERY_BAD_PARAM', [parsed.problem.message])
  return parsed.values as RouteParams<Name>
}

/** Aborted when the client has gone before its answer: nobody needs the query any more. */
function goneSignal(response: Response): AbortSignal {
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort()
  })
  return gone.signal
}

function serveUi(app: Express, uiDir: string): void {
  app.use(
    '/assets',
    express.static(join(uiDir, 'assets'), {
      index: false,
      immutable: true,
      maxAge: ASSET_SECONDS * 1000
    }),
    // A page of an older build asks for files that are gone: not the page again, in their place.
    (request: Request) => {
      throw new CollectorError('SERVE_NOT_FOUND', [request.originalUrl])
    }
  )
  const setHeaders = (response: Response) => response.set('cache-control', 'no-cache')
  app.use(express.static(uiDir, { index: false, cacheControl: false, setHeaders }))
  app.use((request: Request, response: Response, next: NextFunction) => {
    response.sendFile(
      'index.html',
      { root: uiDir, cacheControl: false, headers: { 'cache-control': 'no-cache' } },
      (error) => {
        if (error !== undefined) next(new CollectorError('SERVE_NOT_FOUND', [request.path], error))
      }
    )
  })
}

function listen(http: HttpServer, host: string, port: number): Promise<Address> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => {
      const reason = error.code ?? error.message
      reject(new CollectorError('SERVE_LISTEN_FAILED', [host, port, reason], error))
    }
    http.once('error', fail)
    http.listen(port, host, () => {
      http.off('error', fail)
      const address = http.address() as AddressInfo
      resolve({ host: address.address, port: address.port })
    })
  })
}

async function close(http: HttpServer): Promise<void> {
  const closed = new Promise<void>((resolve) => http.close(() => resolve()))
  http.closeIdleConnections()
  const timer = setTimeout(() => http.closeAllConnections(), CLOSE_GRACE_MS)
  await closed
  clearTimeout(timer)
}
