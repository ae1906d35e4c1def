/**
 * postgres (postgres.js) 3, from 3.1: a client span for each query, from when it is asked for (so with the wait
 * for a connection) until it is answered. A query is a promise that is sent when somebody first waits for it:
 *
 *   handle      the span begins here, in the context of who waits
 *   stringify   a connection has its text, with fragments and helpers put in, and the address; also again
 *               for a query that is sent twice
 *   resolve     the span ends here or in `reject`; of a cursor that is iterated with the iteration
 *
 * Callbacks (`forEach`, `cursor`) run in the context of who gave them; the library calls them from its socket.
 *
 * Limits: what never got a connection has no address, and its helpers' text is `(?)`; a COPY's span ends when
 * its stream begins. The library asks for array types once in a connection, which is a span too.
 */
import { DB_COLLECTION_NAME, DB_OPERATION_NAME, DB_QUERY_TEXT } from '@spanloom/otlp'
import { joinedWords } from '../lib/joined-words.ts'
import { RecordingSpan } from '../trace/span.ts'
import type { AnySpan } from '../trace/tracer.ts'
import { type AnyFunction, inContext, wrapMethod } from './calls.ts'
import {
  type Endpoint,
  endDatabaseSpan,
  putEndpoint,
  type Statement,
  startDatabaseSpan
} from './db-span.ts'
import type { Instruments } from './instruments.ts'
import { readPgFailure } from './pg-failure.ts'
import type { Instrumentation } from './registry.ts'
import { SqlStatements } from './sql-statements.ts'

interface Query {
  readonly strings?: readonly string[]
  readonly args?: readonly unknown[]
  readonly executed?: boolean
  resolve: AnyFunction
  reject: AnyFunction
  [CALL]?: QueryCall | undefined
}

type QueryClass = new () => Query

interface Options {
  readonly host?: readonly string[]
  readonly port?: readonly number[]
  /** Of a socket in the file system. */
  readonly path?: string | false
  readonly database?: string
}

const CALL = Symbol('spanloom.call')
const SYSTEM = 'postgresql'
const NOT_CONNECTED: Endpoint = {
  system: SYSTEM,
  namespace: undefined,
  host: undefined,
  port: undefined
}

const statements = new SqlStatements(SYSTEM, 'standard')

const postgres: Instrumentation = {
  patches: {
    query: (exports, instruments) =>
      patchQuery((exports as { Query: { prototype: object } }).Query.prototype, instruments),
    types: (exports, { guard }) => {
      wrapMethod(
        exports as object,
        'stringify',
        (stringify) =>
          function (this: unknown, query: Query, ...rest: unknown[]) {
            const text: unknown = stringify.call(this, query, ...rest)
            try {
              query?.[CALL]?.built(text, rest[4] as Options)
            } catch (fault) {
              guard.report('postgres text', fault)
            }
            return text
          }
      )
    }
  }
}

export default postgres

function patchQuery(prototype: object, instruments: Instruments): void {
  const { guard, contexts } = instruments
  wrapMethod(
    prototype,
    'handle',
    (handle) =>
      function (this: Query) {
        try {
          if (this.executed === false) begin(this, instruments)
        } catch (fault) {
          guard.report('postgres query', fault)
        }
        return handle.call(this)
      }
  )
  const bind = (value: unknown) =>
    typeof value === 'function' ? inContext(contexts.storage, value as AnyFunction) : value
  wrapMethod(
    prototype,
    'forEach',
    (forEach) =>
      function (this: Query, fn: unknown) {
        return forEach.call(this, bind(fn))
      }
  )
  wrapMethod(
    prototype,
    'cursor',
    (cursor) =>
      function (this: Query, ...args: unknown[]) {
        const made = cursor.apply(this, args.map(bind))
        return made === this ? made : iterated(made as AsyncIterable<unknown>, this)
      }
  )
}

