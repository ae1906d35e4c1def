/**
 * ioredis 5 and 6: a client span for each command, and one for each pipeline or transaction, whose commands
 * have none of their own. `Redis.prototype.sendCommand`, which the cluster's connections pass too, and
 * `Pipeline.prototype.exec` are wrapped: the same in all versions, and for a third of what the library's own
 * channels (from 5.11) cost, which copy and redact all arguments. The library's automatic pipelines are no
 * batch of the app's: their commands have spans, each under its caller.
 *
 * The library settles its commands' promises from its socket; callbacks are observers of these promises, so
 * they run in the context of the call without our help. A span ends where a promise is settled, and observes
 * none: the app holds the same promise, and a rejection that nobody handles would look handled.
 */
import type { AnySpan } from '../trace/tracer.ts'
import { type AnyFunction, wrapMethod } from './calls.ts'
import { type Endpoint, endDatabaseSpan, startDatabaseSpan } from './db-span.ts'
import type { Instruments } from './instruments.ts'
import {
  batchStatement,
  commandStatement,
  readRedisFailure,
  redisEndpoint,
  type ServerOptions
} from './redis-words.ts'
import type { Instrumentation } from './registry.ts'

/** A command or a pipeline: what settles its promise are methods of its own. */
interface Settled {
  resolve: AnyFunction
  reject: AnyFunction
}

interface Command extends Settled {
  readonly name: string
  readonly args: readonly unknown[]
  [SEEN]?: true
  /** Of a cluster's command, which may be sent again: its span, once there is one. */
  [CALL]?: { span: AnySpan | undefined }
}

interface Redis {
  readonly options?: ServerOptions & {
    readonly db?: unknown
    readonly enableAutoPipelining?: boolean
    readonly connectionName?: string
  }
  readonly _autoPipelines?: ReadonlyMap<string, Pipeline>
  readonly status?: string
  readonly condition?: { readonly select?: unknown }
  [ENDPOINT]?: { readonly select: unknown; readonly endpoint: Endpoint }
}

interface Pipeline extends Settled {
  readonly redis: Redis
  readonly _queue: readonly Command[]
  readonly _transactions?: number
  [SEEN]?: true
}

const SEEN = Symbol('spanloom.seen')
const CALL = Symbol('spanloom.call')
const ENDPOINT = Symbol('spanloom.endpoint')

/** What the library itself sends while it connects. */
const HANDSHAKE: ReadonlySet<string> = new Set(['auth', 'client', 'hello', 'info', 'select'])

/** A cluster's own connection, by which it learns of its nodes. */
const REFRESHER = 'ioredis-cluster(refresher'

const ioredis: Instrumentation = {
  patches: {
    redis: (exports, instruments) => patchRedis(prototypeOf(exports), instruments),
    cluster: (exports, instruments) => patchCluster(prototypeOf(exports), instruments),
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
  if (redis.options?.connectionName?.startsWith(REFRESHER)) return
  const statement = commandStatement(command.name, command.args.length)
  const span = startDatabaseSpan(instruments, endpointOf(redis), statement)
  if (span === undefined) return
  if (command[CALL] !== undefined) command[CALL].span = span
  else whenSettled(command, (error) => endDatabaseSpan(span, error, readRedisFailure))
}

function whenSettled(call: Settled, end: (error: unknown, value?: unknown) => void): void {
  const { resolve, reject } = call
  call.resolve = (value: unknown) => {
    // A reply that cannot be transformed rejects in here.
    const result: unknown = resolve.call(call, value)
    end(undefined, value)
    return result
  }
  call.reject = (error: unknown) => {
    end(error)
    return reject.call(call, error)
  }
}

/** Before the cluster has its own `reject` in front, by which it sends again what another node has. */
function watchClustered(command: Command): void {
  if (command[CALL] !== undefined) return
  const call: Command[typeof CALL] = { span: undefined }
  command[CALL] = call
  whenSettled(command, (error) => {
    if (call.span !== undefined) endDatabaseSpan(call.span, error, readRedisFailure)
  })
}

/**
 * A cluster that is not ready keeps commands and sends them on later, from its own context: their spans begin
 * here, when the node that will answer is not known. All others have theirs at the node.
 */
function patchCluster(prototype: object, instruments: Instruments): void {
  wrapMethod(
    prototype,
    'sendCommand',
    (sendCommand) =>
      function (this: Redis, command: Command, ...rest) {
        try {
          // Its own question whether all slots are served.
          if (this.status === 'connect' && command.name === 'cluster') command[SEEN] = true
          if (rest[0] === undefined) {
            watchClustered(command)
            if (this.status !== 'ready') beginCommand(this, command, false, instruments)
          }
        } catch (fault) {
          instruments.guard.report('ioredis cluster', fault)
        }
        return sendCommand.call(this, command, ...rest)
      }
  )
}

function patchPipeline(prototype: object, instruments: Instruments): void {
  wrapMethod(
    prototype,
    'sendCommand',
    (sendCommand) =>
      function (this: Pipeline, command: Command) {
        try {
          if (isAutomatic(this)) {
            this[SEEN] = true
            beginCommand(this.redis, command, false, instruments)
          }
        } catch (fault) {
          instruments.guard.report('ioredis automatic pipeline', fault)
        }
        return sendCommand.call(this, command)
      }
  )
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

/** With `enableAutoPipelining` the commands of a tick share a pipeline, whoever they are from. */
function isAutomatic(pipeline: Pipeline): boolean {
  const { options, _autoPipelines: automatic } = pipeline.redis
  if (options?.enableAutoPipelining !== true || automatic === undefined) return false
  for (const each of automatic.values()) if (each === pipeline) return true
  return false
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
  whenSettled(pipeline, (error, results) =>
    endDatabaseSpan(span, error ?? (isMulti ? abortOf(results) : undefined), readRedisFailure)
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
  // A cluster: the node is chosen later.
  const endpoint =
    redis.status !== undefined && 'slots' in redis
      ? { system: 'redis', namespace: undefined, host: undefined, port: undefined }
      : redisEndpoint(options ?? {}, select)
  redis[ENDPOINT] = { select, endpoint }
  return endpoint
}
