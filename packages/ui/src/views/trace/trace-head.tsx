/** What one wants to know of a trace before its spans: how long, how many, where the time went. */
import { useMemo } from 'react'
import { CopyButton } from '../../components/copy-button.tsx'
import { Icon } from '../../components/icons.tsx'
import { ServiceTag } from '../../components/service-tag.tsx'
import {
  formatCount,
  formatDateTime,
  formatDurationNano,
  formatShare,
  plural
} from '../../model/format.ts'
import type { TraceModel } from '../../model/trace-model.ts'
import { serviceShares } from '../../model/trace-rows.ts'
import { serviceColour } from '../../state/preferences.ts'
import { StillRunning } from './still-running.tsx'

interface TraceHeadProps {
  readonly model: TraceModel
  readonly onFindService: (service: string) => void
}

export function TraceHead({ model, onFindService }: TraceHeadProps) {
  const root = model.spans[model.rootIndex]
  const startUnixMs = Number(model.startUnixNano / 1_000_000n)
  return (
    <header className="trace-head">
      <div className="trace-title">
        <h1>
          {root !== undefined && <ServiceTag service={root.service} />}
          <span className="clip mono">{root?.name ?? 'Trace'}</span>
        </h1>
        <span className="trace-id">
          <code>{model.traceId}</code>
          <CopyButton text={model.traceId} label="Copy the trace id" />
        </span>
      </div>
      <dl className="trace-facts">
        <Fact name="Duration" value={formatDurationNano(model.totalNs)} isStrong />
        <Fact name="Spans" value={formatCount(model.spanCount)} />
        <Fact name="Services" value={formatCount(model.services.length)} />
        <Fact name="Errors" value={formatCount(model.errorCount)} isBad={model.errorCount > 0} />
        <Fact name="Depth" value={formatCount(model.depthMax + 1)} />
        <Fact name="Started" value={formatDateTime(startUnixMs)} />
      </dl>
      <Shares model={model} onFindService={onFindService} />
      <Notices model={model} />
    </header>
  )
}

function Fact(props: { name: string; value: string; isStrong?: boolean; isBad?: boolean }) {
  const state = `${props.isStrong === true ? ' is-strong' : ''}${props.isBad === true ? ' is-bad' : ''}`
  return (
    <div className={`fact${state}`}>
      <dt>{props.name}</dt>
      <dd>{props.value}</dd>
    </div>
  )
}

/** Where the time went: each service's own time, in which none of its children was running. */
function Shares({ model, onFindService }: TraceHeadProps) {
  const shares = useMemo(() => serviceShares(model), [model])
  const total = shares.reduce((sum, share) => sum + share.selfNs, 0)
  return (
    <div className="shares">
      <div className="shares-bar" aria-hidden="true">
        {shares.map((share) => (
          <i
            key={share.service}
            style={{
              background: serviceColour(share.service),
              flexGrow: share.selfNs / Math.max(1, total)
            }}
          />
        ))}
      </div>
      <ul>
        {shares.map((share) => (
          <li key={share.service}>
            <button
              type="button"
              title={`${formatDurationNano(share.selfNs)} own time in ${plural(share.spanCount, 'span')}. Click to find them.`}
              onClick={() => onFindService(share.service)}
            >
              <ServiceTag service={share.service} />
              <small>{formatShare(share.selfNs, total)}</small>
            </button>
          </li>
        ))}
      </ul>
    </div>
  )
}

function Notices({ model }: { readonly model: TraceModel }) {
  const notices: string[] = []
  if (model.truncated) {
    notices.push(`Only the first ${formatCount(model.spanCount)} spans are shown: there were more.`)
  }
  if (model.orphanCount > 0) {
    notices.push(
      `${plural(model.orphanCount, 'span')} without the parent named: it still runs, was lost, not sampled, or is not traced. Shown at the top level.`
    )
  }
  if (model.earlyCount > 0) {
    notices.push(
      `${plural(model.earlyCount, 'span')} started before the parent: the clocks of two machines differ. Times are shown as reported.`
    )
  }
  if (notices.length === 0) return null
  return (
    <ul className="notices" role="status">
      {model.orphanCount > 0 && <StillRunning traceId={model.traceId} />}
      {notices.map((notice) => (
        <li key={notice}>
          <Icon name="error" size={13} />
          {notice}
        </li>
      ))}
    </ul>
  )
}
