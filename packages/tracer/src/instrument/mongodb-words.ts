/**
 * What is said of a MongoDB command: what it does, to which collection, and the shape of its filter, update
 * or pipeline, with every value as `?`. Documents that are written are not shown at all.
 *
 *   { find: 'orders', filter: { mail: 'a@b', age: { $gt: 7 } }, … }
 *     →   {"find":"orders","filter":{"mail":"?","age":{"$gt":"?"}}}
 *
 * Limits: names of fields are shown, so an app that has values for names shows them. What is deeper, wider
 * or longer than the limits below is `…`.
 */
import { errorTypeOf } from './calls.ts'
import { type Failure, messageOf, type Statement } from './db-span.ts'

const DEPTH_MAX = 5
const FIELDS_MAX = 24
const ITEMS_MAX = 8
const NAME_CHARS_MAX = 64
const TEXT_CHARS_MAX = 1_024

export type Document = Readonly<Record<string, unknown>>

export interface MongoCommand {
  readonly statement: Statement
  /** Of an insert, update or delete; else 0. */
  readonly batchSize: number
}

/** What the driver sends for itself: to meet, watch and leave a server. */
const INTERNAL: ReadonlySet<string> = new Set([
  'hello',
  'ismaster',
  'isMaster',
  'saslStart',
  'saslContinue',
  'authenticate',
  'endSessions',
  'killCursors'
])

/** Commands whose first field is a collection's name. Of others it may be any value. */
const OF_COLLECTION: ReadonlySet<string> = new Set([
  'aggregate',
  'collMod',
  'count',
  'create',
  'createIndexes',
  'delete',
  'distinct',
  'drop',
  'dropIndexes',
  'find',
  'findAndModify',
  'insert',
  'listIndexes',
  'mapReduce',
  'update'
])

/** Parts of a command whose shape is shown; some stand in a list of statements (`updates`, `deletes`). */
const SHAPED: readonly string[] = ['filter', 'query', 'q', 'update', 'u', 'sort', 'pipeline']
const STATEMENTS: readonly string[] = ['updates', 'deletes']

/** @hot Undefined for what the driver sends for itself. */
export function describeCommand(command: Document, database: string): MongoCommand | undefined {
  let operation: string | undefined
  for (operation in command) break
  if (operation === undefined || INTERNAL.has(operation)) return undefined
  const collection = collectionOf(command, operation)
  const spanName = `${operation} ${collection ?? database}`
  const text = commandText(command, operation, collection)
  const statement = { spanName, operation, collection, text }
  return { statement, batchSize: batchSizeOf(command) }
}

function collectionOf(command: Document, operation: string): string | undefined {
  if (operation !== 'getMore' && !OF_COLLECTION.has(operation)) return undefined
  const name = operation === 'getMore' ? command.collection : command[operation]
  return typeof name === 'string' ? name : undefined
}

function batchSizeOf({ documents, updates, deletes }: Document): number {
  return listOf(documents ?? updates ?? deletes)?.length ?? 0
}

/** From driver 7 on, lists that travel in a section of their own are wrapped. */
function listOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value
  const { documents } = (value ?? {}) as { documents?: unknown }
  return Array.isArray(documents) ? documents : undefined
}

function commandText(command: Document, operation: string, collection: string | undefined): string {
  let text = `{${JSON.stringify(operation)}:${JSON.stringify(collection ?? '?')}`
  for (const part of SHAPED) {
    if (part !== operation && command[part] !== undefined)
      text += `,"${part}":${shapeOf(command[part], 0)}`
  }
  for (const part of STATEMENTS) {
    const statements = listOf(command[part])
    if (statements !== undefined) text += `,"${part}":${statementShapes(statements)}`
  }
  if (text.length >= TEXT_CHARS_MAX) return `${text.slice(0, TEXT_CHARS_MAX)}…`
  return `${text}}`
}

/** The first statement stands for all: a batch is mostly one statement with many values. */
function statementShapes(statements: readonly unknown[]): string {
  const first = statements[0] as Document | undefined
  const parts = SHAPED.filter((part) => first?.[part] !== undefined).map(
    (part) => `"${part}":${shapeOf(first![part], 0)}`
  )
  return `[{${parts.join(',')}}${statements.length > 1 ? ',…' : ''}]`
}

export function shapeOf(value: unknown, depth: number): string {
  if (typeof value !== 'object' || value === null) return '"?"'
  if (Array.isArray(value)) return listShape(value, depth)
  if (!isDocument(value)) return '"?"'
  if (depth >= DEPTH_MAX) return '"…"'
  let text = ''
  let fields = 0
  const entries: Iterable<[unknown, unknown]> =
    value instanceof Map ? value.entries() : Object.entries(value)
  for (const [name, inner] of entries) {
    if (text !== '') text += ','
    if (fields++ === FIELDS_MAX) {
      text += '…'
      break
    }
    text += `${JSON.stringify(String(name).slice(0, NAME_CHARS_MAX))}:${shapeOf(inner, depth + 1)}`
  }
  return `{${text}}`
}

/** Lists of values are one `?`: how many they are makes no other statement. */
function listShape(items: readonly unknown[], depth: number): string {
  if (!items.some((item) => typeof item === 'object' && item !== null && isDocument(item))) {
    return '"?"'
  }
  if (depth >= DEPTH_MAX) return '"…"'
  const shown = items.slice(0, ITEMS_MAX).map((item) => shapeOf(item, depth + 1))
  if (items.length > ITEMS_MAX) shown.push('…')
  return `[${shown.join(',')}]`
}

/** Plain objects; ids, dates, buffers and the BSON types are values. */
function isDocument(value: object): boolean {
  if (value instanceof Map) return true
  const prototype = Object.getPrototypeOf(value)
  return (prototype === null || prototype === Object.prototype) && !('_bsontype' in value)
}

export function readMongoFailure(error: unknown): Failure {
  const { code } = (error ?? {}) as { code?: unknown }
  const statusCode = typeof code === 'number' ? String(code) : undefined
  return {
    statusCode,
    type: statusCode ?? errorTypeOf(error),
    // `dup key: { mail: "a@b" }`, `{_id: 7} has the field 'x'`.
    message: messageOf(error)?.replaceAll(/\{[\s\S]*\}|"[^"]*"/g, '?')
  }
}
