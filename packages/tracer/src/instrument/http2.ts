/**
 * node:http2 servers and clients, core API (`stream`) and compatibility API (`request`):
 *
 *   http2.server.stream.start   makes the server span, and wraps the server's `emit` once, so that 'stream' and
 *                               'request' run inside the context
 *   http2.server.stream.close   ends it
 *   connect                     wrapped: the first session that it makes gives the prototype whose `request`
 *                               is wrapped then, because the headers are written before any channel tells
 *
 * Node 22.15 and 22.16 publish no such channels: there the servers that are made after this is loaded are
 * wrapped, and begin and end the span by their streams' events.
 *
 * gRPC has spans of its own: what is `application/grpc` is left alone. So is a client request that has a
 * parent in its headers: whoever set it, such as undici with HTTP/2, has made its span.
 */
import { EventEmitter } from 'node:events'
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  Http2Server,
  IncomingHttpHeaders,
  ServerHttp2Stream
} from 'node:http2'
import { syncBuiltinESMExports } from 'node:module'
import { SpanKind } from '@opentelemetry/api'
import {
  CLIENT_ADDRESS,
  HTTP_REQUEST_METHOD,
  HTTP_REQUEST_METHOD_ORIGINAL,
  HTTP_RESPONSE_STATUS_CODE,
  NETWORK_PROTOCOL_VERSION,
  SERVER_ADDRESS,
  SERVER_PORT,
  URL_FULL,
  URL_PATH,
  URL_QUERY,
  URL_SCHEME,
  USER_AGENT_ORIGINAL
} from '@spanloom/otlp'
import { requestFrame } from '../context/frame.ts'
import { RecordingSpan } from '../trace/span.ts'
import { type AnyFunction, named, wrapMethod } from './calls.ts'
import { captureHeaders } from './header-capture.ts'
import { endExitSpan } from './http-client.ts'
import { clientAddress, HEADER_CHARS_MAX } from './http-server.ts'
import {
  knownMethod,
  OTHER_METHOD,
  OTHER_METHOD_NAME,
  parseHost,
  portOfScheme,
  redactQuery,
  redactTarget
} from './http-words.ts'
import {
  type AttributeSink,
  announce,
  factsOf,
  type Instruments,
  injectHeaders,
  startEntrySpan,
  startExitSpan
} from './instruments.ts'
import type { Instrumentation } from './registry.ts'
import { attachServerRequest, ServerRequest, serverRequestOf } from './server-request.ts'

type Headers = IncomingHttpHeaders
type OutgoingHeaders = Record<string | symbol, unknown>

const GRPC = 'application/grpc'
const NO_ERROR = 0

const http2: Instrumentation = {
  channels: (instruments) => ({
    'http2.server.stream.start': (message) => {
      const { stream, headers } = message as { stream: ServerHttp2Stream; headers: Headers }
      const { server } = stream.session as { server?: Http2Server }
      if (server !== undefined) wrapServerEmit(server, instruments)
      begin(stream, headers, instruments)
    },
    'http2.server.stream.close': (message) => {
      end((message as { stream: ServerHttp2Stream }).stream, instruments)
    }
  }),
  patches: {
    http2: (exports, instruments) => {
      const { guard } = instruments
      for (const name of ['createServer', 'createSecureServer']) {
        const watch = guard.wrap(`http2 ${name}`, (server: Http2Server) =>
          wrapServerEmit(server, instruments)
        )
        wrapMethod(exports as object, name, (create) => (...args) => {
          const server = create(...args)
          watch(server)
          return server
        })
      }
      const patch = guard.wrap('http2 session', (session: ClientHttp2Session) =>
        patchSession(Object.getPrototypeOf(session), instruments)
      )
      wrapMethod(exports as object, 'connect', (connect) => (...args) => {
        const session = connect(...args)
        patch(session)
        return session
      })
      syncBuiltinESMExports()
    }
  }
}

export default http2

function begin(stream: ServerHttp2Stream, headers: Headers, instruments: Instruments): void {
  if (isGrpc(headers['content-type']) || isPushed(stream)) return
  const method = knownMethod(headers[':method'] ?? '')
  const name = method === OTHER_METHOD ? OTHER_METHOD_NAME : method
  const incoming: Incoming = { stream, headers }
  const parent = instruments.propagator.parentOf(headers)
  const facts = factsOf(instruments, describe, incoming)
  const span = startEntrySpan(instruments, name, SpanKind.SERVER, parent, facts)
  if (span instanceof RecordingSpan) {
    describe(span, incoming)
    const link = instruments.propagator.linkOf(headers)
    if (link !== undefined) span.addLink({ context: link.spanContext() })
    if (instruments.headers !== undefined) {
      captureHeaders(span, instruments.headers.serverRequest, (header) => headers[header])
    }
  }
  announce(instruments, span)
  const frame = requestFrame(span, instruments.propagator.baggageOf(headers))
  attachServerRequest(stream, new ServerRequest(span, frame, name))
  // What the session's parser emits is of no request.
  if (!stream.endAfterHeaders) stream.emit = emitWithin(instruments, frame)
}

