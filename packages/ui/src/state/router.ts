/** The route that the address bar shows, and the ways to change it. */
import { useSyncExternalStore } from 'react'
import type { TimeWindow } from '../model/time-window.ts'
import { decodeRoute, encodeRoute, type Route } from '../model/url.ts'

const listeners = new Set<() => void>()
let href = ''
let route: Route = decodeRoute('/', '')

/** The same object until the address changes. */
export function currentRoute(): Route {
  const now = window.location.pathname + window.location.search
  if (now !== href) {
    href = now
    route = decodeRoute(window.location.pathname, window.location.search)
  }
  return route
}

export function useRoute(): Route {
  return useSyncExternalStore(subscribe, currentRoute)
}

/** `replace` for what is not worth a step of the back button, such as a selection in a list. */
export function navigate(to: Route, how: 'push' | 'replace' = 'push'): void {
  const next = encodeRoute(to)
  if (next === window.location.pathname + window.location.search) return
  const wasView = currentRoute().view
  if (how === 'push') window.history.pushState(null, '', next)
  else window.history.replaceState(null, '', next)
  if (how === 'push' && to.view !== wasView) window.scrollTo(0, 0)
  notify()
}

export function setTimeWindow(timeWindow: TimeWindow): void {
  navigate({ ...currentRoute(), window: timeWindow })
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) window.addEventListener('popstate', notify)
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) window.removeEventListener('popstate', notify)
  }
}

function notify(): void {
  for (const listener of [...listeners]) listener()
}
