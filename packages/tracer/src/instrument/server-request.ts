/**
 * A request that a server of ours is answering: its span, its context, its route. It hangs on node's
 * request and response objects, where web frameworks find it whatever context they run in.
 */
import { SpanStatusCode } from '@opentelemetry/api'
import { ERROR_TYPE, HTTP_RESPONSE_STATUS_CODE, HTTP_ROUTE } from '@spanloom/otlp'
import type { Frame } from '../context/frame.ts'
import { joinedWords } from '../lib/joined-words.ts'
import { RecordingSpan } from '../trace/span.ts'
import type { AnySpan } from '../trace/tracer.ts'

const SERVER_REQUEST = Symbol('spanloom.serverRequest')

export const NOT_FOUND = 404

/** Our own mark, because no convention has a name for "the client went away". */
const ABORTED = 'spanloom.http.aborted'

/** Makes the span of a middleware afterwards (middleware.ts). Times are of `performance.now()`. */
export interface LayerSpans {
  readonly slowMs: number
  make(server: ServerRequest, layer: object, startMs: number, endMs: number, error: unknown): void
}

type Route = string | ((statusCode: number | undefined) => string | undefined)

export class ServerRequest {
  readonly span: AnySpan
  readonly frame: Frame
  readonly method: string
  /** Where the middleware is mounted that the request is in: its route, should it find an answer there. */
  mountPath: string | undefined = undefined
  #route: Route | undefined = undefined
  /** The middleware that the request is in, and since when. */
  #layer: object | undefined = undefined
  #layerStartMs = 0.5
  #layerSpans: LayerSpans | undefined = undefined
  #lastError: unknown = undefined
  #ended = false

  constructor(span: AnySpan, frame: Frame, method: string) {
    this.span = span
    this.frame = frame
    this.method = method
  }

  /**
   * The last one wins: a route that passes the request on was not the one that answered. A function is asked
   * at the end, for frameworks that know by then.
   */
  setRoute(route: Route): void {
    this.#route = route
  }

  /** @hot The request comes to a middleware, which ends the one before. */
  enterLayer(layer: object, spans: LayerSpans): void {
    if (!(this.span instanceof RecordingSpan)) return
    const now = performance.now()
    if (this.#layer !== undefined && now - this.#layerStartMs >= spans.slowMs) {
      spans.make(this, this.#layer, this.#layerStartMs, now, undefined)
    }
    this.#layer = layer
    this.#layerStartMs = now
    this.#layerSpans = spans
  }

  /** The request comes to its handler, to its end, or fails in the middleware where it is. */
  leaveLayer(error?: unknown): void {
    const layer = this.#layer
    if (layer === undefined) return
    this.#layer = undefined
    const spans = this.#layerSpans!
    const now = performance.now()
    if (error !== undefined || now - this.#layerStartMs >= spans.slowMs) {
      spans.make(this, layer, this.#layerStartMs, now, error)
    }
  }

  /** An error passes through several handlers on its way out; it is one exception. */
  recordError(error: unknown): void {
    if (error === this.#lastError || error === undefined || error === null) return
    this.#lastError = error
    this.span.recordException(error as Error)
  }

  #routeAtEnd(statusCode: number | undefined): string | undefined {
    if (typeof this.#route === 'function') return this.#route(statusCode)
    return this.#route ?? (statusCode === NOT_FOUND ? undefined : this.mountPath)
  }

  end(statusCode: number | undefined): void {
    if (this.#ended) return
    this.#ended = true
    this.leaveLayer()
    const { span } = this
    if (!(span instanceof RecordingSpan)) return
    const route = this.#routeAtEnd(statusCode)
    if (route !== undefined) {
      span.put(HTTP_ROUTE, route)
      span.name = joinedWords(this.method, route)
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
