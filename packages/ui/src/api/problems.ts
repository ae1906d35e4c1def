/**
 * Which questions the collector does not answer at the moment. A page keeps what it has and goes
 * on asking; the banner says so, and is gone with the first answer.
 */
import { QueryError } from '@spanloom/query-api'
import { createStore } from '../state/store.ts'

export interface Problem {
  readonly message: string
  /** No answer at all, rather than an answer that says what is wrong. */
  readonly isUnreachable: boolean
  readonly sinceUnixMs: number
}

export type Problems = Readonly<Record<string, Problem>>

export const problemsStore = createStore<Problems>({})

export function reportProblem(question: string, error: unknown): void {
  const known = problemsStore.get()[question]
  const isUnreachable = !(error instanceof QueryError) || error.code === 'QUERY_NOT_JSON'
  const message = isUnreachable
    ? 'The collector is not answering.'
    : error instanceof Error
      ? error.message
      : String(error)
  if (known?.message === message) return
  const sinceUnixMs = known?.sinceUnixMs ?? Date.now()
  problemsStore.set({
    ...problemsStore.get(),
    [question]: { message, isUnreachable, sinceUnixMs }
  })
}

export function clearProblem(question: string): void {
  const problems = problemsStore.get()
  if (!(question in problems)) return
  problemsStore.set(
    Object.fromEntries(Object.entries(problems).filter(([name]) => name !== question))
  )
}

/** A wrong question stays wrong; everything else may be better next time. */
export function isWorthRetrying(error: unknown): boolean {
  if (!(error instanceof QueryError)) return true
  return error.httpStatus >= 500 || error.httpStatus === 429
}
