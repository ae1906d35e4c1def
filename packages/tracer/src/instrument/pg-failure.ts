/** What an error of PostgreSQL says, whichever client hands it on. */
import { errorTypeOf } from './calls.ts'
import { type Failure, messageOf } from './db-span.ts'

/** Every SQLSTATE has a digit, which `EPIPE` has not. */
export function readPgFailure(error: unknown): Failure {
  const type = errorTypeOf(error)
  const message = messageOf(error)
  if (!/^(?=.*\d)[0-9A-Z]{5}$/.test(type)) return { statusCode: undefined, type, message }
  return { statusCode: type, type, message: withoutValue(type, message) }
}

const SYNTAX_ERROR = '42601'

/**
 * Class 22, data exceptions, repeats the value: `invalid input syntax for type integer: "abc"`. A syntax error
 * repeats the statement from there on: `unterminated quoted string at or near "'abc"`.
 */
function withoutValue(sqlState: string, message: string | undefined): string | undefined {
  const repeats = sqlState.startsWith('22') || sqlState === SYNTAX_ERROR
  return repeats ? message?.replace(/"[\s\S]*"/, '?') : message
}
