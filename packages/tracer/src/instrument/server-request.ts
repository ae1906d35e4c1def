/**
 * A request that a server of ours is answering: its span, its context, its route. It hangs on node's
 * request and response objects, where web frameworks find it whatever context they run in.
 */
import { SpanStatusCode } from '@opentelemetry/api'
import { ERROR_TYPE, HTTP_RESPONSE_STATUS_CODE, HTTP_ROUTE } from '@spanloom/otlp'
import type { Frame } from '../context/frame.ts'
import { RecordingSpan } from '../trace/span.ts'
import type { AnySpan } from '../trace/tracer.ts'

const SERVER_REQUEST = Symbol('spanloom.serverRequest')

/** Our own mark, because no convention has a name for "the client went away". */
const ABORTED = 'spanloom.http.aborted'

export class ServerRequest {
  readonly span: AnySpan
  readonly frame: Frame
  readonly method: string
  #route: string | undefined = undefined
  #lastError: unknown = undefined
  #ended = false

  constructor(span: AnySpan, frame: Frame, method: string) {
    this.span = span
    this.frame = frame
    this.method = method
  }

  /** The last one wins: a route that passes the request on was not the one that answered. */
  setRoute(route: string): void {
    this.#route = route
  }

  /** An error passes through several handlers on its way out; it is one exception. */
  recordError(error: unknown): void {
    if (error === this.#lastError || error === undefined || error === null) return
    this.#lastError = error
    this.span.recordException(error as Error)
  }

  end(statusCode: number | undefined): void {
    if (this.#ended) return
    this.#ended = true
    const { span } = this
    if (!(span instanceof RecordingSpan)) return
    if (this.#route !== undefined) {
      span.put(HTTP_ROUTE, this.#route)
      span.name = `${this.method} ${this.#route}`
    }
    if (statusCode === undefined) {
      span.put(ABORTED, true)
    } else {
      span.put(HTTP_RESPONSE_STATUS_CODE, statusCode)
      if (statusCode >= 500) {
        span.put(ERROR_TYPE, String(statusCode))
        span.setStatus({ code: SpanStatusCode.ERROR })
      }
    }
    span.end()
  }
}

interface Carrier {
  [SERVER_REQUEST]?: ServerRequest
}

export function attachServerRequest(carrier: object, request: ServerRequest): void {
  ;(carrier as Carrier)[SERVER_REQUEST] = request
}

/** @hot */
export function serverRequestOf(carrier: object): ServerRequest | undefined {
  return (carrier as Carrier)[SERVER_REQUEST]
}