/** A server numbers what it pushes evenly, and what it was asked for is odd. */
function isPushed({ id }: ServerHttp2Stream): boolean {
  return id !== undefined && id % 2 === 0
}

interface Incoming {
  readonly stream: ServerHttp2Stream
  readonly headers: Headers
}

function describe(span: AttributeSink, { stream, headers }: Incoming): void {
  const method = knownMethod(headers[':method'] ?? '')
  const scheme = headers[':scheme'] === 'http' ? 'http' : 'https'
  const target = headers[':path'] ?? '/'
  const mark = target.indexOf('?')
  span.put(HTTP_REQUEST_METHOD, method)
  if (method === OTHER_METHOD) span.put(HTTP_REQUEST_METHOD_ORIGINAL, headers[':method'] ?? '')
  span.put(URL_SCHEME, scheme)
  span.put(URL_PATH, (mark < 0 ? target : target.slice(0, mark)).slice(0, HEADER_CHARS_MAX * 4))
  if (mark >= 0) span.put(URL_QUERY, redactQuery(target.slice(mark + 1)))
  putServer(span, headers[':authority'] ?? headers.host, scheme)
  const remote = stream.session?.socket?.remoteAddress
  const client = clientAddress(headers['x-forwarded-for'], remote)
  if (client !== undefined) span.put(CLIENT_ADDRESS, client)
  span.put(NETWORK_PROTOCOL_VERSION, '2')
  const agent = headers['user-agent']
  if (agent !== undefined) span.put(USER_AGENT_ORIGINAL, agent.slice(0, HEADER_CHARS_MAX))
}

function putServer(span: AttributeSink, authority: string | undefined, scheme: string): void {
  if (authority === undefined) return
  const { host, port } = parseHost(authority)
  span.put(SERVER_ADDRESS, host)
  const known = port ?? portOfScheme(scheme)
  if (known !== undefined) span.put(SERVER_PORT, known)
}

function end(stream: ServerHttp2Stream, { headers }: Instruments): void {
  const server = serverRequestOf(stream)
  if (server === undefined) return
  if (headers !== undefined && server.span instanceof RecordingSpan) {
    captureHeaders(server.span, headers.serverResponse, (header) => stream.sentHeaders?.[header])
  }
  const status = Number(stream.sentHeaders?.[':status'] ?? 0)
  const isBroken = stream.aborted || (stream.rstCode !== NO_ERROR && stream.rstCode !== undefined)
  server.end(isBroken || status === 0 ? undefined : status)
}

const wrappedServers = new WeakSet<object>()

function wrapServerEmit(server: Http2Server, instruments: Instruments): void {
  if (wrappedServers.has(server)) return
  wrappedServers.add(server)
  const emit = server.emit as AnyFunction
  const { storage } = instruments.contexts
  const missed = instruments.guard.wrap(
    'http2 stream',
    (stream: ServerHttp2Stream, headers: Headers) => {
      begin(stream, headers, instruments)
      stream.once('close', () => end(stream, instruments))
    }
  )
  const hasChannels = hasStreamChannels(process.versions.node)

  server.emit = named(emit, function (this: Http2Server, event: string, ...args: unknown[]) {
    if (event === 'stream') {
      const stream = args[0] as ServerHttp2Stream
      if (!hasChannels) missed(stream, args[1] as Headers)
      const state = serverRequestOf(stream)
      if (state === undefined) return emit.call(this, event, ...args)
      return storage.run(state.frame, () => emit.call(this, event, ...args))
    }
    const [request, response] = args as { stream?: object }[]
    const stream = event === 'error' ? undefined : request?.stream
    const state = stream === undefined || stream === null ? undefined : serverRequestOf(stream)
    if (state !== undefined) {
      attachServerRequest(request!, state)
      if (typeof response === 'object') attachServerRequest(response, state)
    }
    return emit.call(this, event, ...args)
  })
}

/** Since 22.17. */
function hasStreamChannels(nodeVersion: string): boolean {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 17)
}

function emitWithin({ contexts }: Instruments, context: Parameters<typeof contexts.run>[0]) {
  const emit = EventEmitter.prototype.emit
  return function (this: EventEmitter, ...args: [string | symbol, ...unknown[]]): boolean {
    return contexts.storage.run(context, () => emit.apply(this, args))
  }
}

const patchedSessions = new WeakSet<object>()

