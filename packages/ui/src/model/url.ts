/**
 * The URL is the state: every view can be sent to a colleague, and the back button works. A route
 * is decoded from path and query and encoded back; what is the default is left out, what is not
 * understood falls back to the default. Text is carried as given (`encodeURIComponent`), because
 * names of services and attributes may hold anything.
 */
import { DEFAULT_WINDOW, RELATIVE_WINDOWS, sameWindow, type TimeWindow } from './time-window.ts'

export interface TraceSearch {
  readonly service?: string
  readonly operation?: string
  readonly minDurationMs?: number
  readonly maxDurationMs?: number
  readonly status?: 'error' | 'ok'
  readonly attributes: readonly string[]
}

export const EMPTY_SEARCH: TraceSearch = { attributes: [] }

interface Windowed {
  readonly window: TimeWindow
}
export type Route = Windowed &
  (
    | { readonly view: 'services'; readonly sort?: string }
    | { readonly view: 'service'; readonly service: string; readonly sort?: string }
    | { readonly view: 'map'; readonly select?: string }
    | { readonly view: 'open-spans' }
    | { readonly view: 'traces'; readonly search: TraceSearch }
    | {
        readonly view: 'trace'
        readonly traceId: string
        readonly spanId?: string
        readonly find?: string
      }
    | { readonly view: 'unknown'; readonly path: string }
  )
export type RouteOf<View extends Route['view']> = Extract<Route, { readonly view: View }>

export function decodeRoute(pathname: string, queryString: string): Route {
  const query = new URLSearchParams(queryString)
  const window = decodeWindow(query)
  const [first = '', second] = pathname.split('/').slice(1).map(decodeSegment)
  if (first === '') return { view: 'services', window, ...text('sort', query.get('sort')) }
  if (first === 'services' && second !== undefined && second !== '') {
    return { view: 'service', service: second, window, ...text('sort', query.get('sort')) }
  }
  if (first === 'services') return { view: 'services', window, ...text('sort', query.get('sort')) }
  if (first === 'map') return { view: 'map', window, ...text('select', query.get('select')) }
  if (first === 'open-spans') return { view: 'open-spans', window }
  if (first === 'traces' && second !== undefined && second !== '') {
    return {
      view: 'trace',
      traceId: second.toLowerCase(),
      window,
      ...text('spanId', query.get('span')),
      ...text('find', query.get('find'))
    }
  }
  if (first === 'traces') return { view: 'traces', window, search: decodeSearch(query) }
  return { view: 'unknown', path: pathname, window }
}

export function encodeRoute(route: Route): string {
  const query = new URLSearchParams()
  const path = encodePath(route, query)
  encodeWindow(route.window, query)
  const search = query.toString()
  return search === '' ? path : `${path}?${search}`
}

function encodePath(route: Route, query: URLSearchParams): string {
  switch (route.view) {
    case 'services':
      if (route.sort !== undefined) query.set('sort', route.sort)
      return '/'
    case 'service':
      if (route.sort !== undefined) query.set('sort', route.sort)
      return `/services/${encodeURIComponent(route.service)}`
    case 'map':
      if (route.select !== undefined) query.set('select', route.select)
      return '/map'
    case 'open-spans':
      return '/open-spans'
    case 'traces':
      encodeSearch(route.search, query)
      return '/traces'
    case 'trace':
      if (route.spanId !== undefined) query.set('span', route.spanId)
      if (route.find !== undefined) query.set('find', route.find)
      return `/traces/${encodeURIComponent(route.traceId)}`
    case 'unknown':
      return route.path
  }
}

function decodeWindow(query: URLSearchParams): TimeWindow {
  const from = positive(query.get('from'))
  const to = positive(query.get('to'))
  if (from !== undefined && to !== undefined && from < to) return { fromUnixMs: from, toUnixMs: to }
  const known = RELATIVE_WINDOWS.find((window) => window.name === query.get('last'))
  return known === undefined ? DEFAULT_WINDOW : { last: known.name }
}

function encodeWindow(window: TimeWindow, query: URLSearchParams): void {
  if (sameWindow(window, DEFAULT_WINDOW)) return
  if ('last' in window) query.set('last', window.last)
  else {
    query.set('from', String(Math.round(window.fromUnixMs)))
    query.set('to', String(Math.round(window.toUnixMs)))
  }
}

function decodeSearch(query: URLSearchParams): TraceSearch {
  const status = query.get('status')
  const min = positive(query.get('min'))
  const max = positive(query.get('max'))
  return {
    ...text('service', query.get('service')),
    ...text('operation', query.get('operation')),
    ...(min === undefined ? {} : { minDurationMs: min }),
    ...(max === undefined ? {} : { maxDurationMs: max }),
    ...(status === 'error' || status === 'ok' ? { status } : {}),
    attributes: query.getAll('attribute').filter((pair) => pair.indexOf('=') > 0)
  }
}

function encodeSearch(search: TraceSearch, query: URLSearchParams): void {
  if (search.service !== undefined) query.set('service', search.service)
  if (search.operation !== undefined) query.set('operation', search.operation)
  if (search.minDurationMs !== undefined) query.set('min', String(search.minDurationMs))
  if (search.maxDurationMs !== undefined) query.set('max', String(search.maxDurationMs))
  if (search.status !== undefined) query.set('status', search.status)
  for (const pair of search.attributes) query.append('attribute', pair)
}

function text<Name extends string>(name: Name, value: string | null) {
  return (value === null || value === '' ? {} : { [name]: value }) as {
    readonly [N in Name]?: string
  }
}

function positive(value: string | null): number | undefined {
  if (value === null || value.trim() === '') return undefined
  const number = Number(value)
  return Number.isFinite(number) && number >= 0 ? number : undefined
}

/** A path that is no valid escape sequence is taken as written, not thrown at the reader. */
function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
