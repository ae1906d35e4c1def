/** Trace search: the form is in the address, results are newest first, older ones on request. */
import type { TraceSummary } from '@spanloom/query-api'
import { useMemo, useState } from 'react'
import { useQuery } from '../../api/use-query.ts'
import { Empty, Failure, SkeletonRows } from '../../components/states.tsx'
import { DurationScatter } from '../../draw/duration-scatter.tsx'
import { formatMoment, plural } from '../../model/format.ts'
import { windowKey, windowParams } from '../../model/time-window.ts'
import { EMPTY_SEARCH, type RouteOf } from '../../model/url.ts'
import { learnServices } from '../../state/preferences.ts'
import { navigate } from '../../state/router.ts'
import { SearchForm } from './search-form.tsx'
import { TraceIdForm } from './trace-id-form.tsx'
import { TraceTable } from './trace-table.tsx'
import { useOlderTraces } from './use-older-traces.ts'

const TRACES_PER_PAGE = 50

type TracesRoute = RouteOf<'traces'>

export function TracesView({ route }: { readonly route: TracesRoute }) {
  return (
    <>
      <div className="view-head">
        <h1>Traces</h1>
        <TraceIdForm window={route.window} />
      </div>
      <SearchForm key={JSON.stringify(route.search)} route={route} />
      <Results route={route} />
    </>
  )
}

function Results({ route }: { readonly route: TracesRoute }) {
  const { window, search } = route
  const key = `${windowKey(window)} ${JSON.stringify(search)}`
  const paramsAt = useMemo(() => {
    const { attributes, ...rest } = search
    const attribute = attributes.length > 0 ? { attribute: attributes } : {}
    return (now: number) => ({
      ...windowParams(window, now),
      ...rest,
      ...attribute,
      limit: TRACES_PER_PAGE
    })
  }, [search, window])
  const older = useOlderTraces(key, paramsAt)
  const newest = useQuery({
    route: 'traces',
    key,
    params: paramsAt,
    // Refreshing the first page under older ones would leave a gap between the two.
    live: 'last' in window && older.first === undefined
  })
  const [held, setHeld] = useState<{ readonly key: string; readonly at: typeof newest.data }>()
  const heldNow = held?.key === key ? held.at : undefined
  const first = older.first ?? heldNow ?? newest.data
  const traces = useMemo(() => joinPages(first?.traces, older.traces), [first, older.traces])
  const freshCount = useMemo(
    () => countFresh(first?.traces, newest.data?.traces),
    [first, newest.data]
  )

  if (first === undefined) {
    if (newest.error !== undefined)
      return <Failure title="The search was refused" error={newest.error} />
    return <SkeletonRows rows={10} height={45} />
  }
  const searchedFrom = older.searchedFromUnixMs ?? first.searchedFromUnixMs
  const nextCursor = older.first === undefined ? first.nextCursor : older.nextCursor
  const hasMore = nextCursor !== undefined
  const coverage = coverageOf(hasMore, searchedFrom)
  if (traces.length === 0) {
    return (
      <Empty title="No trace matches">
        <p>{coverage}</p>
        <NoMatchHelp route={route} />
        {hasMore && <MoreButton older={older} first={first} cursor={nextCursor} />}
      </Empty>
    )
  }
  return (
    <div className={newest.isStale ? 'is-stale' : undefined}>
      <DurationScatter
        traces={traces}
        onOpen={(traceId) => navigate({ view: 'trace', traceId, window })}
      />
      <div className="results-head">
        <p className="summary">
          {plural(traces.length, 'trace')}, newest first. {coverage}
        </p>
        {freshCount > 0 && older.first === undefined && (
          <button type="button" className="pill" onClick={() => setHeld(undefined)}>
            {plural(freshCount, 'new trace')}
          </button>
        )}
        {older.first !== undefined && (
          <button type="button" className="pill" onClick={older.reset}>
            Back to live results
          </button>
        )}
      </div>
      {/* Rows must not move under the pointer that is about to click one. */}
      <div
        onPointerEnter={() => setHeld({ key, at: newest.data })}
        onPointerLeave={() => setHeld(undefined)}
      >
        <TraceTable traces={traces} window={window} />
      </div>
      {hasMore && <MoreButton older={older} first={first} cursor={nextCursor} />}
    </div>
  )
}

interface MoreButtonProps {
  readonly older: ReturnType<typeof useOlderTraces>
  readonly first: Parameters<ReturnType<typeof useOlderTraces>['loadMore']>[0]
  readonly cursor: string
}

function MoreButton({ older, first, cursor }: MoreButtonProps) {
  return (
    <div className="more">
      {older.error !== undefined && <p role="alert">{older.error}</p>}
      <button
        type="button"
        className="button"
        disabled={older.isLoading}
        onClick={() => older.loadMore(first, cursor)}
      >
        {older.isLoading ? 'Searching…' : 'Load older traces'}
      </button>
    </div>
  )
}

function NoMatchHelp({ route }: { readonly route: TracesRoute }) {
  return (
    <div className="actions">
      <button
        type="button"
        className="button"
        onClick={() => navigate({ ...route, search: EMPTY_SEARCH })}
      >
        Clear the search
      </button>
      {(!('last' in route.window) || route.window.last !== '24h') && (
        <button
          type="button"
          className="button"
          onClick={() => navigate({ ...route, window: { last: '24h' } })}
        >
          Search the last 24 hours
        </button>
      )}
    </div>
  )
}

function coverageOf(hasMore: boolean, searchedFromUnixMs: number): string {
  const moment = formatMoment(searchedFromUnixMs, Date.now())
  return hasMore
    ? `Searched back to ${moment}; there may be older ones.`
    : `Searched everything back to ${moment}.`
}

function joinPages(
  first: readonly TraceSummary[] | undefined,
  older: readonly TraceSummary[]
): readonly TraceSummary[] {
  const traces = new Map<string, TraceSummary>()
  for (const trace of [...(first ?? []), ...older]) {
    if (!traces.has(trace.traceId)) traces.set(trace.traceId, trace)
  }
  const joined = [...traces.values()]
  learnServices(joined.flatMap((trace) => trace.services))
  return joined
}

/** Traces of the newest answer that the list, held still, does not show yet. */
function countFresh(
  shown: readonly TraceSummary[] | undefined,
  newest: readonly TraceSummary[] | undefined
): number {
  if (shown === newest || shown === undefined || newest === undefined) return 0
  const known = new Set(shown.map((trace) => trace.traceId))
  return newest.filter((trace) => !known.has(trace.traceId)).length
}