function begin(query: Query, instruments: Instruments): void {
  const text = textOf(query)
  const statement = statements.of(text, undefined)
  // The text comes with the connection.
  const shown = { ...statement, text: undefined }
  const span = startDatabaseSpan(instruments, NOT_CONNECTED, shown)
  if (span === undefined) return
  const call = new QueryCall(span, text, statement)
  query[CALL] = call
  const { resolve, reject } = query
  query.resolve = (value: unknown) => {
    call.end()
    return resolve(value)
  }
  query.reject = (error: unknown) => {
    call.end(error)
    return reject(error)
  }
}

class QueryCall {
  readonly #span: AnySpan
  readonly #text: string
  #statement: Statement
  #isBuilt = false

  constructor(span: AnySpan, text: string, statement: Statement) {
    this.#span = span
    this.#text = text
    this.#statement = statement
  }

  built(text: unknown, options: Options | undefined): void {
    const span = this.#span
    if (this.#isBuilt || typeof text !== 'string' || !(span instanceof RecordingSpan)) return
    this.#isBuilt = true
    if (text !== this.#text) this.#correct(span, text)
    const { text: shown, spanName, collection } = this.#statement
    if (shown !== undefined) span.put(DB_QUERY_TEXT, shown)
    const { path, host, port, database } = options ?? {}
    if (collection === undefined && database !== undefined) {
      span.updateName(joinedWords(spanName, database))
    }
    putEndpoint(span, {
      system: SYSTEM,
      namespace: database,
      host: path || host?.[0],
      port: path ? undefined : port?.[0]
    })
  }

  /** Fragments and helpers may bring the table, a file the whole text. */
  #correct(span: RecordingSpan, text: string): void {
    const statement = statements.of(text, undefined)
    const { operation, collection, spanName } = statement
    const known = this.#statement
    if (spanName !== known.spanName) span.updateName(spanName)
    if (operation !== undefined && operation !== known.operation) {
      span.setAttribute(DB_OPERATION_NAME, operation)
    }
    if (collection !== undefined && collection !== known.collection) {
      span.setAttribute(DB_COLLECTION_NAME, collection)
    }
    this.#statement = statement
  }

  end(error?: unknown): void {
    const span = this.#span
    const { text } = this.#statement
    if (!this.#isBuilt && text && span instanceof RecordingSpan) span.put(DB_QUERY_TEXT, text)
    endDatabaseSpan(span, error, readPgFailure)
  }
}

/** Each batch replaces the query's own `resolve`, so the iteration tells of the end. */
function iterated(cursor: AsyncIterable<unknown>, query: Query): AsyncIterable<unknown> {
  return {
    [Symbol.asyncIterator]() {
      const inner = cursor[Symbol.asyncIterator]()
      return {
        ...inner,
        next() {
          const result = inner.next()
          // Of a query that is over, the library's result is no promise.
          if (typeof result?.then !== 'function') {
            query[CALL]?.end()
            return result
          }
          return result.then(
            (each) => {
              if (each.done) query[CALL]?.end()
              return each
            },
            (error) => {
              query[CALL]?.end(error)
              throw error
            }
          )
        },
        return(value?: unknown) {
          query[CALL]?.end()
          return inner.return!(value)
        }
      }
    }
  }
}

/**
 * The text as a connection will make it, where there are only values: `$1`, `$2`. The library makes its own
 * when the query is sent; this one has the span named until then.
 */
function textOf(query: Query): string {
  placed = 0
  return rendered(query, query.constructor as QueryClass)
}

let placed = 0

function rendered({ strings = [], args = [] }: Query, Query: QueryClass): string {
  let text = strings[0] ?? ''
  for (let i = 1; i < strings.length; i++) text += shown(args[i - 1], Query) + strings[i]!
  return text
}

/** Identifiers, helpers and typed values have a `then` that says that they are none to wait for. */
function shown(value: unknown, Query: QueryClass): string {
  if (typeof value === 'object' && value !== null) {
    if (value instanceof Query) return rendered(value, Query)
    if (Array.isArray(value) && value[0] instanceof Query) {
      return value.map((each) => ` ${shown(each, Query)}`).join('')
    }
    if (typeof (value as { then?: unknown }).then === 'function') {
      if ('first' in value) return '(?)'
      const { value: name } = value as { value?: unknown }
      if (!('type' in value) && typeof name === 'string') return name
    }
  }
  placed++
  return `$${placed}`
}
