/**
 * mysql2 3: a client span for each query and each prepared statement's execution, in all forms: callback,
 * promise (which is a callback underneath), events, through a pool or a cluster of pools. A connection's
 * `query`, `execute` and `addCommand` are wrapped, the last for statements that were prepared by hand.
 *
 * Not the channels that newer releases have: they tell of a query once its values have been put into its text,
 * which is then another text each time, and know nothing of statements prepared by hand.
 *
 * A pool calls back in the context of whoever gave the connection back, a connection in that of its socket:
 * callbacks and events are brought into the context of the call.
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

/** Query, Execute: an emitter with a callback or none. */
interface Command {
  sql?: string
  onResult?: AnyFunction
  readonly statement?: { readonly query?: string }
  emit: AnyFunction
}

type EndCall = (error?: unknown) => void

const statements = new SqlStatements('mysql', 'mysql')

const mysql2: Instrumentation = {
  patches: {
    connection: (exports, instruments) => {
      const { prototype } = exports as { prototype: object }
      for (const name of ['query', 'execute', 'addCommand']) {
        const owner = ownerOf(prototype, name)
        if (owner !== undefined) wrapMethod(owner, name, wrappers[name]!(instruments))
      }
    },
    pool: (exports, { contexts }) => {
      const owner = ownerOf((exports as { prototype: object }).prototype, 'getConnection')
      if (owner === undefined) return
      bindCallbacks(owner, 'getConnection', contexts)
    }
  }
}

export default mysql2

/** The newest releases have these methods in a base class. */
function ownerOf(prototype: object, name: string): object | undefined {
  let owner: object | null = prototype
  while (owner !== null && !Object.hasOwn(owner, name)) owner = Object.getPrototypeOf(owner)
  return owner ?? undefined
}

/** Whether `query` or `execute` is on the stack, whose commands have their span. */
let inCall = false

const wrappers: Readonly<Record<string, (instruments: Instruments) => Wrap>> = {
  query: (instruments) => (query) =>
    function (this: Connection, ...args) {
      const end = begin(this, sqlOf(args[0]), instruments)
      if (end === undefined) return query.apply(this, args)
      const command = send(this, query, args, end)
      // The command may be the pool's, which has its callback on it already.
      watch(command, end, instruments)
      return command
    },
  execute: (instruments) => (execute) =>
    function (this: Connection, ...args) {
      const end = begin(this, sqlOf(args[0]), instruments)
      if (end === undefined) return execute.apply(this, args)
      const at = args.findIndex((each) => typeof each === 'function')
      // A statement that cannot be prepared calls the argument and not the command.
      if (at >= 0) args[at] = telling(args[at] as AnyFunction, end, instruments)
      const command = send(this, execute, args, end)
      if (at < 0) watch(command, end, instruments)
      return command
    },
  addCommand: (instruments) => (addCommand) =>
    function (this: Connection, command: Command) {
      if (!inCall && command?.statement !== undefined && command.constructor.name === 'Execute') {
        const end = begin(this, command.statement.query, instruments)
        if (end !== undefined) watch(command, end, instruments)
      }
      return addCommand.call(this, command)
    }
}

type Wrap = (original: AnyFunction) => AnyFunction

/** Answers come from the socket or in a later tick, so what is returned can still be watched. */
function send(connection: Connection, call: AnyFunction, args: unknown[], end: EndCall): Command {
  const outer = inCall
  inCall = true
  try {
    return call.apply(connection, args)
  } catch (error) {
    end(error)
    throw error
  } finally {
    inCall = outer
  }
}

function sqlOf(first: unknown): unknown {
  return typeof first === 'string' ? first : (first as Command | undefined)?.sql
}

/** @hot */
function begin(
  connection: Connection,
  sql: unknown,
  instruments: Instruments
): EndCall | undefined {
  if (typeof sql !== 'string') return undefined
  try {
    const endpoint = mysqlEndpointOf(connection, 'mysql', connection.config)
    const statement = statements.of(sql, endpoint.namespace)
    const span = startDatabaseSpan(instruments, endpoint, statement)
    if (span === undefined) return undefined
    return (error) => endDatabaseSpan(span, error, readMysqlFailure)
  } catch (fault) {
    instruments.guard.report('mysql2 query', fault)
    return undefined
  }
}

function telling(callback: AnyFunction, end: EndCall, { contexts }: Instruments): AnyFunction {
  const bound = inContext(contexts.storage, callback)
  return function (this: unknown, error, ...rest) {
    end(error)
    return bound.call(this, error, ...rest)
  }
}

/** A command with a callback tells it; one without emits `error` and then `end`. */
function watch(command: Command, end: EndCall, instruments: Instruments): void {
  if (command === undefined || command === null) {
    end()
    return
  }
  if (typeof command.onResult === 'function') {
    // Called once for each of several statements: the first answer ends the span.
    command.onResult = telling(command.onResult, end, instruments)
    return
  }
  // No listener for `error`: it would hide from the app that it has none.
  const emit = inContext(instruments.contexts.storage, command.emit)
  command.emit = function (this: Command, event: unknown, ...args: unknown[]) {
    if (event === 'error') end(args[0])
    else if (event === 'end') end()
    return emit.call(this, event, ...args)
  }
}
