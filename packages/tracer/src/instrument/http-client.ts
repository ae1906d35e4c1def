/**
 * node:http and node:https clients, by the runtime's own channels:
 *
 *   http.client.request.created   makes the span and sets the headers
 *   http.client.response.finish   (the response's head is there) takes the status
 *   'end' of the response, 'close' of the request   end it; so does an upgrade, which closes the request
 *   http.client.request.error     says why it failed
 *
 * A request whose head is already written (headers as a list, `Expect: 100-continue`) cannot carry the
 * trace on; it still gets its span.
 */
import type { ClientRequest, IncomingMessage } from 'node:http'
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import {
  ERROR_TYPE,
  HTTP_REQUEST_METHOD,
  HTTP_RESPONSE_STATUS_CODE,
  NETWORK_PROTOCOL_VERSION,
  SERVER_ADDRESS,
  SERVER_PORT,
  URL_FULL
} from '@spanloom/otlp'
import { RecordingSpan } from '../trace/span.ts'
import type { AnySpan } from '../trace/tracer.ts'
import { captureHeaders } from './header-capture.ts'
import {
  fullUrl,
  isAbsolute,
  knownMethod,
  OTHER_METHOD,
  OTHER_METHOD_NAME,
  parseHost,
  portOfScheme,
  redactTarget
} from './http-words.ts'
import { announce, type Instruments, injectHeaders, startExitSpan } from './instruments.ts'
import type { Instrumentation } from './registry.ts'

const CLIENT_REQUEST = Symbol('spanloom.clientRequest')

interface State {
  readonly span: AnySpan
  readonly isElsewhere: boolean
  response: Pick<IncomingMessage, 'statusCode' | 'httpVersion' | 'complete'> | undefined
  ended: boolean
}

type Carrier = object & { [CLIENT_REQUEST]?: State }

const httpClient: Instrumentation = {
  channels: (instruments) => ({
    'http.client.request.created': (message) => {
      begin((message as { request: ClientRequest }).request, instruments)
    },
    'http.client.response.finish': (message) => {
      const { request, response } = message as { request: ClientRequest; response: IncomingMessage }
      const state = (request as Carrier)[CLIENT_REQUEST]
      if (state === undefined) return
      state.response = response
      if (state.isElsewhere && state.span instanceof RecordingSpan) putPort(state.span, request)
      if (instruments.headers !== undefined && state.span instanceof RecordingSpan) {
        captureHeaders(
          state.span,
          instruments.headers.clientResponse,
          (header) => response.headers[header]
        )
      }
      ;(response as Carrier)[CLIENT_REQUEST] = state
      response.on('end', onEnd)
    },
    'http.client.request.error': (message) => {
      const { request, error } = message as { request: ClientRequest; error: unknown }
      const state = (request as Carrier)[CLIENT_REQUEST]
      if (state !== undefined) finish(state, error)
    }
  })
}

export default httpClient

function begin(request: ClientRequest, instruments: Instruments): void {
  const method = knownMethod(request.method)
  const name = method === OTHER_METHOD ? OTHER_METHOD_NAME : method
  const span = startExitSpan(instruments, name, SpanKind.CLIENT)
  if (span === undefined) return
  let isElsewhere = false
  if (span instanceof RecordingSpan) {
    isElsewhere = describe(span, request, method)
    if (instruments.headers !== undefined) {
      captureHeaders(span, instruments.headers.clientRequest, (header) => request.getHeader(header))
    }
  }
  announce(instruments, span)
  const state: State = { span, isElsewhere, response: undefined, ended: false }
  ;(request as Carrier)[CLIENT_REQUEST] = state
  request.on('close', onEnd)
  if (!request.headersSent) {
    injectHeaders(instruments, span, (header, value) => request.setHeader(header, value))
  }
}

