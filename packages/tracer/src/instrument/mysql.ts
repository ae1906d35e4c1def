/**
 * mysql 2: a client span for each query, in all forms: callback, events, stream, through a pool or a cluster.
 * `query` of a connection is wrapped, which the pool's own comes to; values are not yet in the text there.
 *
 * A query is told of its end, and emits its events, by the socket's context: both are brought into that of the
 * call, and so is the callback of who waits for a connection.
 */
import type { AnySpan } from '../trace/tracer.ts'
import { type AnyFunction, bindCallbacks, inContext, wrapMethod } from './calls.ts'
import { endWithCallback } from './db-span.ts'
import type { Instruments } from './instruments.ts'
import {
  endMysqlSpan,
  type MysqlConnection,
  readMysqlFailure,
  startMysqlSpan
} from './mysql-words.ts'
import type { Instrumentation } from './registry.ts'

/** An emitter whose `end` is called once, with the error or with the results. */
interface Query {
  emit: AnyFunction
  end: AnyFunction
}

const mysql: Instrumentation = {
  patches: {
    connection: (exports, instruments) => {
      wrapMethod(
        (exports as { prototype: object }).prototype,
        'query',
        (query) =>
          function (this: MysqlConnection, ...args: unknown[]) {
            const span = startMysqlSpan(this, args[0], instruments, 'mysql query')
            if (span === undefined) return query.apply(this, args)
            let made: Query
            try {
              made = query.apply(this, args)
            } catch (error) {
              endMysqlSpan(span, error)
              throw error
            }
            watch(made, span, instruments)
            return made
          }
      )
    },
    pool: (exports, { contexts }) =>
      bindCallbacks((exports as { prototype: object }).prototype, 'getConnection', contexts)
  }
}

export default mysql

/** No listeners: one for `error` would hide from the app that it has none. */
function watch(query: Query, span: AnySpan, { contexts }: Instruments): void {
  const { end, emit } = query
  if (typeof end !== 'function') {
    endMysqlSpan(span)
    return
  }
  query.emit = inContext(contexts.storage, emit)
  query.end = endWithCallback(end, span, contexts.storage, readMysqlFailure)
}
