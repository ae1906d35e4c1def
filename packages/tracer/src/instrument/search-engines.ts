/**
 * @opensearch-project/opensearch, and @elastic/elasticsearch as far as its transport makes no spans of its own
 * (before @elastic/transport 8.7; the newer ones' come through OpenTelemetry's API): a client span for each
 * request, with the HTTP spans of its attempts below it. Both transports descend from one, so `request` gets
 * the same in both: `{ method, path, body }`.
 *
 *   GET  /orders/_search    →   search orders       the shape of the body, with every value as `?`
 *   PUT  /orders/_doc/17    →   index orders        no text: a document is a value
 *   GET  /_cat/indices      →   cat.indices
 *
 * Limits: an error's message has values in it, so only its type is kept. A body that is text or a stream, as a
 * multiple search's, is not shown.
 */
import { DB_RESPONSE_STATUS_CODE, HTTP_REQUEST_METHOD } from '@spanloom/otlp'
import { RecordingSpan } from '../trace/span.ts'
import type { AnySpan } from '../trace/tracer.ts'
import { type AnyFunction, errorTypeOf, inContext, runWithSpan, wrapMethod } from './calls.ts'
import {
  type Endpoint,
  endDatabaseSpan,
  type Failure,
  putEndpoint,
  type Statement,
  startDatabaseSpan
} from './db-span.ts'
import type { Instruments } from './instruments.ts'
import { shapeOf } from './mongodb-words.ts'
import type { Instrumentation } from './registry.ts'

interface Params {
  readonly method?: string
  readonly path?: string
  readonly body?: unknown
}

interface Result {
  readonly body?: unknown
  readonly statusCode?: number | null
  readonly meta?: { readonly connection?: { readonly url?: URL } | null }
}

/** What OpenSearch's `request` returns where it got no callback. */
interface Returned {
  abort?(): unknown
}

const NAME_CHARS_MAX = 128
const TEXT_CHARS_MAX = 2_048
/** A search asks its question a few levels deeper than a MongoDB filter does. */
const NESTING_MORE = 3
/** `@elastic/transport` has spans of its own from here. */
const OWN_SPANS_SINCE = [8, 7] as const

const searchEngines: Instrumentation = {
  patches: {
    opensearch: (exports, instruments) => {
      wrapMethod(
        (exports as { prototype: object }).prototype,
        'request',
        (request) =>
          function (this: unknown, params: Params, options?: unknown, callback?: unknown) {
            const span = begin('opensearch', params, instruments)
            if (span === undefined) return request.call(this, params, options, callback)
            const given = typeof options === 'function' ? options : callback
            const asked = typeof options === 'function' ? {} : options
            const send = (done: AnyFunction): Returned =>
              started(span, instruments, () => request.call(this, params, asked, done))
            if (typeof given === 'function') {
              return send(
                ending(span, inContext(instruments.contexts.storage, given as AnyFunction))
              )
            }
            return promised(span, send)
          }
      )
    },
    elastic: (exports, instruments, { version }) => {
      const [major = 0, minor = 0] = version.split('.').map(Number)
      if (major > OWN_SPANS_SINCE[0] || minor >= OWN_SPANS_SINCE[1]) return
      wrapMethod(
        (exports as { default: { prototype: object } }).default.prototype,
        'request',
        (request) =>
          async function (this: unknown, params: Params, options: { meta?: boolean } = {}) {
            const span = begin('elasticsearch', params, instruments)
            if (span === undefined) return request.call(this, params, options)
            try {
              const result: Result = await runWithSpan(instruments, span, () =>
                request.call(this, params, { ...options, meta: true })
              )
              end(span, undefined, result)
              return options.meta === true ? result : result.body
            } catch (error) {
              end(span, error, undefined)
              throw error
            }
          }
      )
    }
  }
}

export default searchEngines

function started<Value>(span: AnySpan, instruments: Instruments, send: () => Value): Value {
  try {
    return runWithSpan(instruments, span, send)
  } catch (error) {
    end(span, error, undefined)
    throw error
  }
}

function ending(span: AnySpan, callback: AnyFunction): AnyFunction {
  return function (this: unknown, error: unknown, result: Result) {
    end(span, error, result)
    return callback.call(this, error, result)
  }
}

