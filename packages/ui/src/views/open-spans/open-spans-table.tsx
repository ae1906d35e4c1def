/** A row a span: for how long it has been running, where, and what else is known of its trace. */
import type { OpenSpanRow } from '@spanloom/query-api'
import { memo } from 'react'
import { CopyButton } from '../../components/copy-button.tsx'
import { Icon } from '../../components/icons.tsx'
import { followInPlace, Link } from '../../components/link.tsx'
import { ServiceTag } from '../../components/service-tag.tsx'
import { formatDateTime, formatDurationMs, formatMoment, NOTHING } from '../../model/format.ts'
import { runningForMs } from '../../model/open-rows.ts'
import type { TimeWindow } from '../../model/time-window.ts'
import type { RouteOf } from '../../model/url.ts'
import { useNow } from '../../state/now.ts'

/** The last moment that a Date can hold: what is beyond is no time. */
const UNIX_MS_MAX = 8.64e15

interface TableProps {
  readonly spans: readonly OpenSpanRow[]
  readonly window: TimeWindow
}

export function OpenSpansTable({ spans, window }: TableProps) {
  return (
    <div className="table-frame">
      <table className="table open-spans-table">
        <thead>
          <tr>
            <th className="is-text">Service</th>
            <th className="is-text">Span</th>
            <th className="is-number">Running for</th>
            <th className="is-text">Started</th>
            <th className="is-text" title="Of its process, when the span was reported">
              Event loop
            </th>
            <th className="is-text">Instance</th>
            <th className="is-text">Trace</th>
          </tr>
        </thead>
        <tbody>
          {spans.map((span) => (
            <Row key={`${span.traceId} ${span.spanId}`} span={span} window={window} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

interface RowProps {
  readonly span: OpenSpanRow
  readonly window: TimeWindow
}

const Row = memo(function Row({ span, window }: RowProps) {
  const hasEnded = span.stored === 'span'
  const to = traceOf(span, window)
  const state = [to === undefined ? '' : 'is-link', hasEnded ? 'has-ended' : '']
  return (
    <tr
      className={state.filter(Boolean).join(' ') || undefined}
      data-open-span={span.spanId}
      onClick={to === undefined ? undefined : (event) => followInPlace(event, to)}
    >
      <td className="is-text">
        <ServiceTag service={span.service} />
      </td>
      <th scope="row" className="is-text">
        <span className="open-span-name">
          <span className="clip mono" title={span.name}>
            {span.name === '' ? '(no name)' : span.name}
          </span>
          <span className="kind">{span.kind}</span>
        </span>
      </th>
      <td className="is-number">
        {hasEnded ? <span className="ended">ended</span> : <RunningFor span={span} />}
      </td>
      <td className="is-text is-time">
        <Started unixMs={span.startUnixMs} />
      </td>
      <td className="is-text">
        <EventLoop blockedMs={span.eventLoopBlockedMs} />
      </td>
      <td className="is-text">
        <span className="clip mono instance" title={span.instance}>
          {span.instance === '' ? NOTHING : span.instance}
        </span>
      </td>
      <td className="is-text">
        <TraceCell span={span} to={to} />
      </td>
    </tr>
  )
})

/** The only cell that changes by itself, so that a tick draws nothing else. */
function RunningFor({ span }: { readonly span: OpenSpanRow }) {
  const now = useNow()
  return (
    <b className="running-for" data-running-for>
      {formatDurationMs(runningForMs(span, now))}
    </b>
  )
}

function Started({ unixMs }: { readonly unixMs: number }) {
  if (unixMs <= 0 || unixMs > UNIX_MS_MAX) return NOTHING
  return <span title={formatDateTime(unixMs)}>{formatMoment(unixMs, Date.now())}</span>
}

function EventLoop({ blockedMs }: { readonly blockedMs: number }) {
  if (blockedMs <= 0) return <span className="hint">{NOTHING}</span>
  const forSo = formatDurationMs(blockedMs)
  return (
    <span
      className="loop-blocked"
      title={`When the span was reported, nothing else had run in its process for ${forSo}: this span blocks the event loop, or waits behind what does.`}
    >
      <Icon name="error" size={12} />
      blocked {forSo}
    </span>
  )
}

interface TraceCellProps {
  readonly span: OpenSpanRow
  readonly to: RouteOf<'trace'> | undefined
}

function TraceCell({ span, to }: TraceCellProps) {
  const short = span.traceId.slice(0, 8)
  if (to !== undefined) {
    return (
      <Link className="trace-link" to={to} title={`Trace ${span.traceId}`}>
        <code>{short}</code>
        <Icon name="arrowRight" size={12} />
      </Link>
    )
  }
  const why =
    span.stored === undefined
      ? 'The store did not say whether it has the trace'
      : 'Nothing of this trace is stored yet: spans are sent when they end'
  return (
    <span className="trace-unstored" title={why}>
      <code>{short}</code>
      <CopyButton text={span.traceId} label="Copy the trace id" />
    </span>
  )
}

function traceOf(span: OpenSpanRow, window: TimeWindow): RouteOf<'trace'> | undefined {
  const { traceId, spanId, stored } = span
  if (stored === 'trace') return { view: 'trace', traceId, window }
  return stored === 'span' ? { view: 'trace', traceId, spanId, window } : undefined
}
