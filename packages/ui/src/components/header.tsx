/** Where one is, which time it is about, and whether all is well: the same on every page. */
import { askAllNow } from '../api/use-query.ts'
import { formatMoment } from '../model/format.ts'
import { DEFAULT_WINDOW, RELATIVE_WINDOWS, type TimeWindow } from '../model/time-window.ts'
import { EMPTY_SEARCH, type Route } from '../model/url.ts'
import { liveStore, setLive, setTheme, type Theme, themeStore } from '../state/preferences.ts'
import { setTimeWindow } from '../state/router.ts'
import { useStore } from '../state/store.ts'
import { CollectorStatus } from './collector-status.tsx'
import { Icon, type IconName } from './icons.tsx'
import { Link } from './link.tsx'
import { Logo } from './logo.tsx'

export function Header({ route }: { readonly route: Route }) {
  const { window, view } = route
  return (
    <header className="header">
      <Link className="brand" to={{ view: 'services', window }} title="Spanloom">
        <Logo />
        <b>Spanloom</b>
      </Link>
      <nav className="nav" aria-label="Pages">
        <Link to={{ view: 'services', window }} current={view === 'services' || view === 'service'}>
          Services
        </Link>
        <Link to={{ view: 'map', window }} current={view === 'map'}>
          Map
        </Link>
        <Link
          to={{ view: 'traces', window, search: EMPTY_SEARCH }}
          current={view === 'traces' || view === 'trace'}
        >
          Traces
        </Link>
        <Link
          to={{ view: 'open-spans', window }}
          current={view === 'open-spans'}
          title="Spans that were reported while they run"
        >
          Running
        </Link>
      </nav>
      <div className="header-tools">
        {isWindowed(view) && <WindowPicker window={window} />}
        <LiveToggle isFixed={isWindowed(view) && !('last' in window)} />
        <CollectorStatus />
        <ThemeToggle />
      </div>
    </header>
  )
}

/** A trace has a time of its own, and what runs, runs now. */
function isWindowed(view: Route['view']): boolean {
  return view !== 'trace' && view !== 'open-spans'
}

function WindowPicker({ window }: { readonly window: TimeWindow }) {
  return (
    <fieldset className="segmented" aria-label="Time window">
      {!('last' in window) && <FixedWindow window={window} />}
      {RELATIVE_WINDOWS.map((known) => (
        <button
          key={known.name}
          type="button"
          title={known.says}
          aria-label={known.says}
          aria-pressed={'last' in window && window.last === known.name}
          onClick={() => setTimeWindow({ last: known.name })}
        >
          {known.name}
        </button>
      ))}
    </fieldset>
  )
}

function FixedWindow(props: { readonly window: { fromUnixMs: number; toUnixMs: number } }) {
  const { fromUnixMs, toUnixMs } = props.window
  return (
    <button
      type="button"
      className="fixed-window"
      aria-pressed="true"
      title="A fixed window. Click to go back to the last 15 minutes."
      onClick={() => setTimeWindow(DEFAULT_WINDOW)}
    >
      {formatMoment(fromUnixMs, Date.now())} – {formatMoment(toUnixMs, Date.now())}
      <Icon name="close" size={12} />
    </button>
  )
}

function LiveToggle({ isFixed }: { readonly isFixed: boolean }) {
  const isLive = useStore(liveStore)
  return (
    <div className="live">
      <button
        type="button"
        className={`live-toggle${isLive && !isFixed ? ' is-on' : ''}`}
        aria-pressed={isLive}
        disabled={isFixed}
        title={
          isFixed
            ? 'A fixed window does not change'
            : isLive
              ? 'Refreshes every 2 seconds. Click to pause.'
              : 'Paused. Click to refresh every 2 seconds.'
        }
        onClick={() => setLive(!isLive)}
      >
        <i aria-hidden="true" />
        {isLive && !isFixed ? 'Live' : 'Paused'}
      </button>
      {!isLive && (
        <button
          type="button"
          className="icon-button"
          title="Refresh now"
          aria-label="Refresh now"
          onClick={askAllNow}
        >
          <Icon name="refresh" />
        </button>
      )}
    </div>
  )
}

const NEXT_THEME: Record<Theme, Theme> = { auto: 'light', light: 'dark', dark: 'auto' }
const THEME_ICON: Record<Theme, IconName> = { auto: 'auto', light: 'sun', dark: 'moon' }

function ThemeToggle() {
  const theme = useStore(themeStore)
  const says = `Theme: ${theme}. Click for ${NEXT_THEME[theme]}.`
  return (
    <button
      type="button"
      className="icon-button"
      title={says}
      aria-label={says}
      onClick={() => setTheme(NEXT_THEME[theme])}
    >
      <Icon name={THEME_ICON[theme]} size={16} />
    </button>
  )
}
