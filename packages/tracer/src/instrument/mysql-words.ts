/** What the clients of MySQL and MariaDB have in common: where a connection goes, and what an error says. */
import { errorTypeOf } from './calls.ts'
import { type Endpoint, type Failure, messageOf } from './db-span.ts'

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
    // One that mariadb makes itself has the statement and its parameters in further lines.
    message: (NAMING.has(code) ? message : message?.replace(/'[\s\S]*'/, '?'))?.split('\n', 1)[0]
  }
}
