/**
 * fetch and npm's undici, by undici's own channels, which the runtime's copy and npm's share:
 *
 *   undici:request:create     makes the span and sets the headers
 *   undici:request:headers    takes the status
 *   undici:request:trailers   the body is complete: ends it
 *   undici:request:error      ends it as failed
 *
 * A redirect is a request of its own and so a span of its own. Of an upgrade (WebSocket) and a tunnel (CONNECT)
 * undici 5 and the copies in Node 22 to 26 publish no answer: the request's own method that takes it is replaced.
 */
import { SpanKind } from '@opentelemetry/api'
import {
  HTTP_REQUEST_METHOD,
  HTTP_RESPONSE_STATUS_CODE,
  SERVER_ADDRESS,
  SERVER_PORT,
  URL_FULL
} from '@spanloom/otlp'
import { RecordingSpan } from '../trace/span.ts'
import type { AnySpan } from '../trace/tracer.ts'
import { named } from './calls.ts'
import { captureHeaders, fromPairs } from './header-capture.ts'
import { endExitSpan } from './http-client.ts'
import {
  fullUrl,
  knownMethod,
  OTHER_METHOD,
  OTHER_METHOD_NAME,
  parseHost,
  portOfScheme,
  redactOrigin,
  redactTarget
} from './http-words.ts'
import { announce, type Instruments, injectHeaders, startExitSpan } from './instruments.ts'
import type { Instrumentation } from './registry.ts'

const STATE = Symbol('spanloom.request')

interface UndiciRequest {
  [STATE]?: State | undefined
  readonly origin?: string | URL
  readonly method: string
  readonly path: string
  readonly upgrade?: string | null
  onUpgrade?: TakeUpgrade
  /** From 8 on. */
  onRequestUpgrade?: TakeUpgrade
  /** Names and values in turn; text in undici 5. */
  readonly headers: unknown
  addHeader(name: string, value: string): unknown
}

/** Undici 6 has no status with HTTP/2, and publishes it later. */
type TakeUpgrade = (status: number | null, ...rest: unknown[]) => unknown

interface Message {
  readonly request: UndiciRequest
  readonly response?: { readonly statusCode: number; readonly headers?: unknown }
  readonly error?: unknown
}

interface State {
  readonly span: AnySpan
  status: number | undefined
}

const undici: Instrumentation = {
  channels: (instruments) => {
    const finish = ({ request, error }: Message): void => {
      const state = request[STATE]
      if (state === undefined) return
      request[STATE] = undefined
      if (!(state.span instanceof RecordingSpan)) return
      if (state.status !== undefined) state.span.put(HTTP_RESPONSE_STATUS_CODE, state.status)
      endExitSpan(state.span, state.status, error)
    }
    return {
      'undici:request:create': (message) => {
        const { request } = message as Message
        const span = begin(request, instruments)
        if (span === undefined) return
        const state: State = { span, status: undefined }
        request[STATE] = state
        if (request.upgrade || request.method === 'CONNECT') {
          watchUpgrade(request, state, instruments.guard.wrap('undici upgrade', finish))
        }
      },
      'undici:request:headers': (message) => {
        const { request, response } = message as Message
        const state = request[STATE]
        if (state === undefined) return
        state.status = response?.statusCode
        if (instruments.headers !== undefined && state.span instanceof RecordingSpan) {
          captureHeaders(
            state.span,
            instruments.headers.clientResponse,
            fromPairs(response?.headers)
          )
        }
      },
      'undici:request:trailers': (message) => finish(message as Message),
      'undici:request:error': (message) => finish(message as Message)
    }
  }
}

export default undici

function begin(request: UndiciRequest, instruments: Instruments): AnySpan | undefined {
  const method = knownMethod(request.method)
  const name = method === OTHER_METHOD ? OTHER_METHOD_NAME : method
  const span = startExitSpan(instruments, name, SpanKind.CLIENT)
  if (span === undefined) return undefined
  if (span instanceof RecordingSpan) {
    describe(span, request, method)
    if (instruments.headers !== undefined) {
      captureHeaders(span, instruments.headers.clientRequest, fromPairs(request.headers))
    }
  }
  announce(instruments, span)
  injectHeaders(instruments, span, (header, value) => setHeader(request, header, value))
  return span
}

function watchUpgrade(
  request: UndiciRequest,
  state: State,
  finish: (message: Message) => void
): void {
  for (const name of ['onUpgrade', 'onRequestUpgrade'] as const) {
    const take = request[name]
    if (take === undefined) continue
    request[name] = named(take, function (this: UndiciRequest, status, ...rest) {
      if (status !== null) state.status = status
      const result = take.call(this, status, ...rest)
      if (status !== null) finish({ request })
      return result
    } satisfies TakeUpgrade)
  }
}

function describe(span: RecordingSpan, request: UndiciRequest, method: string): void {
  const { host, port, shown } = originOf(String(request.origin ?? ''))
  span.put(HTTP_REQUEST_METHOD, method)
  span.put(SERVER_ADDRESS, host)
  if (port !== undefined) span.put(SERVER_PORT, port)
  span.put(URL_FULL, fullUrl(shown, redactTarget(request.path)))
}

interface Origin {
  readonly host: string
  readonly port: number | undefined
  /** Without what it says of a user. */
  readonly shown: string
}

/** More are not remembered: who has that many makes them up. */
const ORIGINS_MAX = 256
const ORIGIN_CHARS_MAX = 256
const origins = new Map<string, Origin>()

function originOf(text: string): Origin {
  const known = origins.get(text)
  if (known !== undefined) return known
  const origin = parsedOrigin(text.replace(/\/$/, ''))
  if (origins.size < ORIGINS_MAX && text.length <= ORIGIN_CHARS_MAX) origins.set(text, origin)
  return origin
}

function parsedOrigin(origin: string): Origin {
  const start = origin.indexOf('://')
  const scheme = start < 0 ? 'http' : origin.slice(0, start)
  const authority = origin.slice(start < 0 ? 0 : start + 3)
  const { host, port } = parseHost(authority.slice(authority.lastIndexOf('@') + 1))
  return { host, port: port ?? portOfScheme(scheme), shown: redactOrigin(origin) }
}

/** Replaces a header that the app passed on from elsewhere: two would be none. */
function setHeader(request: UndiciRequest, name: string, value: string): void {
  const { headers } = request
  if (Array.isArray(headers)) {
    for (let index = 0; index < headers.length; index += 2) {
      const header = headers[index]
      if (header.length === name.length && String(header).toLowerCase() === name) {
        headers[index + 1] = value
        return
      }
    }
  }
  request.addHeader(name, value)
}
