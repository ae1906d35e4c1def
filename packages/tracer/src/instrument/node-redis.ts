/**
 * redis (`@redis/client`) 4, 5 and 6: a client span for each command, and one for each `multi()` or
 * pipeline, whose commands have none of their own.
 *
 *   5, 6   `sendCommand`, `_executeMulti` and `_executePipeline` of the client, which all else goes
 *          through. Not the library's own channels (from 5.12): they copy and redact all arguments first
 *   4      the client's way of sending is private, so its queue's `addCommand` is wrapped, and whatever
 *          calls it is wrapped to say which client it is
 *
 * A pool runs a task that had to wait in the context of whoever gave the client back: `execute` of the pool
 * brings the caller's context along. What the library sends to set up a connection has no span.
 */
import { type AnyFunction, inContext, wrapMethod } from './calls.ts'
import { type Endpoint, endWithPromise, type Statement, startDatabaseSpan } from './db-span.ts'
import type { Instruments } from './instruments.ts'
import {
  batchStatement,
  commandStatement,
  readRedisFailure,
  redisEndpoint,
  type ServerOptions
} from './redis-words.ts'
import type { Instrumentation } from './registry.ts'

interface Client {
  readonly _self?: Client
  readonly options?: {
    readonly url?: string
    readonly socket?: ServerOptions
    readonly database?: unknown
  }
  [ENDPOINT]?: Endpoint | undefined
  [DATABASE]?: string
}

interface BatchedCommand {
  readonly args: readonly unknown[]
}

interface Queue {
  [OWNER]?: Client
}

interface QueueOptions {
  readonly asap?: boolean
  readonly chainId?: unknown
}

const ENDPOINT = Symbol('spanloom.endpoint')
const DATABASE = Symbol('spanloom.database')
const OWNER = Symbol('spanloom.owner')
const UNKNOWN: Endpoint = {
  system: 'redis',
  namespace: undefined,
  host: undefined,
  port: undefined
}

const nodeRedis: Instrumentation = {
  patches: {
    client: (exports, instruments, { version }) => {
      const prototype = (exports as { default: { prototype: object } }).default.prototype
      if (is4(version)) patchClient4(prototype, instruments)
      else patchClient(prototype, instruments)
    },
    queue: (exports, instruments, { version }) => {
      const { prototype } = (exports as { default: { prototype: object } }).default
      if (is4(version)) patchQueue4(prototype, instruments)
    },
    commander: (exports, _instruments, { version }) => {
      if (is4(version)) patchCommander4(exports as Record<string, AnyFunction>)
    },
    pool: (exports, { contexts }) => {
      const { prototype } = (exports as { RedisClientPool: { prototype: object } }).RedisClientPool
      wrapMethod(
        prototype,
        'execute',
        (execute) =>
          function (this: unknown, task, ...rest) {
            const bound = typeof task === 'function' ? inContext(contexts.storage, task) : task
            return execute.call(this, bound, ...rest)
          }
      )
    }
  }
}

export default nodeRedis

/** redis 4 is made of @redis/client 1. */
function is4(version: string): boolean {
  return version.startsWith('1.')
}

function patchClient(prototype: object, instruments: Instruments): void {
  wrapMethod(
    prototype,
    'sendCommand',
    (sendCommand) =>
      function (this: Client, args: readonly unknown[], ...rest) {
        const client = this._self ?? this
        const statement = statementOf(args, instruments)
        return traced(client, statement, 0, instruments, () =>
          noteSelect(client, args, sendCommand.call(this, args, ...rest))
        )
      }
  )
  for (const [name, mode] of [
    ['_executeMulti', 'MULTI'],
    ['_executePipeline', 'PIPELINE']
  ] as const) {
    wrapMethod(
      prototype,
      name,
      (execute) =>
        function (this: Client, commands: readonly BatchedCommand[], ...rest) {
          const statement = batchOf(mode, commands, instruments)
          return traced(this._self ?? this, statement, commands.length, instruments, () =>
            execute.call(this, commands, ...rest)
          )
        }
    )
  }
}

/** The client whose method is on the stack, which calls its queue before it returns. */
let caller: Client | undefined
/** Whether that method sends a batch, which has its span. */
let inBatch = false

function calledBy<Result>(client: Client, batch: boolean, fn: () => Result): Result {
  const outer = caller
  const outerBatch = inBatch
  caller = client
  inBatch = batch
  try {
    return fn()
  } finally {
    caller = outer
    inBatch = outerBatch
  }
}

