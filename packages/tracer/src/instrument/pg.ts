/**
 * pg 8: a client span for each query, in all its forms (promise, callback, query object, cursor, stream),
 * through pg-pool or not. `Client.prototype.query` is wrapped; `Pool.prototype.connect` too, because
 * the pool calls back in the context of whoever released the connection.
 *
 * Callbacks run in the context of the call: pg calls them from its socket, whose context is that of the
 * connection's first user.
 */
import type { AsyncLocalStorage } from 'node:async_hooks'
import { type Context, SpanKind } from '@opentelemetry/api'
import {
  DB_COLLECTION_NAME,
  DB_NAMESPACE,
  DB_OPERATION_NAME,
  DB_QUERY_TEXT,
  DB_SYSTEM_NAME,
  SERVER_ADDRESS,
  SERVER_PORT
} from '@spanloom/otlp'
import { joinedWords } from '../lib/joined-words.ts'
import { RecordingSpan } from '../trace/span.ts'
import type { AnySpan } from '../trace/tracer.ts'
import { inContext } from './calls.ts'
import { endDatabaseSpan } from './db-span.ts'
import { announce, type Instruments, startExitSpan } from './instruments.ts'
import { readPgFailure } from './pg-failure.ts'
import type { Instrumentation } from './registry.ts'
import { summarize } from './sql.ts'

type Callback = (error: unknown, ...rest: unknown[]) => unknown

interface Submittable {
  readonly text?: string
  readonly cursor?: { readonly text?: string }
  submit(connection: unknown): unknown
  handleDataRow?: (...args: unknown[]) => unknown
  handlePortalSuspended?: (...args: unknown[]) => unknown
  handleError?: (...args: unknown[]) => unknown
  handleReadyForQuery?: (...args: unknown[]) => unknown
  callback?: Callback
}

interface QueryConfig {
  readonly text?: string
  readonly name?: string
  readonly callback?: Callback
  readonly submit?: unknown
}

interface PgClient {
  readonly host?: string
  readonly port?: number | string
  readonly database?: string
  /** The texts of its prepared statements by name. */
  readonly connection?: { readonly parsedStatements?: Readonly<Record<string, unknown>> }
  query(...args: unknown[]): unknown
}

const DEFAULT_PORT = 5_432

const pg: Instrumentation = {
  patches: {
    client: (exports, instruments) =>
      patchClient((exports as { prototype: PgClient }).prototype, instruments),
    pool: (exports, instruments) =>
      patchPool((exports as { prototype: Pool }).prototype, instruments)
  }
}

export default pg

interface Pool {
  connect(callback?: Callback): unknown
}

function patchPool(prototype: Pool, { contexts }: Instruments): void {
  const { connect } = prototype
  prototype.connect = function (this: Pool, callback?: Callback) {
    if (typeof callback !== 'function') return connect.call(this)
    return connect.call(this, inContext(contexts.storage, callback))
  }
}

function patchClient(prototype: PgClient, instruments: Instruments): void {
  const { query } = prototype
  const { guard, contexts } = instruments
  prototype.query = function (this: PgClient, ...args: unknown[]): unknown {
    let call: QueryCall | undefined
    try {
      call = beginQuery(this, args, instruments)
    } catch (fault) {
      guard.report('pg query', fault)
    }
    if (call === undefined) return query.apply(this, args)
    const form = prepare(args, call, contexts.storage)
    let result: unknown
    try {
      result = query.apply(this, args)
    } catch (error) {
      call.end(error)
      throw error
    }
    return form === 'promise' ? settled(result, call) : result
  }
}

class QueryCall {
  readonly #span: AnySpan
  #ended = false

  constructor(span: AnySpan) {
    this.#span = span
  }

