/**
 * What the clients of MySQL and MariaDB have in common: where a connection goes, and what an error says; of
 * mysql and mysql2 also how a query's span begins and ends.
 */
import type { AnySpan } from '../trace/tracer.ts'
import { errorTypeOf } from './calls.ts'
import {
  type Endpoint,
  endDatabaseSpan,
  type Failure,
  messageOf,
  startDatabaseSpan
} from './db-span.ts'
import type { Instruments } from './instruments.ts'
import { SqlStatements } from './sql-statements.ts'

export interface MysqlConfig {
  readonly host?: string
  readonly port?: number | string
  readonly socketPath?: string
  readonly database?: string
}

interface Owner {
  [ENDPOINT]?: Endpoint
}

const ENDPOINT = Symbol('spanloom.endpoint')
const DEFAULT_PORT = 3_306

/** @hot Kept on the connection. */
export function mysqlEndpointOf(
  connection: object,
  system: string,
  config: MysqlConfig | undefined
): Endpoint {
  const known = (connection as Owner)[ENDPOINT]
  const { host, port, socketPath, database } = config ?? {}
  // `changeUser` goes to another database.
  const namespace = database === '' ? undefined : database
  if (known !== undefined && known.namespace === namespace && known.system === system) return known
  const endpoint = {
    system,
    namespace,
    host: socketPath ?? host ?? 'localhost',
    port: socketPath == null ? Number(port ?? DEFAULT_PORT) : undefined
  }
  ;(connection as Owner)[ENDPOINT] = endpoint
  return endpoint
}

/** Messages that name a table or a column; others may have a value between their quotes. */
const NAMING: ReadonlySet<unknown> = new Set([
  'ER_NO_SUCH_TABLE',
  'ER_BAD_FIELD_ERROR',
  'ER_BAD_DB_ERROR',
  'ER_TABLE_EXISTS_ERROR'
])

export function readMysqlFailure(error: unknown): Failure {
  const { code, sqlState, sqlMessage, text } = error as Readonly<Record<string, unknown>>
  // MariaDB's own message goes on with the statement and its values.
  const said = sqlMessage ?? text
  const message = typeof said === 'string' && said !== '' ? said : messageOf(error)
  return {
    statusCode: typeof sqlState === 'string' && sqlState !== '' ? sqlState : undefined,
    type: errorTypeOf(error),
    message: NAMING.has(code) ? message : message?.replace(/'[\s\S]*'/, '?')
  }
}

/** A connection of mysql or of mysql2, which came of it. */
export interface MysqlConnection {
  readonly config?: MysqlConfig
}

const statements = new SqlStatements('mysql', 'mysql')

/**
 * @hot `query` is a text or has one. Undefined for what is no query, and where nothing may be traced. `place` is
 * for a fault of ours.
 */
export function startMysqlSpan(
  connection: MysqlConnection,
  query: unknown,
  instruments: Instruments,
  place: string
): AnySpan | undefined {
  try {
    const sql = typeof query === 'string' ? query : (query as { sql?: unknown } | undefined)?.sql
    if (typeof sql !== 'string') return undefined
    const endpoint = mysqlEndpointOf(connection, 'mysql', connection.config)
    const statement = statements.of(sql, endpoint.namespace)
    return startDatabaseSpan(instruments, endpoint, statement)
  } catch (fault) {
    instruments.guard.report(place, fault)
    return undefined
  }
}

export function endMysqlSpan(span: AnySpan, error?: unknown): void {
  endDatabaseSpan(span, error, readMysqlFailure)
}
