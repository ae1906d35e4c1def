/** The pages after the first, loaded one by one by cursor and kept until the search changes. */
import type { RouteParams, TraceSummary, TracesResponse } from '@spanloom/query-api'
import { useCallback, useEffect, useRef, useState } from 'react'
import { ask } from '../../api/use-query.ts'

/** More rows than anyone scrolls through; a narrower search is the better way on. */
const OLDER_TRACES_MAX = 2_000

interface Older {
  readonly key: string
  /** The first page as it was when the second was asked for. */
  readonly first?: TracesResponse
  readonly traces: readonly TraceSummary[]
  readonly nextCursor?: string
  readonly searchedFromUnixMs?: number
  readonly isLoading: boolean
  readonly error?: string
}

export interface OlderTraces extends Older {
  loadMore(first: TracesResponse, cursor: string): void
  reset(): void
}

export function useOlderTraces(
  key: string,
  paramsAt: (nowUnixMs: number) => RouteParams<'traces'>
): OlderTraces {
  const nothing: Older = { key, traces: [], isLoading: false }
  const [kept, setKept] = useState<Older>(nothing)
  const underWay = useRef<AbortController>(undefined)
  // biome-ignore lint/correctness/useExhaustiveDependencies: another search gives up the page under way
  useEffect(() => () => underWay.current?.abort(), [key])
  const older = kept.key === key ? kept : nothing

  const reset = useCallback(() => {
    underWay.current?.abort()
    setKept({ key, traces: [], isLoading: false })
  }, [key])

  const loadMore = useCallback(
    (first: TracesResponse, cursor: string) => {
      underWay.current?.abort()
      const controller = new AbortController()
      underWay.current = controller
      setKept((before) => {
        const { error: _error, ...rest } = before
        return before.key === key
          ? { ...rest, isLoading: true }
          : { key, traces: [], isLoading: true }
      })
      ask('traces', { ...paramsAt(Date.now()), cursor }, controller.signal).then(
        (page) => {
          if (controller.signal.aborted) return
          setKept((before) => withPage(before, first, page))
        },
        (error: unknown) => {
          if (controller.signal.aborted) return
          const message = error instanceof Error ? error.message : String(error)
          setKept((before) => ({ ...before, isLoading: false, error: message }))
        }
      )
    },
    [key, paramsAt]
  )
  return { ...older, loadMore, reset }
}

function withPage(before: Older, first: TracesResponse, page: TracesResponse): Older {
  const traces = [...before.traces, ...page.traces]
  const isFull = traces.length >= OLDER_TRACES_MAX
  const { nextCursor: _done, error: _error, ...rest } = before
  return {
    ...rest,
    first: before.first ?? first,
    traces,
    searchedFromUnixMs: page.searchedFromUnixMs,
    isLoading: false,
    ...(page.nextCursor === undefined || isFull ? {} : { nextCursor: page.nextCursor }),
    ...(isFull ? { error: `Showing ${OLDER_TRACES_MAX} older traces: narrow the search.` } : {})
  }
}
