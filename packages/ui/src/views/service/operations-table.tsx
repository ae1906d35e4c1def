/** The operations of a service: what it serves, what it calls, what it does inside. */
import type { OperationRow, SpanKind } from '@spanloom/query-api'
import { memo, useMemo, useState } from 'react'
import { followInPlace, Link } from '../../components/link.tsx'
import { ErrorCell, LatencyCell, RateCell } from '../../components/metrics.tsx'
import { SortHeader } from '../../components/sort-header.tsx'
import { Sparkline } from '../../draw/sparkline.tsx'
import { formatCount } from '../../model/format.ts'
import { decodeSort, sortRows } from '../../model/sort.ts'
import type { RouteOf } from '../../model/url.ts'
import { navigate } from '../../state/router.ts'

const COLUMNS = ['operation', 'kind', 'rate', 'errors', 'p50', 'p95', 'p99'] as const
type Column = (typeof COLUMNS)[number]
const BY_RATE = { column: 'rate', descending: true } as const

const DIRECTIONS = {
  all: { label: 'All', kinds: undefined },
  in: { label: 'Serves', kinds: ['server', 'consumer'] },
  out: { label: 'Calls', kinds: ['client', 'producer'] },
  inside: { label: 'Inside', kinds: ['internal', 'unspecified'] }
} as const satisfies Record<string, { label: string; kinds: readonly SpanKind[] | undefined }>
type Direction = keyof typeof DIRECTIONS

interface OperationsTableProps {
  readonly route: RouteOf<'service'>
  readonly operations: readonly OperationRow[]
  readonly isStale: boolean
}

export function OperationsTable({ route, operations, isStale }: OperationsTableProps) {
  const [direction, setDirection] = useState<Direction>('all')
  const sort = decodeSort(route.sort, COLUMNS, BY_RATE)
  const rows = useMemo(() => {
    const kinds: readonly SpanKind[] | undefined = DIRECTIONS[direction].kinds
    const found = operations.filter((row) => kinds === undefined || kinds.includes(row.kind))
    return sortRows(found, { column: sort.column, descending: sort.descending }, sortValue, keyOf)
  }, [operations, direction, sort.column, sort.descending])
  const longestMs = operations.reduce((most, row) => Math.max(most, row.p99Ms ?? 0), 0)
  const shared = {
    sort,
    onSort: (encoded: string) => navigate({ ...route, sort: encoded }, 'replace')
  }
  return (
    <section className="operations">
      <div className="section-head">
        <h2>
          Operations <small>{formatCount(rows.length)}</small>
        </h2>
        <fieldset className="segmented" aria-label="Which operations">
          {(Object.keys(DIRECTIONS) as Direction[]).map((name) => (
            <button
              key={name}
              type="button"
              aria-pressed={name === direction}
              onClick={() => setDirection(name)}
            >
              {DIRECTIONS[name].label}
            </button>
          ))}
        </fieldset>
      </div>
      <div className={`table-frame${isStale ? ' is-stale' : ''}`}>
        <table className="table">
          <thead>
            <tr>
              <SortHeader column="operation" label="Operation" isText {...shared} />
              <SortHeader column="kind" label="Kind" isText {...shared} />
              <th scope="col" className="is-text">
                Calls
              </th>
              <SortHeader column="rate" label="Rate" unit="per s" {...shared} />
              <SortHeader column="errors" label="Errors" {...shared} />
              <SortHeader column="p50" label="p50" {...shared} />
              <SortHeader column="p95" label="p95" {...shared} />
              <SortHeader column="p99" label="p99" {...shared} />
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row key={keyOf(row)} row={row} route={route} longestMs={longestMs} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

interface RowProps {
  readonly row: OperationRow
  readonly route: RouteOf<'service'>
  readonly longestMs: number
}

const Row = memo(function Row({ row, route, longestMs }: RowProps) {
  const { service, window } = route
  const search = { service, operation: row.operation, attributes: [] }
  const to = { view: 'traces', window, search } as const
  return (
    <tr
      className="is-link"
      data-operation={row.operation}
      onClick={(event) => followInPlace(event, to)}
    >
      <th scope="row" className="is-text">
        <Link to={to} className="clip mono" title={`Traces with ${row.operation}`}>
          {row.operation}
        </Link>
      </th>
      <td className="is-text">
        <span className={`kind is-${row.kind}`}>{row.kind}</span>
      </td>
      <td className="is-text is-sparkline">
        <Sparkline points={row.sparkline} label={`Calls of ${row.operation} over time`} />
      </td>
      <td className="is-number">
        <RateCell perSecond={row.callsPerSecond} calls={row.calls} />
      </td>
      <td className="is-number">
        <ErrorCell calls={row.calls} errors={row.errors} />
      </td>
      <td className="is-number">
        <LatencyCell ms={row.p50Ms} longestMs={longestMs} />
      </td>
      <td className="is-number">
        <LatencyCell ms={row.p95Ms} longestMs={longestMs} />
      </td>
      <td className="is-number">
        <LatencyCell ms={row.p99Ms} longestMs={longestMs} />
      </td>
    </tr>
  )
})

function sortValue(row: OperationRow, column: Column): number | string | undefined {
  switch (column) {
    case 'operation':
      return row.operation
    case 'kind':
      return row.kind
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

function keyOf(row: OperationRow): string {
  return `${row.operation} ${row.kind}`
}