/** Those methods of a client 4 that call its queue before they return. */
const SENDERS_4 = ['commandsExecutor', 'sendCommand', 'executeFunction', 'executeScript']

function patchClient4(prototype: object, instruments: Instruments): void {
  for (const name of SENDERS_4) wrapMethod(prototype, name, saying)
  wrapMethod(
    prototype,
    'SELECT',
    (select) =>
      function (this: Client, ...args) {
        const result = calledBy(this, false, () => select.apply(this, args))
        return noteSelect(this, ['SELECT', args.at(-1)], result)
      }
  )
  wrapMethod(
    prototype,
    'multiExecutor',
    (execute) =>
      function (
        this: Client,
        commands: readonly BatchedCommand[],
        selected: unknown,
        chainId: unknown
      ) {
        const statement = batchOf(chainId ? 'MULTI' : 'PIPELINE', commands, instruments)
        return traced(this, statement, commands.length, instruments, () =>
          calledBy(this, true, () => execute.call(this, commands, selected, chainId))
        )
      }
  )
}

function saying(original: AnyFunction): AnyFunction {
  return function (this: Client, ...args) {
    return calledBy(this, false, () => original.apply(this, args))
  }
}

/** The client's class hands its executor to this while it is being defined. */
function patchCommander4(exports: Record<string, AnyFunction>): void {
  wrapMethod(
    exports,
    'attachCommands',
    (attach) =>
      function (
        this: unknown,
        config: {
          BaseClass: { prototype?: object }
          executor: AnyFunction
        }
      ) {
        const isClient =
          config.BaseClass.prototype !== undefined && 'multiExecutor' in config.BaseClass.prototype
        return attach.call(
          this,
          isClient ? { ...config, executor: saying(config.executor) } : config
        )
      }
  )
}

function patchQueue4(prototype: object, instruments: Instruments): void {
  wrapMethod(
    prototype,
    'addCommand',
    (addCommand) =>
      function (this: Queue, args: readonly unknown[], options?: QueueOptions) {
        if (caller !== undefined) this[OWNER] ??= caller
        const isOwn = options?.asap === true
        if (inBatch || isOwn || options?.chainId) return addCommand.call(this, args, options)
        return traced(this[OWNER], statementOf(args, instruments), 0, instruments, () =>
          addCommand.call(this, args, options)
        )
      }
  )
}

/** @hot */
function traced<Result>(
  client: Client | undefined,
  statement: Statement | undefined,
  batchSize: number,
  instruments: Instruments,
  send: () => Result
): Result {
  let span: ReturnType<typeof startDatabaseSpan>
  try {
    if (statement !== undefined) {
      const endpoint = client === undefined ? UNKNOWN : endpointOf(client)
      span = startDatabaseSpan(instruments, endpoint, statement, batchSize)
    }
  } catch (fault) {
    instruments.guard.report('redis command', fault)
  }
  return span === undefined ? send() : endWithPromise(send(), span, readRedisFailure)
}

function statementOf(args: readonly unknown[], { guard }: Instruments): Statement | undefined {
  try {
    return commandStatement(args[0], args.length - 1)
  } catch (fault) {
    guard.report('redis command', fault)
    return undefined
  }
}

function batchOf(
  mode: 'MULTI' | 'PIPELINE',
  commands: readonly BatchedCommand[],
  { guard }: Instruments
): Statement | undefined {
  try {
    const statements = commands.map(({ args }) => commandStatement(args[0], args.length - 1))
    return batchStatement(mode, statements)
  } catch (fault) {
    guard.report('redis batch', fault)
    return undefined
  }
}

function endpointOf(client: Client): Endpoint {
  const known = client[ENDPOINT]
  if (known !== undefined) return known
  const { socket, url, database } = client.options ?? {}
  const server = socket?.host === undefined && url !== undefined ? serverOf(url) : socket
  const endpoint = redisEndpoint(server ?? {}, client[DATABASE] ?? database)
  client[ENDPOINT] = endpoint
  return endpoint
}

function serverOf(url: string): ServerOptions {
  const { hostname, port } = new URL(url)
  return { host: hostname, ...(port === '' ? {} : { port }) }
}

/** From a successful SELECT on, commands go to another database. */
function noteSelect<Result>(client: Client, args: readonly unknown[], result: Result): Result {
  if (args[0] !== 'SELECT') return result
  ;(result as PromiseLike<unknown> | undefined)?.then(
    () => {
      client[DATABASE] = String(args[1])
      client[ENDPOINT] = undefined
    },
    () => {}
  )
  return result
}
