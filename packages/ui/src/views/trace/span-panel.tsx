/** Everything that one span carries. All of it is text that somebody else wrote. */
import type { TraceSpan } from '@spanloom/query-api'
import { CopyButton } from '../../components/copy-button.tsx'
import { Icon } from '../../components/icons.tsx'
import { Link } from '../../components/link.tsx'
import { ServiceTag } from '../../components/service-tag.tsx'
import { formatDateTime, formatDurationNano, formatShare } from '../../model/format.ts'
import { readableAttributes } from '../../model/span-facts.ts'
import type { TimeWindow } from '../../model/time-window.ts'
import { FLAG_EARLY, FLAG_ORPHAN, type TraceModel } from '../../model/trace-model.ts'
import { Attributes } from './attributes.tsx'
import { Events } from './events.tsx'
import { Section } from './section.tsx'
import { SpanBadges, SpanNotes } from './span-badges.tsx'

interface SpanPanelProps {
  readonly model: TraceModel
  readonly index: number
  readonly resources: readonly Readonly<Record<string, string>>[]
  readonly window: TimeWindow
  readonly onClose: () => void
}

export function SpanPanel({ model, index, resources, window, onClose }: SpanPanelProps) {
  const span = model.spans[index]!
  const resource = resources[span.resource] ?? {}
  const attributes = readableAttributes(span.attributes)
  const search = { service: span.service, operation: span.name, attributes: [] }
  return (
    <aside className="panel span-panel" aria-label="Span details" data-panel-span={span.spanId}>
      <button
        type="button"
        className="icon-button panel-close"
        title="Close (Escape)"
        aria-label="Close"
        onClick={onClose}
      >
        <Icon name="close" />
      </button>
      <p className="panel-type">
        <ServiceTag service={span.service} />
        <span className={`kind is-${span.kind}`}>{span.kind}</span>
        <span className={`span-status is-${span.status}`}>{span.status}</span>
        <SpanBadges span={span} />
      </p>
      <h2 className="span-title">{span.name}</h2>
      {span.statusMessage !== undefined && span.statusMessage !== '' && (
        <p className={`status-message is-${span.status}`}>{span.statusMessage}</p>
      )}
      <SpanTimes model={model} index={index} />
      <SpanNotes span={span} />
      <div className="panel-links">
        <Link className="button" to={{ view: 'traces', window, search }}>
          Traces with this operation
        </Link>
        <Link className="button" to={{ view: 'service', service: span.service, window }}>
          Service
        </Link>
      </div>
      {span.events.length > 0 && <Events model={model} span={span} />}
      <Section title="Attributes" count={Object.keys(attributes).length}>
        <Attributes values={attributes} service={span.service} window={window} />
      </Section>
      {span.links.length > 0 && <Links span={span} window={window} />}
      <Section title="Resource" count={Object.keys(resource).length} isClosed>
        <Attributes values={resource} service={span.service} window={window} />
      </Section>
      <Section title="Ids">
        <Ids model={model} span={span} index={index} />
      </Section>
    </aside>
  )
}

function SpanTimes({ model, index }: { readonly model: TraceModel; readonly index: number }) {
  const duration = model.durationNs[index]!
  const self = model.selfNs[index]!
  const startUnixMs = Number(model.startUnixNano / 1000n) / 1000 + model.startNs[index]! / 1e6
  const flags = model.flags[index]!
  return (
    <>
      <dl className="span-times">
        <div>
          <dt>Duration</dt>
          <dd>{formatDurationNano(duration)}</dd>
          <small>{formatShare(duration, model.totalNs)} of the trace</small>
        </div>
        <div>
          <dt>Self time</dt>
          <dd>{formatDurationNano(self)}</dd>
          <small>{formatShare(self, duration)} of the span</small>
        </div>
        <div>
          <dt>Starts at</dt>
          <dd>{formatDurationNano(model.startNs[index]!)}</dd>
          <small title={formatDateTime(startUnixMs)}>{formatDateTime(startUnixMs).slice(11)}</small>
        </div>
      </dl>
      {(flags & FLAG_ORPHAN) !== 0 && (
        <p className="note">The parent that this span names is not in the trace.</p>
      )}
      {(flags & FLAG_EARLY) !== 0 && (
        <p className="note">
          It started before its parent: the clocks of two machines differ. The time is as reported.
        </p>
      )}
    </>
  )
}

function Links({ span, window }: { readonly span: TraceSpan; readonly window: TimeWindow }) {
  return (
    <Section title="Links" count={span.links.length}>
      <ul className="span-links">
        {span.links.map((link, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the same span may be linked twice
          <li key={at}>
            <Link to={{ view: 'trace', traceId: link.traceId, spanId: link.spanId, window }}>
              <Icon name="link" /> <code>{link.traceId}</code>
            </Link>
            <Attributes values={link.attributes} service={span.service} window={window} isPlain />
          </li>
        ))}
      </ul>
    </Section>
  )
}

function Ids({ model, span, index }: { model: TraceModel; span: TraceSpan; index: number }) {
  const ids: readonly (readonly [string, string])[] = [
    ['Trace', model.traceId],
    ['Span', span.spanId],
    ['Parent', span.parentSpanId ?? (model.parent[index] === -1 ? 'none: a root' : '')],
    ['Scope', span.scopeName === '' ? 'none' : span.scopeName]
  ]
  return (
    <dl className="attributes is-ids">
      {ids.map(([name, value]) => (
        <div key={name} className="attribute">
          <dt>{name}</dt>
          <dd>
            <code>{value}</code>
            <span className="attribute-tools">
              <CopyButton text={value} label={`Copy: ${name}`} />
            </span>
          </dd>
        </div>
      ))}
    </dl>
  )
}
