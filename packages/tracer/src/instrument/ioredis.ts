/**
 * ioredis 5 and 6: a client span for each command, and one for each pipeline or transaction, whose commands
 * have none of their own. `Redis.prototype.sendCommand`, which the cluster's connections pass too, and
 * `Pipeline.prototype.exec` are wrapped: the same in all versions, and for a third of what the library's own
 * channels (from 5.11) cost, which copy and redact all arguments.
 *
 * The library settles its commands' promises from its socket; callbacks are observers of these promises, so
 * they run in the context of the call without our help.
 */
import { wrapMethod } from './calls.ts'
import { type Endpoint, endBesidePromise, endDatabaseSpan, startDatabaseSpan } from './db-span.ts'
import type { Instruments } from './instruments.ts'
import {
  batchStatement,
  commandStatement,
  readRedisFailure,
  redisEndpoint,
  type ServerOptions
} from './redis-words.ts'
import type { Instrumentation } from './registry.ts'

interface Command {
  readonly name: string
  readonly args: readonly unknown[]
  readonly promise: Promise<unknown>
  [SEEN]?: true
}

interface Redis {
  readonly options?: ServerOptions & { readonly db?: unknown }
  readonly status?: string
  readonly condition?: { readonly select?: unknown }
  [ENDPOINT]?: { readonly select: unknown; readonly endpoint: Endpoint }
}

interface Pipeline {
  readonly redis: Redis
  readonly _queue: readonly Command[]
  readonly _transactions?: number
  readonly promise: Promise<unknown>
  [SEEN]?: true
}

const SEEN = Symbol('spanloom.seen')
const ENDPOINT = Symbol('spanloom.endpoint')

/** What the library itself sends while it connects. */
const HANDSHAKE: ReadonlySet<string> = new Set(['auth', 'client', 'hello', 'info', 'select'])

const ioredis: Instrumentation = {
  patches: {
    redis: (exports, instruments) => patchRedis(prototypeOf(exports), instruments),
    pipeline: (exports, instruments) => patchPipeline(prototypeOf(exports), instruments)
  }
}

export default ioredis

function prototypeOf(exports: unknown): object {
  return (exports as { default: { prototype: object } }).default.prototype
}

function patchRedis(prototype: object, instruments: Instruments): void {
  wrapMethod(
    prototype,
    'sendCommand',
    (sendCommand) =>
      function (this: Redis, command: Command, stream?: { readonly isPipeline?: boolean }) {
        try {
          beginCommand(this, command, stream?.isPipeline === true, instruments)
        } catch (fault) {
          instruments.guard.report('ioredis sendCommand', fault)
        }
        return sendCommand.call(this, command, stream)
      }
  )
}

/** @hot A command is sent again after a reconnect, and by a cluster to another node: it is still one. */
function beginCommand(
  redis: Redis,
  command: Command,
  piped: boolean,
  instruments: Instruments
): void {
  if (command[SEEN]) return
  command[SEEN] = true
  if (piped || (redis.status === 'connect' && HANDSHAKE.has(command.name))) return
  const statement = commandStatement(command.name, command.args.length)
  const span = startDatabaseSpan(instruments, endpointOf(redis), statement)
  if (span !== undefined) endBesidePromise(command.promise, span, readRedisFailure)
}

function patchPipeline(prototype: object, instruments: Instruments): void {
  wrapMethod(
    prototype,
    'exec',
    (exec) =>
      function (this: Pipeline, ...args: unknown[]) {
        try {
          beginPipeline(this, instruments)
        } catch (fault) {
          instruments.guard.report('ioredis pipeline', fault)
        }
        return exec.apply(this, args)
      }
  )
}

/** A transaction is a pipeline whose first command is MULTI and whose `exec` is called twice. */
function beginPipeline(pipeline: Pipeline, instruments: Instruments): void {
  const queue = pipeline._queue
  if (pipeline[SEEN] || queue.length === 0) return
  pipeline[SEEN] = true
  const isMulti = queue[0]!.name === 'multi'
  const commands = queue
    .filter(({ name }) => !isMulti || (name !== 'multi' && name !== 'exec'))
    .map(({ name, args }) => commandStatement(name, args.length))
  const statement = batchStatement(isMulti ? 'MULTI' : 'PIPELINE', commands)
  const endpoint = endpointOf(pipeline.redis)
  const span = startDatabaseSpan(instruments, endpoint, statement, commands.length)
  if (span === undefined) return
  pipeline.promise.then(
    (results) => endDatabaseSpan(span, isMulti ? abortOf(results) : undefined, readRedisFailure),
    (error) => endDatabaseSpan(span, error, readRedisFailure)
  )
}

/** A transaction that Redis refused: the error of its EXEC. Errors of single commands are the app's to judge. */
function abortOf(results: unknown): unknown {
  return Array.isArray(results) ? (results.at(-1) as [unknown] | undefined)?.[0] : undefined
}

function endpointOf(redis: Redis): Endpoint {
  const { options } = redis
  const select = redis.condition?.select ?? options?.db
  const known = redis[ENDPOINT]
  if (known !== undefined && known.select === select) return known.endpoint
  // A cluster's pipeline goes to a node that is chosen later.
  const endpoint =
    redis.status !== undefined && 'slots' in redis
      ? { system: 'redis', namespace: undefined, host: undefined, port: undefined }
      : redisEndpoint(options ?? {}, select)
  redis[ENDPOINT] = { select, endpoint }
  return endpoint
}
