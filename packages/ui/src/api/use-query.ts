/**
 * Data for components: the answer to a question of the query API, refreshed while live.
 *
 * A question is known by its key. When the key changes, the answer under way is aborted; what was
 * last known for the new key is shown at once (the back button never shows a skeleton), else the
 * answer of the old key stays, marked stale, as long as `scope` is the same. Unchanged parts of an
 * answer keep their identity, so that memoised rows are not drawn again.
 */
import {
  createQueryClient,
  type RouteAnswers,
  type RouteName,
  type RouteParams
} from '@spanloom/query-api'
import { useEffect, useRef, useState } from 'react'
import { shareParts } from '../model/share.ts'
import { liveStore } from '../state/preferences.ts'
import { type Poller, startPoller } from './poller.ts'
import { clearProblem, isWorthRetrying, reportProblem } from './problems.ts'

export const ask = createQueryClient('')

/** Answers kept for the back button. A trace of 10,000 spans is some 10 MB, so few. */
const CACHED_MAX = 12

interface Kept {
  readonly data: unknown
  readonly unixMs: number
}
const cache = new Map<string, Kept>()
const pollers = new Set<Poller>()

/** Asks everything on the page again, now. */
export function askAllNow(): void {
  for (const poller of pollers) poller.askNow()
}

export interface Answer<Data> {
  readonly data: Data | undefined
  /** The last ask failed; `data` is from before. */
  readonly error: unknown
  /** `data` answers an earlier question, and the present one is under way. */
  readonly isStale: boolean
  readonly unixMs: number
}

export interface Question<Name extends RouteName> {
  readonly route: Name
  /** Says everything that makes this question differ from another of the same route. */
  readonly key: string
  /** Answers of one scope may stand in for each other while the right one is loading. */
  readonly scope?: string
  readonly params: (nowUnixMs: number) => RouteParams<Name>
  /** `false` asks once. Default: as the live switch says. */
  readonly live?: boolean
}

interface Held<Data> extends Answer<Data> {
  readonly key: string
  readonly scope: string
}

export function useQuery<Name extends RouteName>(
  question: Question<Name>
): Answer<RouteAnswers[Name]> {
  type Data = RouteAnswers[Name]
  const { route } = question
  const key = `${route} ${question.key}`
  const scope = `${route} ${question.scope ?? ''}`
  const latest = useRef(question)
  latest.current = question
  const [held, setHeld] = useState<Held<Data>>(() => startingAnswer<Data>(key, scope, undefined))

  useEffect(() => {
    setHeld((before) => startingAnswer(key, scope, before))
    const poller = startPoller<Data>({
      ask: (signal) => ask(route, latest.current.params(Date.now()), signal),
      onValue(data) {
        clearProblem(key)
        setHeld((before) => {
          const shared = before.data === undefined ? data : shareParts(before.data, data)
          const unixMs = Date.now()
          keep(key, shared, unixMs)
          return { key, scope, data: shared, error: undefined, isStale: false, unixMs }
        })
      },
      onFailure(error) {
        if (isWorthRetrying(error)) reportProblem(key, error)
        else clearProblem(key)
        setHeld((before) => ({ ...before, error }))
      },
      isWorthRetrying,
      isLive: () => latest.current.live !== false && liveStore.get(),
      isHidden: () => document.hidden,
      later(callback, delayMs) {
        const timer = window.setTimeout(callback, delayMs)
        return () => window.clearTimeout(timer)
      }
    })
    pollers.add(poller)
    const wake = () => poller.wake()
    document.addEventListener('visibilitychange', wake)
    const unsubscribe = liveStore.subscribe(wake)
    return () => {
      document.removeEventListener('visibilitychange', wake)
      unsubscribe()
      pollers.delete(poller)
      poller.stop()
      clearProblem(key)
    }
  }, [key, scope, route])

  // Between a new key and its effect, the old answer must not pass for the new one.
  if (held.key === key) return held
  return startingAnswer<Data>(key, scope, held)
}

function startingAnswer<Data>(
  key: string,
  scope: string,
  before: Held<Data> | undefined
): Held<Data> {
  if (before?.key === key) return before
  const kept = cache.get(key)
  if (kept !== undefined) {
    const { data, unixMs } = kept
    return { key, scope, data: data as Data, error: undefined, isStale: false, unixMs }
  }
  if (before !== undefined && before.scope === scope) {
    return { ...before, key, error: undefined, isStale: before.data !== undefined }
  }
  return { key, scope, data: undefined, error: undefined, isStale: false, unixMs: 0 }
}

function keep(key: string, data: unknown, unixMs: number): void {
  cache.delete(key)
  cache.set(key, { data, unixMs })
  if (cache.size > CACHED_MAX) {
    const oldest = cache.keys().next().value
    if (oldest !== undefined) cache.delete(oldest)
  }
}