function patchSession(prototype: { request: AnyFunction }, instruments: Instruments): void {
  if (patchedSessions.has(prototype)) return
  patchedSessions.add(prototype)
  const { request } = prototype

  prototype.request = named(
    request,
    function (this: ClientHttp2Session, headers: unknown, ...rest: unknown[]): ClientHttp2Stream {
      let begun: Begun | undefined
      try {
        begun = beginExit(this, headers, instruments)
      } catch (fault) {
        instruments.guard.report('http2 request', fault)
      }
      if (begun === undefined) return request.call(this, headers, ...rest)
      try {
        const stream = request.call(this, begun.headers, ...rest)
        watchExit(stream, begun.span, instruments)
        return stream
      } catch (error) {
        if (begun.span instanceof RecordingSpan) endExitSpan(begun.span, undefined, error)
        throw error
      }
    }
  )
}

interface Begun {
  readonly span: NonNullable<ReturnType<typeof startExitSpan>>
  readonly headers: unknown
}

function beginExit(
  session: ClientHttp2Session,
  given: unknown,
  instruments: Instruments
): Begun | undefined {
  // Newer versions take a flat list of names and values as well.
  const isList = Array.isArray(given)
  const headers = isList ? fromList(given) : ((given ?? {}) as OutgoingHeaders)
  if (isGrpc(headers['content-type']) || isTraced(headers, instruments)) return undefined
  const method = knownMethod(String(headers[':method'] ?? 'GET'))
  const name = method === OTHER_METHOD ? OTHER_METHOD_NAME : method
  const span = startExitSpan(instruments, name, SpanKind.CLIENT)
  if (span === undefined) return undefined
  if (span instanceof RecordingSpan) {
    describeExit(span, session, headers, method)
    if (instruments.headers !== undefined) {
      const { clientRequest } = instruments.headers
      captureHeaders(span, clientRequest, (header) => headers[header])
    }
  }
  announce(instruments, span)
  const added: string[] = []
  injectHeaders(instruments, span, (header, value) => added.push(header, value))
  const sent = isList
    ? Object.assign([...given, ...added], given)
    : Object.assign({}, given, fromList(added))
  return { span, headers: sent }
}

function describeExit(
  span: RecordingSpan,
  session: ClientHttp2Session,
  headers: OutgoingHeaders,
  method: string
): void {
  const given = headers[':scheme'] ?? keptOf(session, 'protocol') ?? 'https:'
  const scheme = String(given).replace(':', '')
  const authority = String(
    headers[':authority'] ?? headers.host ?? keptOf(session, 'authority') ?? ''
  )
  span.put(HTTP_REQUEST_METHOD, method)
  putServer(span, authority === '' ? undefined : authority, scheme)
  const target = redactTarget(String(headers[':path'] ?? '/'))
  span.put(URL_FULL, `${scheme}://${authority}${target}`)
  span.put(NETWORK_PROTOCOL_VERSION, '2')
}

const sessionKeys = new Map<string, symbol | undefined>()

/** Node keeps what `connect` was given under symbols, and tells it only once the session is connected. */
function keptOf(session: ClientHttp2Session, name: 'authority' | 'protocol'): unknown {
  let key = sessionKeys.get(name)
  if (key === undefined) {
    key = Object.getOwnPropertySymbols(session).find(({ description }) => description === name)
    sessionKeys.set(name, key)
  }
  return key === undefined ? undefined : (session as unknown as Record<symbol, unknown>)[key]
}

function watchExit(stream: ClientHttp2Stream, span: Begun['span'], instruments: Instruments): void {
  const context = instruments.contexts.storage.getStore()
  if (context !== undefined) stream.emit = emitWithin(instruments, context) as typeof stream.emit
  let status: number | undefined
  stream.once('response', (headers) => {
    status = headers[':status']
    if (instruments.headers !== undefined && span instanceof RecordingSpan) {
      captureHeaders(span, instruments.headers.clientResponse, (header) => headers[header])
    }
  })
  stream.once('close', () => {
    if (!(span instanceof RecordingSpan)) return
    if (status !== undefined) span.put(HTTP_RESPONSE_STATUS_CODE, status)
    const isBroken = status === undefined || stream.aborted || stream.rstCode !== NO_ERROR
    endExitSpan(span, status, stream.errored, isBroken ? 'aborted' : undefined)
  })
}

function isTraced(headers: OutgoingHeaders, { propagator }: Instruments): boolean {
  return propagator.parentOf(headers as Headers) !== undefined
}

function fromList(list: readonly unknown[]): OutgoingHeaders {
  const headers: OutgoingHeaders = {}
  for (let index = 0; index + 1 < list.length; index += 2) {
    headers[String(list[index]).toLowerCase()] = list[index + 1]
  }
  return headers
}

function isGrpc(contentType: unknown): boolean {
  return typeof contentType === 'string' && contentType.startsWith(GRPC)
}
