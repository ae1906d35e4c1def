import type { SpanEvent, TraceSpan } from '@spanloom/query-api'
import { CopyButton } from '../../components/copy-button.tsx'
import { formatDurationNano } from '../../model/format.ts'
import { relativeNs, type TraceModel } from '../../model/trace-model.ts'
import { Section } from './section.tsx'

const TYPE = 'exception.type'
const MESSAGE = 'exception.message'
const STACK = 'exception.stacktrace'

/** Events in order of time; an exception as type, message and stack. */
export function Events({ model, span }: { readonly model: TraceModel; readonly span: TraceSpan }) {
  const events = [...span.events].sort(
    (a, b) => relativeNs(model, a.timeUnixNano) - relativeNs(model, b.timeUnixNano)
  )
  const startNs = relativeNs(model, span.startTimeUnixNano)
  return (
    <Section title="Events" count={events.length}>
      <ol className="events">
        {events.map((event, at) => (
          <Event
            // biome-ignore lint/suspicious/noArrayIndexKey: events have no identity but their place
            key={at}
            event={event}
            offsetNs={relativeNs(model, event.timeUnixNano) - startNs}
          />
        ))}
      </ol>
    </Section>
  )
}

function Event({ event, offsetNs }: { readonly event: SpanEvent; readonly offsetNs: number }) {
  const isException = event.name === 'exception'
  const stack = event.attributes[STACK]
  const rest = Object.entries(event.attributes).filter(
    ([name]) => !isException || (name !== TYPE && name !== MESSAGE && name !== STACK)
  )
  return (
    <li className={`event${isException ? ' is-bad' : ''}`}>
      <p className="event-head">
        <b>{isException ? (event.attributes[TYPE] ?? 'exception') : event.name}</b>
        <time title="After the start of the span">+{formatDurationNano(offsetNs)}</time>
      </p>
      {isException && event.attributes[MESSAGE] !== undefined && <p>{event.attributes[MESSAGE]}</p>}
      {isException && stack !== undefined && (
        <div className="stack">
          <CopyButton text={stack} label="Copy the stack" />
          <pre>{stack}</pre>
        </div>
      )}
      {rest.length > 0 && (
        <dl className="attributes">
          {rest.map(([name, value]) => (
            <div key={name} className="attribute">
              <dt>{name}</dt>
              <dd>
                <code className="value">{value}</code>
              </dd>
            </div>
          ))}
        </dl>
      )}
    </li>
  )
}
