/** The shell: header, banner, and the view that the address names. */
import { Component, lazy, type ReactNode, Suspense, useEffect } from 'react'
import { Banner } from './components/banner.tsx'
import { Header } from './components/header.tsx'
import { Link } from './components/link.tsx'
import { Empty, Failure, SkeletonRows } from './components/states.tsx'
import { DEFAULT_WINDOW } from './model/time-window.ts'
import { encodeRoute, type Route } from './model/url.ts'
import { useRoute } from './state/router.ts'
import { OpenSpansView } from './views/open-spans/open-spans-view.tsx'
import { ServicesView } from './views/services/services-view.tsx'
import { TracesView } from './views/traces/traces-view.tsx'

// The chart and layout libraries come with the first page that draws with them.
const loadMap = () => import('./views/map/map-view.tsx')
const loadService = () => import('./views/service/service-view.tsx')
const loadTrace = () => import('./views/trace/trace-view.tsx')
const MapView = lazy(() => loadMap().then((module) => ({ default: module.MapView })))
const ServiceView = lazy(() => loadService().then((module) => ({ default: module.ServiceView })))
const TraceView = lazy(() => loadTrace().then((module) => ({ default: module.TraceView })))

const PREFETCH_MS = 1_200

export function App() {
  const route = useRoute()
  useEffect(() => {
    const timer = window.setTimeout(() => {
      for (const load of [loadTrace, loadMap, loadService]) load().catch(() => undefined)
    }, PREFETCH_MS)
    return () => window.clearTimeout(timer)
  }, [])
  useEffect(() => {
    document.title = `${titleOf(route)} · Spanloom`
  }, [route])
  return (
    <>
      <a className="skip-link" href="#content">
        Skip to content
      </a>
      <Header route={route} />
      <Banner />
      <main id="content" className={`view view-${route.view}`} tabIndex={-1}>
        <Boundary key={route.view + (route.view === 'trace' ? route.traceId : '')}>
          <Suspense fallback={<SkeletonRows rows={8} height={44} />}>
            <View route={route} />
          </Suspense>
        </Boundary>
      </main>
    </>
  )
}

function View({ route }: { readonly route: Route }) {
  switch (route.view) {
    case 'services':
      return <ServicesView route={route} />
    case 'service':
      return <ServiceView key={route.service} route={route} />
    case 'map':
      return <MapView route={route} />
    case 'open-spans':
      return <OpenSpansView route={route} />
    case 'traces':
      return <TracesView route={route} />
    case 'trace':
      return <TraceView key={route.traceId} route={route} />
    case 'unknown':
      return (
        <Empty title="There is no such page">
          <p>
            <code>{route.path}</code> is not an address of Spanloom.
          </p>
          <Link className="button" to={{ view: 'services', window: DEFAULT_WINDOW }}>
            Go to the services
          </Link>
        </Empty>
      )
  }
}

function titleOf(route: Route): string {
  switch (route.view) {
    case 'services':
      return 'Services'
    case 'service':
      return route.service
    case 'map':
      return 'Map'
    case 'open-spans':
      return 'Still running'
    case 'traces':
      return 'Traces'
    case 'trace':
      return `Trace ${route.traceId.slice(0, 8)}`
    case 'unknown':
      return encodeRoute(route)
  }
}

interface BoundaryState {
  readonly error?: unknown
}

/** A view that throws takes itself down, not the page: the header still leads elsewhere. */
class Boundary extends Component<{ readonly children: ReactNode }, BoundaryState> {
  override state: BoundaryState = {}

  static getDerivedStateFromError(error: unknown): BoundaryState {
    return { error }
  }

  override render(): ReactNode {
    if (this.state.error === undefined) return this.props.children
    return <Failure title="This page could not be drawn" error={this.state.error} />
  }
}
