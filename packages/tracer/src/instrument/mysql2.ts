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

/** Query, Execute: an emitter with a callback or none. */
interface Command {
  onResult?: AnyFunction
  readonly statement?: { readonly query?: string }
  emit: AnyFunction
}

/** For faults of ours. */
const PLACE = 'mysql2 query'

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
    function (this: MysqlConnection, ...args) {
      const span = startMysqlSpan(this, args[0], instruments, PLACE)
      if (span === undefined) return query.apply(this, args)
      const command = send(this, query, args, span)
      // The command may be the pool's, which has its callback on it already.
      watch(command, span, instruments)
      return command
    },
  execute: (instruments) => (execute) =>
    function (this: MysqlConnection, ...args) {
      const span = startMysqlSpan(this, args[0], instruments, PLACE)
      if (span === undefined) return execute.apply(this, args)
      const at = args.findIndex((each) => typeof each === 'function')
      // A statement that cannot be prepared calls the argument and not the command.
      if (at >= 0) {
        const { storage } = instruments.contexts
        args[at] = endWithCallback(args[at] as AnyFunction, span, storage, readMysqlFailure)
      }
      const command = send(this, execute, args, span)
      if (at < 0) watch(command, span, instruments)
      return command
    },
  addCommand: (instruments) => (addCommand) =>
    function (this: MysqlConnection, command: Command) {
      if (!inCall && command?.statement !== undefined && command.constructor.name === 'Execute') {
        const span = startMysqlSpan(this, command.statement.query, instruments, PLACE)
        if (span !== undefined) watch(command, span, instruments)
      }
      return addCommand.call(this, command)
    }
}

type Wrap = (original: AnyFunction) => AnyFunction

/** Answers come from the socket or in a later tick, so what is returned can still be watched. */
function send(
  connection: MysqlConnection,
  call: AnyFunction,
  args: unknown[],
  span: AnySpan
): Command {
  const outer = inCall
  inCall = true
  try {
    return call.apply(connection, args)
  } catch (error) {
    endMysqlSpan(span, error)
    throw error
  } finally {
    inCall = outer
  }
}

/** A command with a callback tells it; one without emits `error` and then `end`. */
function watch(command: Command, span: AnySpan, { contexts }: Instruments): void {
  const { storage } = contexts
  if (command === undefined || command === null) {
    endMysqlSpan(span)
    return
  }
  if (typeof command.onResult === 'function') {
    // Called once for each of several statements: the first answer ends the span.
    command.onResult = endWithCallback(command.onResult, span, storage, readMysqlFailure)
    return
  }
  // No listener for `error`: it would hide from the app that it has none.
  const emit = inContext(storage, command.emit)
  command.emit = function (this: Command, event: unknown, ...args: unknown[]) {
    if (event === 'error') endMysqlSpan(span, args[0])
    else if (event === 'end') endMysqlSpan(span)
    return emit.call(this, event, ...args)
  }
}
