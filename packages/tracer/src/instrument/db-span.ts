/**
 * The span of a call to a database, the same for all of them: what is known of the connection (`Endpoint`)
 * and of the statement (`Statement`) is made once and kept by each instrumentation, so that a call
 * allocates its span and no more.
 */
import type { AsyncLocalStorage } from 'node:async_hooks'
import { type Context, SpanKind, SpanStatusCode } from '@opentelemetry/api'
import {
  DB_COLLECTION_NAME,
  DB_NAMESPACE,
  DB_OPERATION_BATCH_SIZE,
  DB_OPERATION_NAME,
  DB_QUERY_TEXT,
  DB_RESPONSE_STATUS_CODE,
  DB_SYSTEM_NAME,
  ERROR_TYPE,
  SERVER_ADDRESS,
  SERVER_PORT
} from '@spanloom/otlp'
import { RecordingSpan } from '../trace/span.ts'
import type { AnySpan } from '../trace/tracer.ts'
import { type AnyFunction, inContext } from './calls.ts'
import { announce, type Instruments, startExitSpan } from './instruments.ts'

export interface Endpoint {
  readonly system: string
  readonly namespace: string | undefined
  readonly host: string | undefined
  /** Undefined for a socket in the file system. */
  readonly port: number | undefined
}

export interface Statement {
  readonly spanName: string
  readonly operation: string | undefined
  readonly collection: string | undefined
  /** Without any value of the app's; undefined where there is nothing to say. */
  readonly text: string | undefined
}

/** What a database's own error says; each instrumentation reads its own. */
export interface Failure {
  /** SQLSTATE, Redis' prefix, MongoDB's number. */
  readonly statusCode: string | undefined
  readonly type: string
  /** Without any value of the app's. */
  readonly message: string | undefined
}

export type ReadFailure = (error: unknown) => Failure

/** @hot A call of one operation is no batch: then `batchSize` is 0 and not written. */
export function startDatabaseSpan(
  instruments: Instruments,
  endpoint: Endpoint,
  statement: Statement,
  batchSize = 0
): AnySpan | undefined {
  const span = startExitSpan(instruments, statement.spanName, SpanKind.CLIENT)
  if (span === undefined) return undefined
  if (span instanceof RecordingSpan) {
    const { namespace, host, port } = endpoint
    const { operation, collection, text } = statement
    span.put(DB_SYSTEM_NAME, endpoint.system)
    if (namespace !== undefined) span.put(DB_NAMESPACE, namespace)
    if (operation !== undefined) span.put(DB_OPERATION_NAME, operation)
    if (collection !== undefined) span.put(DB_COLLECTION_NAME, collection)
    if (text !== undefined) span.put(DB_QUERY_TEXT, text)
    // The conventions: a batch has two operations or more.
    if (batchSize > 1) span.put(DB_OPERATION_BATCH_SIZE, batchSize)
    if (host !== undefined) span.put(SERVER_ADDRESS, host)
    if (port !== undefined) span.put(SERVER_PORT, port)
  }
  announce(instruments, span)
  return span
}

/** For a span that began before its connection was known. */
export function putEndpoint(span: RecordingSpan, { namespace, host, port }: Endpoint): void {
  if (namespace !== undefined) span.put(DB_NAMESPACE, namespace)
  if (host !== undefined) span.put(SERVER_ADDRESS, host)
  if (port !== undefined) span.put(SERVER_PORT, port)
}

/** Ends the span; null and undefined are no error. Ending twice is ending once. */
export function endDatabaseSpan(span: AnySpan, error: unknown, readFailure: ReadFailure): void {
  if (error !== undefined && error !== null && span instanceof RecordingSpan && span.endMs === 0) {
    const { statusCode, type, message } = readFailure(error)
    if (statusCode !== undefined) span.put(DB_RESPONSE_STATUS_CODE, statusCode)
    span.put(ERROR_TYPE, type)
    span.setStatus({ code: SpanStatusCode.ERROR, ...(message ? { message } : {}) })
  }
  span.end()
}

/** Ends the span when the promise settles, and returns what has the outcome still to be handled. */
export function endWithPromise<Result>(
  result: Result,
  span: AnySpan,
  readFailure: ReadFailure
): Result {
  if (typeof (result as PromiseLike<unknown> | undefined)?.then !== 'function') {
    span.end()
    return result
  }
  return (result as PromiseLike<unknown>).then(
    (value) => {
      span.end()
      return value
    },
    (error) => {
      endDatabaseSpan(span, error, readFailure)
      throw error
    }
  ) as Result
}

/**
 * The callback, with the error first, of a call whose span ends when it is called. It runs in the context in
 * which this is called.
 */
export function endWithCallback(
  callback: AnyFunction,
  span: AnySpan,
  storage: AsyncLocalStorage<Context>,
  readFailure: ReadFailure
): AnyFunction {
  const bound = inContext(storage, callback)
  return function (this: unknown, error: unknown, ...rest: unknown[]) {
    endDatabaseSpan(span, error, readFailure)
    return bound.call(this, error, ...rest)
  }
}

/** Ends the span beside the promise, which the caller gets as it is: where others hold the same promise. */
export function endBesidePromise(
  promise: PromiseLike<unknown>,
  span: AnySpan,
  readFailure: ReadFailure
): void {
  promise.then(
    () => span.end(),
    (error) => endDatabaseSpan(span, error, readFailure)
  )
}

export function messageOf(error: unknown): string | undefined {
  const { message } = (error ?? {}) as { message?: unknown }
  return typeof message === 'string' && message !== '' ? message : undefined
}