/** The same as the library makes: a promise that can be aborted, whose rejection is the caller's to handle. */
function promised(span: AnySpan, send: (done: AnyFunction) => Returned): object {
  let returned: Returned | undefined
  const promise = new Promise((resolve, reject) => {
    const done = (error: unknown, result: Result) => (error ? reject(error) : resolve(result))
    returned = send(ending(span, done))
  })
  return {
    // biome-ignore lint/suspicious/noThenProperty: what the library returns has one
    then: promise.then.bind(promise),
    catch: promise.catch.bind(promise),
    finally: promise.finally.bind(promise),
    abort() {
      returned?.abort?.()
      return this
    }
  }
}

function begin(system: string, params: Params, instruments: Instruments): AnySpan | undefined {
  try {
    const endpoint: Endpoint = { system, namespace: undefined, host: undefined, port: undefined }
    const span = startDatabaseSpan(instruments, endpoint, statementOf(params))
    if (span instanceof RecordingSpan && typeof params.method === 'string') {
      span.put(HTTP_REQUEST_METHOD, params.method)
    }
    return span
  } catch (fault) {
    instruments.guard.report(`${system} request`, fault)
    return undefined
  }
}

function end(span: AnySpan, error: unknown, result: Result | undefined): void {
  const told = result ?? (error as { meta?: Result } | undefined)?.meta
  if (span instanceof RecordingSpan && told !== undefined) {
    const url = told.meta?.connection?.url
    if (url !== undefined) putEndpoint(span, endpointOf(url))
    if (!error && told.statusCode) span.put(DB_RESPONSE_STATUS_CODE, String(told.statusCode))
  }
  endDatabaseSpan(span, error, readFailure)
}

function endpointOf({ hostname, port, protocol }: URL): Endpoint {
  const number = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)
  return { system: '', namespace: undefined, host: hostname, port: number }
}

function readFailure(error: unknown): Failure {
  const { statusCode, body } = (error as { meta?: Result }).meta ?? {}
  const { type } = (body as { error?: { type?: unknown } } | null | undefined)?.error ?? {}
  const hasAnswer = typeof statusCode === 'number' && statusCode > 0
  return {
    statusCode: hasAnswer ? String(statusCode) : undefined,
    type: typeof type === 'string' ? type : errorTypeOf(error),
    message: undefined
  }
}

/** What a request to a document does, by its method. */
const OF_DOCUMENT: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'exists',
  PUT: 'index',
  POST: 'index',
  DELETE: 'delete'
}
const OF_INDEX: Readonly<Record<string, string>> = {
  GET: 'indices.get',
  HEAD: 'indices.exists',
  PUT: 'indices.create',
  DELETE: 'indices.delete'
}
/** Families of requests, where what follows is no id. */
const FAMILIES: ReadonlySet<string> = new Set(['cat', 'cluster', 'ingest', 'plugins'])
/** Requests whose body is a question and not a document. */
const QUESTIONS: ReadonlySet<string> = new Set([
  'search',
  'count',
  'explain',
  'delete_by_query',
  'update_by_query',
  'async_search'
])

export function statementOf({ method = 'GET', path = '/', body }: Params): Statement {
  const parts = path.split('/').filter((part) => part !== '')
  const index = parts[0]?.startsWith('_') === false ? decoded(parts[0]) : undefined
  const at = parts.findIndex((part) => part.startsWith('_'))
  const word = at < 0 ? undefined : parts[at]!.slice(1, 1 + NAME_CHARS_MAX)
  let operation: string
  if (word === undefined) operation = (index === undefined ? undefined : OF_INDEX[method]) ?? 'info'
  else if (word === 'doc') operation = OF_DOCUMENT[method] ?? 'index'
  else if (FAMILIES.has(word) && parts[at + 1] !== undefined) operation = `${word}.${parts[at + 1]}`
  else operation = word
  const isQuestion = QUESTIONS.has(operation) && typeof body === 'object' && body !== null
  return {
    spanName: index === undefined ? operation : `${operation} ${index}`,
    operation,
    collection: index,
    text: isQuestion ? shapeOf(body, -NESTING_MORE).slice(0, TEXT_CHARS_MAX) : undefined
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part).slice(0, NAME_CHARS_MAX)
  } catch {
    return part.slice(0, NAME_CHARS_MAX)
  }
}
