/**
 * Spans that run at this moment, the longest first. Tracers report a span once, when it is ten seconds old,
 * and the collector holds the report for ten minutes: so a span that hangs is seen before it ends, also when
 * it blocks the event loop of its process. Those that have ended since stand below, with a way to their trace.
 */
import type { OpenSpanRow } from '@spanloom/query-api'
import { useDeferredValue, useEffect, useMemo, useState } from 'react'
import { useQuery } from '../../api/use-query.ts'
import { Icon } from '../../components/icons.tsx'
import { Empty, Failure, SkeletonRows } from '../../components/states.tsx'
import { formatCount, plural } from '../../model/format.ts'
import { openRows } from '../../model/open-rows.ts'
import type { TimeWindow } from '../../model/time-window.ts'
import type { RouteOf } from '../../model/url.ts'
import { learnServices } from '../../state/preferences.ts'
import { OpenSpansTable } from './open-spans-table.tsx'

/** Rows until one asks for all: each of them counts on by the second. */
const ROWS_SHOWN = 200

export function OpenSpansView({ route }: { readonly route: RouteOf<'open-spans'> }) {
  const { data, error } = useQuery({ route: 'openSpans', key: '', params: () => ({}) })
  const [filter, setFilter] = useState('')
  const wanted = useDeferredValue(filter)
  const spans = data?.spans
  useEffect(() => learnServices(spans?.map(({ service }) => service) ?? []), [spans])
  const all = useMemo(() => openRows(spans ?? []), [spans])
  const found = useMemo(() => openRows(spans ?? [], wanted), [spans, wanted])

  if (spans === undefined && error !== undefined) {
    return <Failure title="It is not known what is running" error={error} />
  }
  const canFilter = spans !== undefined && spans.length > 0
  return (
    <>
      <div className="view-head">
        <h1>Still running</h1>
        <p className="summary">{summaryOf(spans, all.running.length, all.ended.length)}</p>
        <label className="field has-icon">
          <Icon name="filter" />
          <input
            type="search"
            placeholder="Filter"
            aria-label="Filter by service, operation or instance"
            value={filter}
            disabled={!canFilter}
            onChange={(event) => setFilter(event.target.value)}
          />
        </label>
      </div>
      {spans === undefined ? (
        <SkeletonRows rows={6} height={45} />
      ) : found.running.length + found.ended.length > 0 ? (
        <Rows {...found} window={route.window} />
      ) : canFilter ? (
        <NoMatch onClear={() => setFilter('')} />
      ) : (
        <NothingRuns />
      )}
    </>
  )
}

interface RowsProps {
  readonly running: readonly OpenSpanRow[]
  readonly ended: readonly OpenSpanRow[]
  readonly window: TimeWindow
}

function Rows({ running, ended, window }: RowsProps) {
  const [isWhole, setWhole] = useState(false)
  const rows = useMemo(() => [...running, ...ended], [running, ended])
  const shown = isWhole ? rows : rows.slice(0, ROWS_SHOWN)
  return (
    <>
      <OpenSpansTable spans={shown} window={window} />
      <p className="hint open-spans-note">
        A span is reported once, ten seconds after its start, and shows here for ten minutes. That
        it has ended is known when its trace is stored: one that is not kept goes on counting.
      </p>
      {shown.length < rows.length && (
        <div className="more">
          <button type="button" className="button" onClick={() => setWhole(true)}>
            Show all {formatCount(rows.length)}
          </button>
        </div>
      )}
    </>
  )
}

function NoMatch({ onClear }: { readonly onClear: () => void }) {
  return (
    <Empty title="Nothing that runs matches" icon="filter">
      <button type="button" className="button" onClick={onClear}>
        Show all
      </button>
    </Empty>
  )
}

function NothingRuns() {
  return (
    <Empty title="Nothing has been running for long" icon="clock">
      <p>
        A span shows here when it has run for ten seconds and has not ended: a request that hangs, a
        query that waits for a lock, a loop that lets nothing else run.
      </p>
      <p className="hint">
        Spanloom&rsquo;s tracer reports such spans from a thread of its own, also while the event
        loop is blocked. Of others a span is known when it has ended.
      </p>
    </Empty>
  )
}

function summaryOf(
  spans: readonly OpenSpanRow[] | undefined,
  running: number,
  ended: number
): string {
  if (spans === undefined || spans.length === 0) return ''
  const now = running === 0 ? 'Nothing running' : `${plural(running, 'span')} running`
  return ended === 0 ? now : `${now} · ${formatCount(ended)} ended since`
}
