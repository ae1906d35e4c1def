import type { TraceSummary } from '@spanloom/query-api'
import { type CSSProperties, memo } from 'react'
import { Icon } from '../../components/icons.tsx'
import { followInPlace, Link } from '../../components/link.tsx'
import { ServiceTag } from '../../components/service-tag.tsx'
import { formatCount, formatDateTime, formatDurationMs, formatMoment } from '../../model/format.ts'
import type { TimeWindow } from '../../model/time-window.ts'
import { serviceColour } from '../../state/preferences.ts'

/** More services than fit beside each other; the rest is a number. */
const SERVICES_SHOWN = 4

interface TraceTableProps {
  readonly traces: readonly TraceSummary[]
  readonly window: TimeWindow
}

export function TraceTable({ traces, window }: TraceTableProps) {
  const longestMs = traces.reduce((most, trace) => Math.max(most, trace.durationMs), 0)
  return (
    <div className="table-frame">
      <table className="table traces-table">
        <thead>
          <tr>
            <th className="is-text">Started</th>
            <th className="is-text">Root</th>
            <th className="is-text">Duration</th>
            <th className="is-number">Spans</th>
            <th className="is-number">Errors</th>
            <th className="is-text">Services</th>
          </tr>
        </thead>
        <tbody>
          {traces.map((trace) => (
            <Row key={trace.traceId} trace={trace} window={window} longestMs={longestMs} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

interface RowProps {
  readonly trace: TraceSummary
  readonly window: TimeWindow
  readonly longestMs: number
}

const Row = memo(function Row({ trace, window, longestMs }: RowProps) {
  const to = { view: 'trace', traceId: trace.traceId, window } as const
  const startUnixMs = Number(trace.startTimeUnixNano) / 1e6
  // Square root, because one slow trace would make all others the same short bar.
  const share = longestMs > 0 ? Math.sqrt(trace.durationMs / longestMs) : 0
  return (
    <tr
      className="is-link"
      data-trace-id={trace.traceId}
      onClick={(event) => followInPlace(event, to)}
    >
      <td className="is-text is-time" title={formatDateTime(startUnixMs)}>
        {formatMoment(startUnixMs, Date.now())}
      </td>
      <th scope="row" className="is-text">
        <Link to={to} className="trace-root">
          <ServiceTag service={trace.rootService} />
          <span className="clip mono">{trace.rootOperation}</span>
        </Link>
      </th>
      <td className="is-text">
        <span
          className="duration-bar"
          style={{ '--colour': serviceColour(trace.rootService) } as CSSProperties}
        >
          <b>{formatDurationMs(trace.durationMs)}</b>
          <i style={{ width: `${Math.max(1.5, share * 100)}%` }} aria-hidden="true" />
        </span>
      </td>
      <td className="is-number">{formatCount(trace.spanCount)}</td>
      <td className="is-number">
        {trace.errorCount > 0 ? (
          <span className="errors is-bad has-icon">
            <Icon name="error" size={12} />
            {formatCount(trace.errorCount)}
          </span>
        ) : (
          <span className="errors is-none">0</span>
        )}
      </td>
      <td className="is-text">
        <span className="service-list" title={trace.services.join(', ')}>
          {trace.services.slice(0, SERVICES_SHOWN).map((service) => (
            <ServiceTag key={service} service={service} />
          ))}
          {trace.services.length > SERVICES_SHOWN && (
            <small>+{trace.services.length - SERVICES_SHOWN}</small>
          )}
        </span>
      </td>
    </tr>
  )
})
