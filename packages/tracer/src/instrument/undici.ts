/**
 * fetch and npm's undici, by undici's own channels, which the runtime's copy and npm's share:
 *
 *   undici:request:create     makes the span and sets the headers
 *   undici:request:headers    takes the status
 *   undici:request:trailers   the body is complete: ends it
 *   undici:request:error      ends it as failed
 *
 * A redirect is a request of its own and so a span of its own.
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
import { captureHeaders, fromPairs } from './header-capture.ts'
import { endExitSpan } from './http-client.ts'
import {
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

interface UndiciRequest {
  readonly origin?: string | URL
  readonly method: string
  readonly path: string
  /** Names and values in turn; text in undici 5. */
  readonly headers: unknown
  addHeader(name: string, value: string): unknown
}

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
    const open = new WeakMap<UndiciRequest, State>()
    const finish = ({ request, error }: Message): void => {
      const state = open.get(request)
      if (state === undefined) return
      open.delete(request)
      if (!(state.span instanceof RecordingSpan)) return
      if (state.status !== undefined) state.span.put(HTTP_RESPONSE_STATUS_CODE, state.status)
      endExitSpan(state.span, state.status, error)
    }
    return {
      'undici:request:create': (message) => {
        const { request } = message as Message
        const span = begin(request, instruments)
        if (span !== undefined) open.set(request, { span, status: undefined })
      },
      'undici:request:headers': (message) => {
        const { request, response } = message as Message
        const state = open.get(request)
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

function describe(span: RecordingSpan, request: UndiciRequest, method: string): void {
  const origin = String(request.origin ?? '').replace(/\/$/, '')
  const start = origin.indexOf('://')
  const scheme = start < 0 ? 'http' : origin.slice(0, start)
  const authority = origin.slice(start < 0 ? 0 : start + 3)
  const { host, port } = parseHost(authority.slice(authority.lastIndexOf('@') + 1))
  const known = port ?? portOfScheme(scheme)
  span.put(HTTP_REQUEST_METHOD, method)
  span.put(SERVER_ADDRESS, host)
  if (known !== undefined) span.put(SERVER_PORT, known)
  span.put(URL_FULL, redactOrigin(origin) + redactTarget(request.path))
}

/** Replaces a header that the app passed on from elsewhere: two would be none. */
function setHeader(request: UndiciRequest, name: string, value: string): void {
  const { headers } = request
  if (Array.isArray(headers)) {
    for (let index = 0; index < headers.length; index += 2) {
      if (String(headers[index]).toLowerCase() === name) {
        headers[index + 1] = value
        return
      }
    }
  }
  request.addHeader(name, value)
}
