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
import { endDatabaseSpan, endWithCallback, endWithPromise } from './db-span.ts'
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
  handleError?: (...args: unknown[]) => unknown
  handleReadyForQuery?: (...args: unknown[]) => unknown
  callback?: Callback
}

interface QueryConfig {
  readonly text?: string
  readonly callback?: Callback
  readonly submit?: unknown
}

interface PgClient {
  readonly host?: string
  readonly port?: number | string
  readonly database?: string
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
    let span: AnySpan | undefined
    try {
      span = beginQuery(this, args, instruments)
    } catch (fault) {
      guard.report('pg query', fault)
    }
    if (span === undefined) return query.apply(this, args)
    const form = prepare(args, span, contexts.storage)
    let result: unknown
    try {
      result = query.apply(this, args)
    } catch (error) {
      endDatabaseSpan(span, error, readPgFailure)
      throw error
    }
    return form === 'promise' ? endWithPromise(result, span, readPgFailure) : result
  }
}

function beginQuery(
  client: PgClient,
  args: readonly unknown[],
  instruments: Instruments
): AnySpan | undefined {
  const text = statementOf(args[0])
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
  return span
}

function statementOf(query: unknown): string | undefined {
  if (typeof query === 'string') return query
  if (typeof query !== 'object' || query === null) return undefined
  const { text, cursor } = query as Submittable
  return typeof text === 'string' ? text : cursor?.text
}

/** Puts our callback where the caller's is, and says whether a promise will tell instead. */
function prepare(
  args: unknown[],
  span: AnySpan,
  storage: AsyncLocalStorage<Context>
): 'promise' | 'callback' {
  const query = args[0]
  for (const index of [1, 2]) {
    if (typeof args[index] === 'function') {
      args[index] = endWithCallback(args[index] as Callback, span, storage, readPgFailure)
      return 'callback'
    }
  }
  if (typeof query !== 'object' || query === null) return 'promise'
  if (typeof (query as Submittable).submit === 'function') {
    watchSubmittable(query as Submittable, span, storage)
    return 'callback'
  }
  const { callback } = query as QueryConfig
  if (typeof callback !== 'function') return 'promise'
  // The app may use its object again: it is not changed but stood in front of.
  const value = endWithCallback(callback, span, storage, readPgFailure)
  args[0] = Object.create(query, { callback: { value } })
  return 'callback'
}

/** What pg calls on a query object as the answer comes in; the object emits its events in these. */
const ANSWERS = ['handleDataRow', 'handleError', 'handleReadyForQuery'] as const

/** Query objects, cursors and streams: pg itself tells them that they failed or are done. */
function watchSubmittable(
  query: Submittable,
  span: AnySpan,
  storage: AsyncLocalStorage<Context>
): void {
  if (typeof query.callback === 'function') query.callback = inContext(storage, query.callback)
  for (const name of ANSWERS) {
    const handle = query[name]
    if (handle === undefined) continue
    const bound = inContext(storage, handle)
    query[name] = function (this: unknown, ...args) {
      if (name !== 'handleDataRow') {
        endDatabaseSpan(span, name === 'handleError' ? args[0] : undefined, readPgFailure)
      }
      return bound.apply(this, args as Parameters<Callback>)
    }
  }
}
