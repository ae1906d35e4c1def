/**
 * mysql 2: a client span for each query, in all forms: callback, events, stream, through a pool or a cluster.
 * `query` of a connection is wrapped, which the pool's own comes to; values are not yet in the text there.
 *
 * A query is told of its end, and emits its events, by the socket's context: both are brought into that of the
 * call, and so is the callback of who waits for a connection.
 */
import { type AnyFunction, bindCallbacks, inContext, wrapMethod } from './calls.ts'
import { endDatabaseSpan, startDatabaseSpan } from './db-span.ts'
import type { Instruments } from './instruments.ts'
import { type MysqlConfig, mysqlEndpointOf, readMysqlFailure } from './mysql-words.ts'
import type { Instrumentation } from './registry.ts'
import { SqlStatements } from './sql-statements.ts'

interface Connection {
  readonly config?: MysqlConfig
}

/** An emitter whose `end` is called once, with the error or with the results. */
interface Query {
  readonly sql?: string
  emit: AnyFunction
  end: AnyFunction
}

type EndCall = (error?: unknown) => void

const statements = new SqlStatements('mysql', 'mysql')

const mysql: Instrumentation = {
  patches: {
    connection: (exports, instruments) => {
      wrapMethod(
        (exports as { prototype: object }).prototype,
        'query',
        (query) =>
          function (this: Connection, ...args: unknown[]) {
            const end = begin(this, args[0], instruments)
            if (end === undefined) return query.apply(this, args)
            let made: Query
            try {
              made = query.apply(this, args)
            } catch (error) {
              end(error)
              throw error
            }
            watch(made, end, instruments)
            return made
          }
      )
    },
    pool: (exports, { contexts }) =>
      bindCallbacks((exports as { prototype: object }).prototype, 'getConnection', contexts)
  }
}

export default mysql

/** @hot */
function begin(
  connection: Connection,
  query: unknown,
  instruments: Instruments
): EndCall | undefined {
  try {
    const sql = typeof query === 'string' ? query : (query as Query | undefined)?.sql
    if (typeof sql !== 'string') return undefined
    const endpoint = mysqlEndpointOf(connection, 'mysql', connection.config)
    const statement = statements.of(sql, endpoint.namespace)
    const span = startDatabaseSpan(instruments, endpoint, statement)
    if (span === undefined) return undefined
    return (error) => endDatabaseSpan(span, error, readMysqlFailure)
  } catch (fault) {
    instruments.guard.report('mysql query', fault)
    return undefined
  }
}

/** No listeners: one for `error` would hide from the app that it has none. */
function watch(query: Query, endCall: EndCall, { contexts }: Instruments): void {
  const { end, emit } = query
  if (typeof end !== 'function') {
    endCall()
    return
  }
  query.emit = inContext(contexts.storage, emit)
  const bound = inContext(contexts.storage, end)
  query.end = function (this: Query, error: unknown, ...rest: unknown[]) {
    endCall(error)
    return bound.call(this, error, ...rest)
  }
}
