/**
 * What is said of a Redis command: its name and how many arguments it had, never an argument. Keys are
 * hidden as well, because apps put names and addresses of people in them.
 *
 *   SET user:7 secret EX 60   →   SET ? ? ? ?
 *
 * `node-redis` and `ioredis` are two instrumentations with these words in common.
 */
import { errorTypeOf } from './calls.ts'
import { type Endpoint, type Failure, messageOf, type Statement } from './db-span.ts'

export const DEFAULT_PORT = 6_379

/** More arguments are shown as `…`: the number of an `MGET`'s keys makes no other statement of it. */
const ARGUMENTS_SHOWN_MAX = 16
/** Redis has some 400 commands with its modules; names that an app makes up are not kept. */
const NAMES_MAX = 512
const NAME_CHARS_MAX = 32
const BATCH_COMMANDS_SHOWN_MAX = 16

/** Name as it came → statement by count of arguments. */
const known = new Map<string, (Statement | undefined)[]>()

/** @hot */
export function commandStatement(name: unknown, argumentCount: number): Statement {
  const word = typeof name === 'string' ? name : String(name)
  const count = Math.min(argumentCount, ARGUMENTS_SHOWN_MAX + 1)
  let byCount = known.get(word)
  const found = byCount?.[count]
  if (found !== undefined) return found
  const operation = word.slice(0, NAME_CHARS_MAX).toUpperCase()
  const shown = count > ARGUMENTS_SHOWN_MAX ? ' ?'.repeat(ARGUMENTS_SHOWN_MAX) : ' ?'.repeat(count)
  const text = `${operation}${shown}${count > ARGUMENTS_SHOWN_MAX ? ' …' : ''}`
  const statement = { spanName: operation, operation, collection: undefined, text }
  if (byCount === undefined) {
    byCount = []
    if (known.size < NAMES_MAX) known.set(word, byCount)
  }
  byCount[count] = statement
  return statement
}

/** `MULTI SET` when all commands of the batch are the same, else `MULTI`. */
export function batchStatement(
  mode: 'MULTI' | 'PIPELINE',
  commands: readonly Statement[]
): Statement {
  const first = commands[0]?.operation
  const same = first !== undefined && commands.every(({ operation }) => operation === first)
  const operation = same ? `${mode} ${first}` : mode
  const shown = commands.slice(0, BATCH_COMMANDS_SHOWN_MAX).map(({ text }) => text ?? '')
  if (commands.length > BATCH_COMMANDS_SHOWN_MAX) shown.push('…')
  const text = shown.length === 0 ? undefined : shown.join('; ')
  return { spanName: operation, operation, collection: undefined, text }
}

export interface ServerOptions {
  readonly host?: unknown
  readonly port?: unknown
  /** Of a socket in the file system. */
  readonly path?: unknown
}

export function redisEndpoint(server: ServerOptions, database: unknown): Endpoint {
  const { host, port, path } = server
  const namespace = String(database ?? 0)
  if (typeof path === 'string') return { system: 'redis', namespace, host: path, port: undefined }
  return {
    system: 'redis',
    namespace,
    host: typeof host === 'string' ? host : 'localhost',
    port: Number(port ?? DEFAULT_PORT) || DEFAULT_PORT
  }
}

/** Redis' errors begin with a word of capitals: `WRONGTYPE Operation against a key …`. */
export function readRedisFailure(error: unknown): Failure {
  const message = messageOf(error)
  const code = isReply(error) ? message?.match(/^[A-Z][A-Z0-9_]+(?= |$)/)?.[0] : undefined
  return {
    statusCode: code,
    type: code ?? classOf(error),
    // An unknown command is repeated by Redis with its arguments.
    message: message?.replace(/, with args beginning with:[\s\S]*$/, '')
  }
}

/** By the classes of node-redis 4, of 5 and 6, and of ioredis; others are of the client's own making. */
const REPLIES: ReadonlySet<string> = new Set([
  'ErrorReply',
  'SimpleError',
  'BlobError',
  'ReplyError'
])

function isReply(error: unknown): boolean {
  return REPLIES.has(classOf(error))
}

function classOf(error: unknown): string {
  const type = errorTypeOf(error)
  const name = (error as { constructor?: { name?: unknown } } | undefined)?.constructor?.name
  return type === 'Error' && typeof name === 'string' && name !== '' ? name : type
}