  /** Bound, because it is handed to callbacks. */
  readonly end = (error?: unknown): void => {
    const span = this.#span
    if (this.#ended || !(span instanceof RecordingSpan)) return
    this.#ended = true
    endDatabaseSpan(span, error, readPgFailure)
  }
}

function beginQuery(
  client: PgClient,
  args: readonly unknown[],
  instruments: Instruments
): QueryCall | undefined {
  const text = statementOf(client, args[0])
  if (text === undefined) return undefined
  const { text: shown, operation, table } = summarize(text)
  const namespace = client.database
  const target = table ?? namespace
  const verb = operation ?? 'postgresql'
  const name = target === undefined ? verb : joinedWords(verb, target)
  const span = startExitSpan(instruments, name, SpanKind.CLIENT)
  if (span === undefined) return undefined
  if (span instanceof RecordingSpan) {
    span.put(DB_SYSTEM_NAME, 'postgresql')
    if (namespace !== undefined) span.put(DB_NAMESPACE, namespace)
    span.put(DB_QUERY_TEXT, shown)
    if (operation !== undefined) span.put(DB_OPERATION_NAME, operation)
    if (table !== undefined) span.put(DB_COLLECTION_NAME, table)
    if (client.host !== undefined) span.put(SERVER_ADDRESS, client.host)
    span.put(SERVER_PORT, Number(client.port ?? DEFAULT_PORT))
  }
  announce(instruments, span)
  return new QueryCall(span)
}

function statementOf(client: PgClient, query: unknown): string | undefined {
  if (typeof query === 'string') return query
  if (typeof query !== 'object' || query === null) return undefined
  const { text, cursor, name } = query as Submittable & QueryConfig
  if (typeof text === 'string') return text
  if (typeof name !== 'string') return cursor?.text
  // A statement that the connection has prepared may come with its name alone.
  const prepared = client.connection?.parsedStatements?.[name]
  return typeof prepared === 'string' ? prepared : undefined
}

/** Puts our callback where the caller's is, and says whether a promise will tell instead. */
function prepare(
  args: unknown[],
  call: QueryCall,
  storage: AsyncLocalStorage<Context>
): 'promise' | 'callback' {
  const query = args[0]
  for (const index of [1, 2]) {
    if (typeof args[index] === 'function') {
      args[index] = telling(args[index] as Callback, call, storage)
      return 'callback'
    }
  }
  if (typeof query !== 'object' || query === null) return 'promise'
  if (typeof (query as Submittable).submit === 'function') {
    watchSubmittable(query as Submittable, call, storage)
    return 'callback'
  }
  const { callback } = query as QueryConfig
  if (typeof callback !== 'function') return 'promise'
  // The app may use its object again: it is not changed but stood in front of.
  args[0] = Object.create(query, { callback: { value: telling(callback, call, storage) } })
  return 'callback'
}

function telling(
  callback: Callback,
  call: QueryCall,
  storage: AsyncLocalStorage<Context>
): Callback {
  const bound = inContext(storage, callback)
  return function (this: unknown, error, ...rest) {
    call.end(error)
    return bound.call(this, error, ...rest)
  }
}

/** What pg calls on a query object as the answer comes in; the object emits and calls back in these. */
const ANSWERS = [
  'handleDataRow',
  'handlePortalSuspended',
  'handleError',
  'handleReadyForQuery'
] as const

/** Query objects, cursors and streams: pg itself tells them that they failed or are done. */
function watchSubmittable(
  query: Submittable,
  call: QueryCall,
  storage: AsyncLocalStorage<Context>
): void {
  if (typeof query.callback === 'function') query.callback = inContext(storage, query.callback)
  for (const name of ANSWERS) {
    const handle = query[name]
    if (handle === undefined) continue
    const bound = inContext(storage, handle)
    query[name] = function (this: unknown, ...args) {
      if (name === 'handleError') call.end(args[0])
      else if (name === 'handleReadyForQuery') call.end()
      return bound.apply(this, args as Parameters<Callback>)
    }
  }
}

/** The caller gets the promise that has passed by us, so that its rejection stays the caller's to handle. */
function settled(result: unknown, call: QueryCall): unknown {
  if (typeof (result as PromiseLike<unknown> | undefined)?.then !== 'function') {
    call.end()
    return result
  }
  return (result as PromiseLike<unknown>).then(
    (value) => {
      call.end()
      return value
    },
    (error) => {
      call.end(error)
      throw error
    }
  )
}