/** Whether the app has set a `Host` that is not where the request goes, as proxies pass on their caller's. */
function describe(span: RecordingSpan, request: ClientRequest, method: string): boolean {
  const scheme = schemeOf(request)
  const header = request.getHeader('host')
  const asked = parseHost(typeof header === 'string' ? header : request.host)
  const target = redactTarget(request.path)
  const isElsewhere = asked.host !== request.host && isElsewhereOf(request, asked.host, target)
  const { host, port } = isElsewhere ? parseHost(request.host) : asked
  const known = port ?? (isElsewhere ? undefined : portOfScheme(scheme))
  span.put(HTTP_REQUEST_METHOD, method)
  span.put(SERVER_ADDRESS, host)
  if (known !== undefined) span.put(SERVER_PORT, known)
  span.put(URL_FULL, fullUrl(originOf(scheme, host, port), target))
  return isElsewhere
}

/** Of a whole address, as a proxy is asked for, the header is right. */
function isElsewhereOf({ host }: ClientRequest, asked: string, target: string): boolean {
  return !isAbsolute(target) && parseHost(host).host.toLowerCase() !== asked.toLowerCase()
}

/** Its port is known to the connection alone. */
function putPort(span: RecordingSpan, request: ClientRequest): void {
  const port = request.socket?.remotePort
  if (port === undefined) return
  const origin = originOf(schemeOf(request), parseHost(request.host).host, port)
  span.put(SERVER_PORT, port)
  span.setAttribute(URL_FULL, fullUrl(origin, redactTarget(request.path)))
}

function schemeOf({ protocol }: ClientRequest): string {
  return protocol === 'https:' ? 'https' : 'http'
}

function originOf(scheme: string, host: string, port: number | undefined): string {
  const authority = host.includes(':') ? `[${host}]` : host
  const shownPort = port === undefined || port === portOfScheme(scheme) ? '' : `:${port}`
  return `${scheme}://${authority}${shownPort}`
}

function onEnd(this: ClientRequest | IncomingMessage): void {
  const state = (this as Carrier)[CLIENT_REQUEST]
  if (state === undefined) return
  if (state.response === undefined && (this as Switched).upgradeOrConnect === true) {
    const { res } = this as Switched
    state.response = res && {
      statusCode: res.statusCode,
      httpVersion: res.httpVersion,
      complete: true
    }
    if (state.isElsewhere && state.span instanceof RecordingSpan) {
      putPort(state.span, this as ClientRequest)
    }
  }
  finish(state, undefined)
}

/** A request that became a WebSocket or a tunnel: the runtime's channels say nothing of its answer. */
interface Switched {
  readonly upgradeOrConnect?: boolean
  readonly res?: IncomingMessage
}

function finish(state: State, error: unknown): void {
  if (state.ended) return
  state.ended = true
  const { span, response } = state
  if (!(span instanceof RecordingSpan)) return
  const status = response?.statusCode
  if (status !== undefined) span.put(HTTP_RESPONSE_STATUS_CODE, status)
  if (response !== undefined) span.put(NETWORK_PROTOCOL_VERSION, response.httpVersion)
  const broken = response === undefined || !response.complete ? 'aborted' : undefined
  endExitSpan(span, status, error, broken)
}

/** The conventions' rule for clients: 4xx, 5xx and no whole answer are errors. */
export function endExitSpan(
  span: RecordingSpan,
  status: number | undefined,
  error: unknown,
  broken?: string
): void {
  if (error !== undefined && error !== null) {
    const { code, name, message } = error as { code?: unknown; name?: string; message?: string }
    span.put(ERROR_TYPE, typeof code === 'string' ? code : (name ?? 'Error'))
    span.setStatus({ code: SpanStatusCode.ERROR, ...(message ? { message } : {}) })
  } else if (broken !== undefined) {
    span.put(ERROR_TYPE, broken)
    span.setStatus({ code: SpanStatusCode.ERROR })
  } else if (status !== undefined && status >= 400) {
    span.put(ERROR_TYPE, String(status))
    span.setStatus({ code: SpanStatusCode.ERROR })
  }
  span.end()
}
