/** One service: rate, errors and duration over time, and its operations. */
import type { ServiceRow } from '@spanloom/query-api'
import { useMemo } from 'react'
import { useQuery } from '../../api/use-query.ts'
import { Icon } from '../../components/icons.tsx'
import { Link } from '../../components/link.tsx'
import { healthOf, Tiles } from '../../components/metrics.tsx'
import { ServiceTag } from '../../components/service-tag.tsx'
import { Empty, Failure, SkeletonRows } from '../../components/states.tsx'
import { type ChartSeries, TimeChart } from '../../draw/time-chart.tsx'
import { formatCount, formatDurationMs, formatRate, formatShare } from '../../model/format.ts'
import { type TimeWindow, windowKey, windowParams } from '../../model/time-window.ts'
import type { RouteOf } from '../../model/url.ts'
import { setTimeWindow } from '../../state/router.ts'
import { OperationsTable } from './operations-table.tsx'

type ServiceRoute = RouteOf<'service'>

export function ServiceView({ route }: { readonly route: ServiceRoute }) {
  const { service, window } = route
  const live = 'last' in window
  const params = (now: number) => windowParams(window, now)
  const services = useQuery({ route: 'services', key: windowKey(window), params, live })
  const operations = useQuery({
    route: 'operations',
    key: `${windowKey(window)} ${service}`,
    scope: service,
    params: (now) => ({ ...params(now), service }),
    live
  })
  const row = services.data?.services.find((known) => known.service === service)
  const isStale = services.isStale || operations.isStale
  return (
    <>
      <ServiceHead route={route} />
      {services.data === undefined && services.error !== undefined ? (
        <Failure title="The numbers are not known" error={services.error} />
      ) : (
        <div className={isStale ? 'is-stale' : undefined}>
          {row === undefined && services.data !== undefined ? (
            <p className="note">
              Nobody called {service} in this window: it has no server or consumer spans. What it
              called itself is below.
            </p>
          ) : (
            <RedCharts row={row} stepMs={services.data?.stepMs ?? 0} />
          )}
        </div>
      )}
      {operations.data === undefined ? (
        operations.error === undefined ? (
          <SkeletonRows rows={6} height={45} />
        ) : (
          <Failure title="The operations are not known" error={operations.error} />
        )
      ) : operations.data.operations.length === 0 ? (
        <Empty title="No spans in this window">
          <p>Choose a longer window, or look whether {service} still reports.</p>
        </Empty>
      ) : (
        <OperationsTable route={route} operations={operations.data.operations} isStale={isStale} />
      )}
    </>
  )
}

function ServiceHead({ route }: { readonly route: ServiceRoute }) {
  const { service, window } = route
  return (
    <div className="view-head">
      <nav className="crumbs" aria-label="Breadcrumb">
        <Link to={{ view: 'services', window }}>Services</Link>
        <Icon name="chevron" size={12} />
      </nav>
      <h1>
        <ServiceTag service={service} />
      </h1>
      <div className="actions">
        <Link className="button" to={{ view: 'map', window, select: `service:${service}` }}>
          On the map
        </Link>
        <Link
          className="button"
          to={{ view: 'traces', window, search: { service, attributes: [] } }}
        >
          Traces
        </Link>
        <Link
          className="button is-bad"
          to={{ view: 'traces', window, search: { service, status: 'error', attributes: [] } }}
        >
          Errors
        </Link>
      </div>
    </div>
  )
}

const CALLS: readonly ChartSeries[] = [
  { label: 'calls', token: '--chart-calls', kind: 'bars' },
  { label: 'errors', token: '--bad', kind: 'bars' }
]
const ERRORS: readonly ChartSeries[] = [{ label: 'errors', token: '--bad', kind: 'line' }]
const LATENCY: readonly ChartSeries[] = [{ label: 'p95', token: '--accent', kind: 'line' }]
const NO_POINTS: ServiceRow['sparkline'] = []

interface RedChartsProps {
  readonly row: ServiceRow | undefined
  readonly stepMs: number
}

function RedCharts({ row, stepMs }: RedChartsProps) {
  const points = row?.sparkline ?? NO_POINTS
  const [calls, errors, latency] = useMemo(() => {
    const times = points.map((point) => point.unixMs)
    const perSecond = (count: number) => (stepMs > 0 ? (count * 1000) / stepMs : 0)
    return [
      [times, points.map((p) => perSecond(p.calls)), points.map((p) => perSecond(p.errors))],
      [times, points.map((p) => (p.calls === 0 ? null : (p.errors / p.calls) * 100))],
      [times, points.map((p) => p.p95Ms ?? null)]
    ]
  }, [points, stepMs])
  const onChooseWindow = (fromUnixMs: number, toUnixMs: number) => {
    setTimeWindow({ fromUnixMs, toUnixMs } satisfies TimeWindow)
  }
  const shared = { group: 'service', stepMs, onChooseWindow }
  return (
    <>
      <Tiles tiles={tilesOf(row)} />
      <div className="charts">
        <TimeChart
          {...shared}
          title="Requests per second"
          series={CALLS}
          data={calls ?? []}
          formatValue={formatRate}
        />
        <TimeChart
          {...shared}
          title="Errors"
          series={ERRORS}
          data={errors ?? []}
          formatValue={(percent) => formatShare(percent, 100)}
        />
        <TimeChart
          {...shared}
          title="Duration"
          series={LATENCY}
          data={latency ?? []}
          formatValue={formatDurationMs}
        />
      </div>
    </>
  )
}

function tilesOf(row: ServiceRow | undefined) {
  return [
    { label: 'Rate', value: formatRate(row?.callsPerSecond), note: 'req/s' },
    {
      label: 'Errors',
      value: row === undefined ? '–' : formatShare(row.errors, row.calls),
      note: row === undefined ? '' : `${formatCount(row.errors)} of ${formatCount(row.calls)}`,
      health: row === undefined ? ('none' as const) : healthOf(row.errors, row.calls)
    },
    { label: 'p50', value: formatDurationMs(row?.p50Ms) },
    { label: 'p95', value: formatDurationMs(row?.p95Ms) },
    { label: 'p99', value: formatDurationMs(row?.p99Ms) }
  ]
}
