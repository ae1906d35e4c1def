/**
 * node:http and node:https servers, by the runtime's own channels:
 *
 *   http.server.request.start    makes the span and begins its context for the parser's callback; before
 *                                Node 24 it wraps this server's `emit` once instead, so that 'request' and
 *                                its kin run inside the context
 *   http.server.response.finish  ends it
 *   'close' of the connection    ends those that were open on it: the client went away
 *
 * A request with a body gets an `emit` of its own too: node emits 'data' and 'end' from the connection's
 * parser, which lives outside of any request.
 */
import { EventEmitter } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { SpanKind } from '@opentelemetry/api'
import {
  CLIENT_ADDRESS,
  HTTP_REQUEST_METHOD,
  HTTP_REQUEST_METHOD_ORIGINAL,
  NETWORK_PROTOCOL_VERSION,
  SERVER_ADDRESS,
  SERVER_PORT,
  URL_PATH,
  URL_QUERY,
  URL_SCHEME,
  USER_AGENT_ORIGINAL
} from '@spanloom/otlp'
import { Frame, requestFrame } from '../context/frame.ts'
import { CARRIED_BY_V8 } from '../context/manager.ts'
import { RecordingSpan } from '../trace/span.ts'
import type { AnySpan } from '../trace/tracer.ts'
import { named } from './calls.ts'
import { captureHeaders } from './header-capture.ts'
import {
  knownMethod,
  OTHER_METHOD,
  OTHER_METHOD_NAME,
  parseHost,
  portOfScheme,
  redactQuery
} from './http-words.ts'
import {
  type AttributeSink,
  announce,
  factsOf,
  type Instruments,
  startEntrySpan
} from './instruments.ts'
import type { Instrumentation } from './registry.ts'
import { attachServerRequest, ServerRequest, serverRequestOf } from './server-request.ts'

interface StartMessage {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly server: Server
}

export const HEADER_CHARS_MAX = 512
const REQUEST_EVENTS: ReadonlySet<string | symbol> = new Set([
  'request',
  'checkContinue',
  'checkExpectation'
])

/** A request on a connection, which may have several in a row (pipelining). */
class HttpRequest extends ServerRequest {
  readonly response: ServerResponse
  /** Who takes a request's body for another's may leave it without its socket, as Next 15 does. */
  readonly connection: Connection
  /** Begun before this one and not yet ended. */
  before: HttpRequest | null = null

  constructor(
    span: AnySpan,
    frame: Frame,
    method: string,
    response: ServerResponse,
    connection: Connection
  ) {
    super(span, frame, method)
    this.response = response
    this.connection = connection
  }
}

const NEWEST = Symbol('spanloom.newestRequest')

/** Undefined before its first request, null while it has none. */
interface Connection extends Socket {
  [NEWEST]?: HttpRequest | null
}

const httpServer: Instrumentation = {
  channels: (instruments) => {
    const wrapped = new WeakSet<Server>()
    return {
      'http.server.request.start': (message) => {
        const { request, response, server } = message as StartMessage
        if (!CARRIED_BY_V8 && !wrapped.has(server)) {
          wrapped.add(server)
          wrapServerEmit(server, instruments)
        }
        begin(request, response, instruments)
      },
      'http.server.response.finish': (message) => {
        const { request, response } = message as StartMessage
        const state = serverRequestOf(request) as HttpRequest | undefined
        if (state === undefined) return
        if (instruments.headers !== undefined && state.span instanceof RecordingSpan) {
          captureHeaders(state.span, instruments.headers.serverResponse, (header) =>
            response.getHeader(header)
          )
        }
        leaveConnection(state)
        state.end(response.statusCode)
      }
    }
  }
}

export default httpServer

function begin(request: IncomingMessage, response: ServerResponse, instruments: Instruments): void {
  const { headers } = request
  const method = knownMethod(request.method ?? '')
  const name = method === OTHER_METHOD ? OTHER_METHOD_NAME : method
  const parent = instruments.propagator.parentOf(headers)
  const facts = factsOf(instruments, describeRequest, request)
  const span = startEntrySpan(instruments, name, SpanKind.SERVER, parent, facts)
  if (span instanceof RecordingSpan) {
    describeRequest(span, request)
    const link = instruments.propagator.linkOf(headers)
    if (link !== undefined) span.addLink({ context: link.spanContext() })
    if (instruments.headers !== undefined) {
      captureHeaders(span, instruments.headers.serverRequest, (header) => headers[header])
    }
  }
  announce(instruments, span)
  const frame = requestFrame(span, instruments.propagator.baggageOf(headers))
  const state = new HttpRequest(span, frame, name, response, request.socket)
  attachServerRequest(request, state)
  enterConnection(state)
  if (CARRIED_BY_V8) instruments.contexts.beginCallback(frame)
  if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined) {
    request.emit = bodyEmitOf(instruments)
  }
}

