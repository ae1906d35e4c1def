/**
 * mongodb 5, 6 and 7: a client span for each command that a connection sends, `getMore` of a cursor too, so
 * a long read is as many spans as it has round trips. What the driver sends for itself (`hello`, the
 * conversation of a log-in, `endSessions`) has none. `Connection.prototype.command` is wrapped.
 *
 * Errors of single documents are in the answer to a command that succeeded: the first is the span's error.
 *
 * The driver 5 calls back, from its pool's queue and from its socket, in whatever context these are:
 * callbacks are brought into the context of the call. From 6 on promises carry it.
 */
import type { AnySpan } from '../trace/tracer.ts'
import { type AnyFunction, inContext, wrapMethod } from './calls.ts'
import { type Endpoint, endDatabaseSpan, startDatabaseSpan } from './db-span.ts'
import type { Instruments } from './instruments.ts'
import { type Document, describeCommand, readMongoFailure } from './mongodb-words.ts'
import type { Instrumentation } from './registry.ts'

interface Connection {
  /** `host:port`, or the path of a socket. */
  readonly address?: string
  [ENDPOINT]?: Endpoint
}

/** The answer as driver 6 and 7 have it: parsed when asked. */
interface OnDemand {
  has(name: string): boolean
  get(name: string | number, type: number): OnDemand | string | null
  getNumber(name: string): number | null
}

const ENDPOINT = Symbol('spanloom.endpoint')
/** BSON's numbers of these types. */
const STRING = 2
const OBJECT = 3
const ARRAY = 4

const mongodb: Instrumentation = {
  patches: {
    connection: (exports, instruments, { version }) => {
      const send = is5(version) ? sendWithCallback : sendWithPromise
      const { prototype } = (exports as { Connection: { prototype: object } }).Connection
      wrapMethod(
        prototype,
        'command',
        (command) =>
          function (this: Connection, ...args) {
            return send(this, command, args, instruments)
          }
      )
    },
    pool: (exports, { contexts }, { version }) => {
      if (!is5(version)) return
      const { prototype } = (exports as { ConnectionPool: { prototype: object } }).ConnectionPool
      wrapMethod(
        prototype,
        'checkOut',
        (checkOut) =>
          function (this: unknown, callback: AnyFunction) {
            return checkOut.call(this, inContext(contexts.storage, callback))
          }
      )
    }
  }
}

export default mongodb

function is5(version: string): boolean {
  return version.startsWith('5.')
}

type Send = (
  connection: Connection,
  command: AnyFunction,
  args: unknown[],
  instruments: Instruments
) => unknown

/** `command(ns, command, options, callback)` of the driver 5. */
const sendWithCallback: Send = (connection, command, args, instruments) => {
  const callback = args[3]
  const span = typeof callback === 'function' ? begin(connection, args, instruments) : undefined
  if (span === undefined) return command.apply(connection, args)
  const bound = inContext(instruments.contexts.storage, callback as AnyFunction)
  args[3] = function (this: unknown, error: unknown, answer: unknown) {
    endDatabaseSpan(span, error ?? writeErrorIn(answer, instruments), readMongoFailure)
    return bound.call(this, error, answer)
  }
  return command.apply(connection, args)
}

const sendWithPromise: Send = (connection, command, args, instruments) => {
  const span = begin(connection, args, instruments)
  if (span === undefined) return command.apply(connection, args)
  return (command.apply(connection, args) as Promise<unknown>).then(
    (answer) => {
      endDatabaseSpan(span, writeErrorIn(answer, instruments), readMongoFailure)
      return answer
    },
    (error) => {
      endDatabaseSpan(span, error, readMongoFailure)
      throw error
    }
  )
}

/** @hot */
function begin(
  connection: Connection,
  [ns, command]: readonly unknown[],
  instruments: Instruments
): AnySpan | undefined {
  try {
    const database = String((ns as { db?: unknown } | undefined)?.db ?? '')
    const described = describeCommand(command as Document, database)
    if (described === undefined) return undefined
    const endpoint = endpointOf(connection, database)
    return startDatabaseSpan(instruments, endpoint, described.statement, described.batchSize)
  } catch (fault) {
    instruments.guard.report('mongodb command', fault)
    return undefined
  }
}

function writeErrorIn(answer: unknown, { guard }: Instruments): unknown {
  if (typeof answer !== 'object' || answer === null) return undefined
  try {
    if (typeof (answer as OnDemand).getNumber !== 'function') {
      const { writeErrors } = answer as { writeErrors?: readonly Document[] }
      const first = Array.isArray(writeErrors) ? writeErrors[0] : undefined
      return first === undefined ? undefined : { code: first.code, message: first.errmsg }
    }
    const demand = answer as OnDemand
    if (!demand.has('writeErrors')) return undefined
    const first = (demand.get('writeErrors', ARRAY) as OnDemand).get(0, OBJECT) as OnDemand
    return { code: first.getNumber('code'), message: first.get('errmsg', STRING) }
  } catch (fault) {
    guard.report('mongodb answer', fault)
    return undefined
  }
}

function endpointOf(connection: Connection, namespace: string): Endpoint {
  const known = connection[ENDPOINT]
  if (known !== undefined && known.namespace === namespace) return known
  const address = connection.address ?? ''
  const colon = address.lastIndexOf(':')
  const port = Number(address.slice(colon + 1))
  const hasPort = colon > 0 && Number.isInteger(port) && port > 0
  const host = hasPort ? address.slice(0, colon) : address
  const endpoint = {
    system: 'mongodb',
    namespace,
    host: host === '' ? undefined : host.replace(/^\[(.*)\]$/, '$1'),
    port: hasPort ? port : undefined
  }
  connection[ENDPOINT] = endpoint
  return endpoint
}
