/** All services with rate, errors and latency: the page that one leaves open. */
import type { ServiceRow } from '@spanloom/query-api'
import { memo, useDeferredValue, useEffect, useMemo, useState } from 'react'
import { useQuery } from '../../api/use-query.ts'
import { Icon } from '../../components/icons.tsx'
import { followInPlace, Link } from '../../components/link.tsx'
import { ErrorCell, LatencyCell, RateCell } from '../../components/metrics.tsx'
import { ServiceTag } from '../../components/service-tag.tsx'
import { SortHeader } from '../../components/sort-header.tsx'
import { Empty, Failure, SkeletonRows } from '../../components/states.tsx'
import { Sparkline } from '../../draw/sparkline.tsx'
import { formatRate, formatShare, plural } from '../../model/format.ts'
import { decodeSort, sortRows } from '../../model/sort.ts'
import { type TimeWindow, windowKey, windowParams } from '../../model/time-window.ts'
import type { RouteOf } from '../../model/url.ts'
import { learnServices } from '../../state/preferences.ts'
import { navigate } from '../../state/router.ts'
import { FirstTrace } from './first-trace.tsx'
import { RunningHint } from './running-hint.tsx'

const COLUMNS = ['service', 'rate', 'errors', 'p50', 'p95', 'p99'] as const
type Column = (typeof COLUMNS)[number]
const BY_RATE = { column: 'rate', descending: true } as const

export function ServicesView({ route }: { readonly route: RouteOf<'services'> }) {
  const { window } = route
  const { data, error, isStale } = useQuery({
    route: 'services',
    key: windowKey(window),
    params: (now) => windowParams(window, now),
    live: 'last' in window
  })
  const [filter, setFilter] = useState('')
  const wanted = useDeferredValue(filter.trim().toLowerCase())
  const sort = decodeSort(route.sort, COLUMNS, BY_RATE)
  const services = data?.services
  useEffect(() => learnServices(services?.map((row) => row.service) ?? []), [services])
  const rows = useMemo(() => {
    const found = (services ?? []).filter((row) => row.service.toLowerCase().includes(wanted))
    return sortRows(found, { column: sort.column, descending: sort.descending }, sortValue, nameOf)
  }, [services, wanted, sort.column, sort.descending])
  const onSort = (encoded: string) => navigate({ ...route, sort: encoded }, 'replace')

  if (data === undefined) {
    return error === undefined ? (
      <ServicesFrame window={window} summary="">
        <SkeletonRows rows={9} height={45} />
      </ServicesFrame>
    ) : (
      <Failure title="The services are not known" error={error} />
    )
  }
  if (data.services.length === 0) return <FirstTrace window={window} />
  return (
    <ServicesFrame
      window={window}
      summary={summaryOf(data.services)}
      filter={filter}
      onFilter={setFilter}
    >
      <div className={`table-frame${isStale ? ' is-stale' : ''}`}>
        <table className="table services-table">
          <thead>
            <tr>
              <SortHeader column="service" label="Service" sort={sort} isText onSort={onSort} />
              <th scope="col" className="is-text">
                Calls
              </th>
              <SortHeader column="rate" label="Rate" unit="req/s" sort={sort} onSort={onSort} />
              <SortHeader column="errors" label="Errors" sort={sort} onSort={onSort} />
              <SortHeader column="p50" label="p50" sort={sort} onSort={onSort} />
              <SortHeader column="p95" label="p95" sort={sort} onSort={onSort} />
              <SortHeader column="p99" label="p99" sort={sort} onSort={onSort} />
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row key={row.service} row={row} window={window} {...longestOf(data.services)} />
            ))}
          </tbody>
        </table>
        {rows.length === 0 && (
          <Empty title="No service has that in its name" icon="filter">
            <button type="button" className="button" onClick={() => setFilter('')}>
              Show all
            </button>
          </Empty>
        )}
      </div>
    </ServicesFrame>
  )
}

interface FrameProps {
  readonly window: TimeWindow
  readonly summary: string
  readonly filter?: string
  readonly onFilter?: (filter: string) => void
  readonly children: React.ReactNode
}

function ServicesFrame({ window, summary, filter, onFilter, children }: FrameProps) {
  return (
    <>
      <div className="view-head">
        <h1>Services</h1>
        <p className="summary">{summary}</p>
        <RunningHint window={window} />
        <label className="field has-icon">
          <Icon name="filter" />
          <input
            type="search"
            placeholder="Filter by name"
            aria-label="Filter services by name"
            value={filter ?? ''}
            disabled={onFilter === undefined}
            onChange={(event) => onFilter?.(event.target.value)}
          />
        </label>
      </div>
      {children}
    </>
  )
}

interface RowProps {
  readonly row: ServiceRow
  readonly window: TimeWindow
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

const Row = memo(function Row({ row, window, p50, p95, p99 }: RowProps) {
  const to = { view: 'service', service: row.service, window } as const
  return (
    <tr
      className="is-link"
      data-service={row.service}
      onClick={(event) => followInPlace(event, to)}
    >
      <th scope="row" className="is-text">
        <Link to={to}>
          <ServiceTag service={row.service} />
        </Link>
      </th>
      <td className="is-text is-sparkline">
        <Sparkline points={row.sparkline} label={`Calls to ${row.service} over time`} />
      </td>
      <td className="is-number">
        <RateCell perSecond={row.callsPerSecond} calls={row.calls} />
      </td>
      <td className="is-number">
        <ErrorCell calls={row.calls} errors={row.errors} />
      </td>
      <td className="is-number">
        <LatencyCell ms={row.p50Ms} longestMs={p50} />
      </td>
      <td className="is-number">
        <LatencyCell ms={row.p95Ms} longestMs={p95} />
      </td>
      <td className="is-number">
        <LatencyCell ms={row.p99Ms} longestMs={p99} />
      </td>
    </tr>
  )
})

function sortValue(row: ServiceRow, column: Column): number | string | undefined {
  switch (column) {
    case 'service':
      return row.service
    case 'rate':
      return row.callsPerSecond
    case 'errors':
      return row.calls === 0 ? 0 : row.errors / row.calls
    case 'p50':
      return row.p50Ms
    case 'p95':
      return row.p95Ms
    case 'p99':
      return row.p99Ms
  }
}

function nameOf(row: ServiceRow): string {
  return row.service
}

/** One scale for all three columns, so that the bars of a row grow from p50 to p99. */
function longestOf(services: readonly ServiceRow[]) {
  const longest = services.reduce((most, row) => Math.max(most, row.p99Ms ?? 0), 0)
  return { p50: longest, p95: longest, p99: longest }
}

function summaryOf(services: readonly ServiceRow[]): string {
  const calls = services.reduce((sum, row) => sum + row.calls, 0)
  const errors = services.reduce((sum, row) => sum + row.errors, 0)
  const perSecond = services.reduce((sum, row) => sum + row.callsPerSecond, 0)
  return `${plural(services.length, 'service')} · ${formatRate(perSecond)} req/s · ${formatShare(errors, calls)} errors`
}
