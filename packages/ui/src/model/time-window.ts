/** The span of time that a page is about: the last so many minutes, or two fixed moments. */
export const RELATIVE_WINDOWS = [
  { name: '5m', ms: 5 * 60_000, says: 'Last 5 minutes' },
  { name: '15m', ms: 15 * 60_000, says: 'Last 15 minutes' },
  { name: '1h', ms: 3_600_000, says: 'Last hour' },
  { name: '6h', ms: 6 * 3_600_000, says: 'Last 6 hours' },
  { name: '24h', ms: 24 * 3_600_000, says: 'Last 24 hours' }
] as const

export type RelativeName = (typeof RELATIVE_WINDOWS)[number]['name']

export type TimeWindow =
  | { readonly last: RelativeName }
  | { readonly fromUnixMs: number; readonly toUnixMs: number }

export const DEFAULT_WINDOW: TimeWindow = { last: '15m' }

/**
 * What to ask for. A window that ends now leaves `to` out, so that the collector's clock decides
 * when now is and a reader's slow clock hides nothing.
 */
export function windowParams(
  window: TimeWindow,
  nowUnixMs: number
): { readonly from: number; readonly to?: number } {
  if ('last' in window) return { from: nowUnixMs - windowMs(window) }
  return { from: window.fromUnixMs, to: window.toUnixMs }
}

export function windowMs(window: TimeWindow): number {
  if (!('last' in window)) return window.toUnixMs - window.fromUnixMs
  return RELATIVE_WINDOWS.find((known) => known.name === window.last)?.ms ?? 15 * 60_000
}

export function sameWindow(a: TimeWindow, b: TimeWindow): boolean {
  if ('last' in a) return 'last' in b && a.last === b.last
  return !('last' in b) && a.fromUnixMs === b.fromUnixMs && a.toUnixMs === b.toUnixMs
}

/** What tells two windows apart in the key of a question. */
export function windowKey(window: TimeWindow): string {
  return 'last' in window ? window.last : `${window.fromUnixMs}-${window.toUnixMs}`
}
