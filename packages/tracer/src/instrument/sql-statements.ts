/** What a span says of a SQL statement, made once for each text that comes again. */
import type { Statement } from './db-span.ts'
import { type SqlDialect, summarize } from './sql.ts'

const STATEMENTS_MAX = 512
/** Longer ones are mostly generated with their values inside, and never seen again. */
const STATEMENT_CHARS_MAX = 2_048

interface NamedStatement extends Statement {
  readonly namespace: string | undefined
}

export class SqlStatements {
  readonly #system: string
  readonly #dialect: SqlDialect
  readonly #known = new Map<string, NamedStatement>()

  constructor(system: string, dialect: SqlDialect) {
    this.#system = system
    this.#dialect = dialect
  }

  /** @hot A statement without a table is named after the database, one without a verb after the system. */
  of(sql: string, namespace: string | undefined): Statement {
    const known = this.#known.get(sql)
    if (known !== undefined && known.namespace === namespace) return known
    const { text, operation, table } = summarize(sql, this.#dialect)
    const verb = operation ?? this.#system
    const target = table ?? namespace
    const spanName = target === undefined ? verb : `${verb} ${target}`
    const statement = { spanName, operation, collection: table, text, namespace }
    if (this.#known.size >= STATEMENTS_MAX) this.#known.clear()
    if (sql.length <= STATEMENT_CHARS_MAX) this.#known.set(sql, statement)
    return statement
  }
}
