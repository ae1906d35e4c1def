/**
 * memcached and memjs: a client span for each command, under whoever asked. Keys and values are arguments, which
 * are `?`. Both call back from their socket, so callbacks are brought into the context of the call.
 *
 *   memcached   `command` gets a function that makes the query: its type, its keys and its callback
 *   memjs       `perform` gets the request as bytes, whose second is the operation; called again to try again
 *
 * That a key is not there, or is there already, is an answer and no error. Limits: memjs' `flush` and `stats`
 * and memcached's copies for redundancy have no span. memjs is one file that nothing else requires: where node
 * loads that for an `import` by itself (before 22.22.3 and 24.11.1), it is not met.
 */
import { type AnyFunction, errorTypeOf, inContext, wrapMethod } from './calls.ts'
import {
  type Endpoint,
  endDatabaseSpan,
  type Failure,
  messageOf,
  type Statement,
  startDatabaseSpan
} from './db-span.ts'
import type { Instruments } from './instruments.ts'
import type { Instrumentation } from './registry.ts'

interface Query {
  readonly type?: string
  readonly key?: unknown
  callback?: AnyFunction
}

interface Memcached {
  readonly servers?: readonly string[]
  readonly HashRing?: { get(key: unknown): string }
}

interface Memjs {
  server(key: unknown): { readonly host?: string; readonly port?: number } | null
}

interface Response {
  readonly header: { readonly status: number }
}

const SYSTEM = 'memcached'
const DEFAULT_PORT = 11_211

const memcached: Instrumentation = {
  patches: {
    memcached: (exports, instruments) => {
      wrapMethod(
        (exports as { prototype: object }).prototype,
        'command',
        (command) =>
          function (this: Memcached, compile: AnyFunction, server?: string) {
            const watched = function (this: unknown, ...args: unknown[]): unknown {
              const query: Query = compile.apply(this, args)
              // The second time it is asked for a copy that is not answered.
              if (args.length === 0)
                watch(query, instruments, () => addressOf(client, query, server))
              return query
            }
            const client = this
            return command.call(this, watched, server)
          }
      )
    },
    memjs: (exports, instruments) => {
      wrapMethod(
        (exports as { Client: { prototype: object } }).Client.prototype,
        'perform',
        (perform) =>
          function (this: Memjs, ...args: unknown[]) {
            // The first releases have no sequence number before the callback.
            const at = typeof args[2] === 'function' ? 2 : 3
            const [key, request] = args as [unknown, Buffer]
            const callback = args[at]
            if (args[at + 1] === undefined && typeof callback === 'function') {
              args[at] = observe(
                OPERATIONS[request?.[1] ?? -1],
                0,
                callback as AnyFunction,
                instruments,
                () => this.server(key) ?? {}
              )
            }
            return perform.apply(this, args)
          }
      )
    }
  }
}

export default memcached

const OPERATIONS: Readonly<Record<number, string>> = {
  0: 'get',
  1: 'set',
  2: 'add',
  3: 'replace',
  4: 'delete',
  5: 'increment',
  6: 'decrement',
  14: 'append',
  15: 'prepend',
  28: 'touch'
}
/** Of memjs' answers: done, not there, there already, not stored. */
const ANSWERS: ReadonlySet<number> = new Set([0, 1, 2, 5])

interface Address {
  readonly host?: string | undefined
  readonly port?: number | undefined
}

/** Without a callback the library refuses the query. */
function watch(query: Query, instruments: Instruments, address: () => Address): void {
  const { callback, type, key } = query
  if (typeof callback !== 'function') return
  const keys = Array.isArray(key) ? key.length : 0
  query.callback = observe(type, keys, callback, instruments, address)
}

/** @hot The callback that ends the span of the command. */
function observe(
  operation: string | undefined,
  batchSize: number,
  callback: AnyFunction,
  instruments: Instruments,
  address: () => Address
): AnyFunction {
  try {
    if (operation === undefined) return callback
    const { host, port } = address()
    const endpoint: Endpoint = { system: SYSTEM, namespace: undefined, host, port }
    const span = startDatabaseSpan(instruments, endpoint, statementOf(operation), batchSize)
    if (span === undefined) return callback
    const bound = inContext(instruments.contexts.storage, callback)
    return function (this: unknown, error: unknown, answer: unknown, ...rest: unknown[]) {
      endDatabaseSpan(span, failureOf(error, answer), readFailure)
      return bound.call(this, error, answer, ...rest)
    }
  } catch (fault) {
    instruments.guard.report('memcached command', fault)
    return callback
  }
}

const statements = new Map<string, Statement>()

/** As few as there are commands. */
function statementOf(operation: string): Statement {
  const known = statements.get(operation)
  if (known !== undefined) return known
  const text = `${operation} ?`
  const statement = { spanName: operation, operation, collection: undefined, text }
  statements.set(operation, statement)
  return statement
}

function addressOf(client: Memcached, query: Query, server: string | undefined): Address {
  const { servers = [], HashRing } = client
  const name = server ?? (servers.length === 1 ? servers[0] : HashRing?.get(query.key))
  if (name === undefined) return {}
  if (name.startsWith('/')) return { host: name }
  const colon = name.lastIndexOf(':')
  const port = Number(name.slice(colon + 1))
  if (colon < 0 || !Number.isInteger(port)) return { host: name, port: DEFAULT_PORT }
  return { host: name.slice(0, colon), port }
}

interface Refusal {
  readonly status: number
}

function failureOf(error: unknown, answer: unknown): unknown {
  if (error) return (error as { notStored?: boolean }).notStored === true ? undefined : error
  const status = (answer as Response | undefined)?.header?.status
  return typeof status === 'number' && !ANSWERS.has(status) ? { status } : undefined
}

function readFailure(error: unknown): Failure {
  const { status } = error as Refusal
  if (typeof status === 'number') {
    return { statusCode: String(status), type: String(status), message: undefined }
  }
  const message = typeof error === 'string' ? error : messageOf(error)
  return { statusCode: undefined, type: errorTypeOf(error), message }
}
