/** The first minute: one line to copy, and a page that turns live by itself. */
import { useQuery } from '../../api/use-query.ts'
import { CopyButton } from '../../components/copy-button.tsx'
import { Logo } from '../../components/logo.tsx'
import { RELATIVE_WINDOWS, type TimeWindow } from '../../model/time-window.ts'
import { liveStore } from '../../state/preferences.ts'
import { setTimeWindow } from '../../state/router.ts'
import { useStore } from '../../state/store.ts'

/** Where the collector receives spans when nothing else was configured. */
const OTLP_PORT = 4318

export function FirstTrace({ window: timeWindow }: { readonly window: TimeWindow }) {
  const isLive = useStore(liveStore)
  const status = useQuery({ route: 'status', key: '', params: () => ({}) })
  const hasSpans = (status.data?.spans.accepted ?? 0) > 0
  if (hasSpans) return <NothingInWindow window={timeWindow} />
  const endpoint = `http://${window.location.hostname}:${OTLP_PORT}`
  const node = `OTEL_SERVICE_NAME=my-app OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint} node --import @spanloom/tracer/register app.js`
  return (
    <section className="first-trace">
      <Logo />
      <h1>Waiting for the first span</h1>
      <p>
        Install the tracer with <code>npm install @spanloom/tracer</code>, then start your app with
        one line:
      </p>
      <Command text={node} label="Copy the command" />
      <p>Already traced with OpenTelemetry? Point its OTLP/HTTP exporter here:</p>
      <Command text={`OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint}`} label="Copy the setting" />
      <p className="waiting" role="status">
        <i aria-hidden="true" />
        {isLive ? 'Listening. This page turns live by itself.' : 'Paused: switch to live above.'}
      </p>
    </section>
  )
}

function Command({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    <div className="command">
      <code>{text}</code>
      <CopyButton text={text} label={label} />
    </div>
  )
}

function NothingInWindow({ window: timeWindow }: { readonly window: TimeWindow }) {
  const longest = RELATIVE_WINDOWS[RELATIVE_WINDOWS.length - 1]!
  const isLongest = 'last' in timeWindow && timeWindow.last === longest.name
  return (
    <section className="first-trace">
      <Logo />
      <h1>No calls in this window</h1>
      <p>
        The collector has spans, but none of a service that was called in the time chosen above.
      </p>
      {!isLongest && (
        <button
          type="button"
          className="button is-primary"
          onClick={() => setTimeWindow({ last: longest.name })}
        >
          Look at the {longest.says.toLowerCase()}
        </button>
      )}
    </section>
  )
}