export function describeRequest(span: AttributeSink, request: IncomingMessage): void {
  const method = knownMethod(request.method ?? '')
  const { headers, socket } = request
  const scheme = (socket as TLSSocket).encrypted ? 'https' : 'http'
  const target = request.url ?? '/'
  const mark = target.indexOf('?')
  span.put(HTTP_REQUEST_METHOD, method)
  if (method === OTHER_METHOD) span.put(HTTP_REQUEST_METHOD_ORIGINAL, request.method ?? '')
  span.put(URL_SCHEME, scheme)
  span.put(URL_PATH, pathOf(mark < 0 ? target : target.slice(0, mark)))
  if (mark >= 0) span.put(URL_QUERY, redactQuery(target.slice(mark + 1)))
  if (headers.host !== undefined) {
    const { host, port } = parseHost(headers.host)
    span.put(SERVER_ADDRESS, host)
    const known = port ?? portOfScheme(scheme)
    if (known !== undefined) span.put(SERVER_PORT, known)
  }
  const client = clientAddress(headers['x-forwarded-for'], socket.remoteAddress)
  if (client !== undefined) span.put(CLIENT_ADDRESS, client)
  span.put(NETWORK_PROTOCOL_VERSION, request.httpVersion)
  const agent = headers['user-agent']
  if (agent !== undefined) span.put(USER_AGENT_ORIGINAL, agent.slice(0, HEADER_CHARS_MAX))
}

/** A proxy's request has the whole address as its target. */
function pathOf(target: string): string {
  const scheme = target.indexOf('://')
  if (scheme < 0 || target.startsWith('/')) return target.slice(0, HEADER_CHARS_MAX * 4)
  const slash = target.indexOf('/', scheme + 3)
  return slash < 0 ? '/' : target.slice(slash)
}

/** The first hop that a proxy names, as the conventions have it; else the socket's other end. */
export function clientAddress(
  forwarded: string | string[] | undefined,
  remote: string | undefined
): string | undefined {
  if (typeof forwarded !== 'string') return remote
  const comma = forwarded.indexOf(',')
  const first = (comma < 0 ? forwarded : forwarded.slice(0, comma)).trim()
  return first === '' ? remote : first.slice(0, 64)
}

/** One listener a connection, and none a response: adding it was 0.1 µs a request. */
function enterConnection(state: HttpRequest): void {
  const { connection } = state
  const newest = connection[NEWEST]
  if (newest === undefined) connection.on('close', onConnectionClose)
  else state.before = newest
  connection[NEWEST] = state
}

function leaveConnection(state: HttpRequest): void {
  const { connection } = state
  const newest = connection[NEWEST]
  if (newest === state) {
    connection[NEWEST] = state.before
    return
  }
  for (let each = newest; each !== null && each !== undefined; each = each.before) {
    if (each.before === state) each.before = state.before
  }
}

function onConnectionClose(this: Connection): void {
  for (let each = this[NEWEST]; each !== null && each !== undefined; each = each.before) {
    each.end(each.response.writableFinished ? each.response.statusCode : undefined)
  }
  this[NEWEST] = null
}

function wrapServerEmit(server: Server, { contexts }: Instruments): void {
  const emit = server.emit
  server.emit = function (this: Server, event: string | symbol, ...args: unknown[]): boolean {
    const state = REQUEST_EVENTS.has(event) ? serverRequestOf(args[0] as object) : undefined
    if (state === undefined) return Reflect.apply(emit, this, [event, ...args])
    return contexts.run(state.frame, () => Reflect.apply(emit, this, [event, ...args]))
  } as typeof server.emit
}

const bodyEmits = new WeakMap<Instruments, EventEmitter['emit']>()

/** One function for all requests of a tracer. */
function bodyEmitOf(instruments: Instruments): EventEmitter['emit'] {
  const known = bodyEmits.get(instruments)
  if (known !== undefined) return known
  const { storage } = instruments.contexts
  const emit = EventEmitter.prototype.emit
  const made = named(
    emit,
    function (this: IncomingMessage, ...args: [string | symbol, ...unknown[]]): boolean {
      const frame = serverRequestOf(this)?.frame
      if (frame === undefined || isOfTrace(storage.getStore(), frame)) return emit.apply(this, args)
      return storage.run(frame, () => emit.apply(this, args))
    }
  )
  bodyEmits.set(instruments, made)
  return made
}

/** Whether the context belongs to the same trace, such as that of a span inside of the request. */
function isOfTrace(context: unknown, frame: Frame): boolean {
  if (context === frame) return true
  if (!(context instanceof Frame)) return false
  const active = context.cell?.span
  const own = frame.cell?.span
  return active !== undefined && active.trace3 === own?.trace3 && active.trace2 === own?.trace2
}
