/**
 * mariadb 3, promises and callbacks: a client span for each query, prepared statement's execution, bulk batch
 * and stream. All of them are commands that a connection is handed; the ways it takes them are wrapped. A
 * command calls its `resolve` or `reject`, and emits its events, by the socket: these are brought into the
 * context of the call. So is the callback of who waits for a pool's connection.
 *
 *   Query, Execute, Stream   a span
 *   BatchBulk                one span, with the number of its rows
 *   Prepare                  none, unless it fails: then nothing is executed
 *   SET … of a new one       none: what a connection begins with is not the app's
 *
 * Limits: a batch that the server cannot take in one is a span for each row. From 3.5 on what `require` gets is
 * one file whose classes nobody can reach; there it is instrumented as an ES module only.
 */
import { type AnyFunction, bindCallbacks, inContext, wrapMethod } from './calls.ts'
import { endDatabaseSpan, startDatabaseSpan } from './db-span.ts'
import type { Instruments } from './instruments.ts'
import { type MysqlConfig, mysqlEndpointOf, readMysqlFailure } from './mysql-words.ts'
import type { Instrumentation } from './registry.ts'
import { SqlStatements } from './sql-statements.ts'
import { tracedDrivers } from './traced-drivers.ts'

interface Connection {
  readonly opts?: MysqlConfig
  readonly info?: { isMariaDB?(): boolean }
  /** While the connection is being made. */
  readonly connectResolveFct?: unknown
}

interface Command {
  readonly sql?: string
  readonly initialValues?: unknown
  /** Of a stream: where its rows go. */
  readonly inStream?: object
  resolve?: AnyFunction | null
  reject?: AnyFunction | null
  handleNewRows?: AnyFunction
  emit: AnyFunction
  /** What the call was asked with: of both where a statement is prepared and executed in one go. */
  readonly cmdParam?: { [SENT]?: EndCall | undefined }
  [SEEN]?: true
}

type EndCall = (error?: unknown) => void

const SEEN = Symbol('spanloom.seen')
const SENT = Symbol('spanloom.sent')
const WAYS = [
  'addCommandQueue',
  'addCommandEnable',
  'addCommandEnablePipeline',
  'addCommandDisabled'
]

const statements = new SqlStatements('mariadb', 'mysql')

const mariadb: Instrumentation = {
  patches: {
    connection: (exports, instruments) => {
      const prototype = prototypeOf(exports, 'Connection')
      // Prisma's words for both.
      tracedDrivers.add('mysql')
      for (const way of WAYS) {
        wrapMethod(
          prototype,
          way,
          (add) =>
            function (this: Connection, ...args: unknown[]) {
              try {
                meet(this, args[0] as Command, way === 'addCommandQueue', instruments)
              } catch (fault) {
                instruments.guard.report('mariadb command', fault)
              }
              return add.apply(this, args)
            }
        )
      }
    },
    pool: (exports, { contexts }) =>
      bindCallbacks(prototypeOf(exports, 'Pool'), 'getConnection', contexts)
  }
}

export default mariadb

function prototypeOf(exports: unknown, local: string): object {
  const named = exports as Record<string, { prototype: object } | undefined>
  return (named[local] ?? (exports as { prototype: object })).prototype
}

/** Commands that wait for the connection are handed to it again. */
function meet(
  connection: Connection,
  command: Command,
  isWaiting: boolean,
  instruments: Instruments
): void {
  if (command[SEEN] || typeof command.sql !== 'string') return
  command[SEEN] = true
  if (!isWaiting && connection.connectResolveFct) return
  if (command.constructor.name === 'Prepare') {
    const begun = inContext(instruments.contexts.storage, () =>
      begin(connection, command, instruments)
    )
    const fail = (error: unknown) => {
      if (error) (command.cmdParam?.[SENT] ?? begun())?.(error)
    }
    watch(command, fail, instruments)
    return
  }
  const end = begin(connection, command, instruments)
  if (command.cmdParam !== undefined) command.cmdParam[SENT] = end
  if (end !== undefined) watch(command, end, instruments)
}

/** @hot */
function begin(
  connection: Connection,
  command: Command,
  instruments: Instruments
): EndCall | undefined {
  const system = connection.info?.isMariaDB?.() === false ? 'mysql' : 'mariadb'
  const endpoint = mysqlEndpointOf(connection, system, connection.opts)
  const statement = statements.of(command.sql!, endpoint.namespace)
  const rows = command.initialValues
  const isBatch = command.constructor.name === 'BatchBulk' && Array.isArray(rows)
  const span = startDatabaseSpan(instruments, endpoint, statement, isBatch ? rows.length : 0)
  if (span === undefined) return undefined
  return (error) => endDatabaseSpan(span, error, readMysqlFailure)
}

function watch(command: Command, end: EndCall, { contexts }: Instruments): void {
  const { storage } = contexts
  const { resolve, reject, handleNewRows } = command
  const resolved = inContext(storage, resolve ?? (() => {}))
  command.resolve = (...args: unknown[]) => {
    end()
    return resolved(...args)
  }
  const rejected = inContext(storage, reject ?? (() => {}))
  command.reject = (error: unknown) => {
    end(error)
    return rejected(error)
  }
  command.emit = inContext(storage, command.emit)
  if (command.inStream !== undefined && handleNewRows !== undefined) {
    command.handleNewRows = inContext(storage, handleNewRows)
  }
}
