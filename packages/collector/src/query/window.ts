/**
 * Time windows of questions about metrics. A window is widened to whole rollup steps, so that
 * "from 0 to now" has everything that was counted, and cut into at most 60 sparkline points.
 */
import { CollectorError } from '../errors.ts'
import { ROLLUP_STEP_MS } from '../store/batch-encoder.ts'
import type { Window } from '../store/metric-store.ts'

export const WINDOW_DEFAULT_MS = 15 * 60_000
/** Enough for a table's sparkline, and below `LIMITS.sparklinePoints`. */
const POINTS_MAX = 60

export interface MetricWindow extends Window {
  readonly pointMs: number
  /** The part of the window that has happened; ends now at the latest. */
  readonly happenedToUnixMs: number
}

export interface WindowParams {
  readonly from?: number | undefined
  readonly to?: number | undefined
}

/** @throws CollectorError QUERY_BAD_WINDOW */
export function exactWindow({ from, to }: WindowParams, nowUnixMs: number): Window {
  const toUnixMs = to ?? stepAfter(nowUnixMs)
  const fromUnixMs = from ?? Math.max(0, (to ?? nowUnixMs) - WINDOW_DEFAULT_MS)
  if (fromUnixMs > toUnixMs) throw new CollectorError('QUERY_BAD_WINDOW', [])
  return { fromUnixMs, toUnixMs }
}

/** @throws CollectorError QUERY_BAD_WINDOW */
export function metricWindow(params: WindowParams, nowUnixMs: number): MetricWindow {
  const exact = exactWindow({ from: params.from, to: params.to ?? nowUnixMs }, nowUnixMs)
  const fromUnixMs = stepOf(exact.fromUnixMs)
  const toUnixMs = stepAfter(exact.toUnixMs)
  const stepsInPoint = Math.ceil((toUnixMs - fromUnixMs) / ROLLUP_STEP_MS / POINTS_MAX)
  return {
    fromUnixMs,
    toUnixMs,
    pointMs: stepsInPoint * ROLLUP_STEP_MS,
    happenedToUnixMs: Math.min(exact.toUnixMs, nowUnixMs)
  }
}

/**
 * Over the window from when the first call was seen, and over one step at least: a service that
 * started a second ago has no rate of thousands.
 */
export function callsPerSecond(calls: number, firstUnixMs: number, window: MetricWindow): number {
  const from = Math.max(window.fromUnixMs, firstUnixMs)
  return calls / (Math.max(window.happenedToUnixMs - from, ROLLUP_STEP_MS) / 1000)
}

function stepOf(unixMs: number): number {
  return Math.floor(unixMs / ROLLUP_STEP_MS) * ROLLUP_STEP_MS
}

/** End of the step that the time is in: always after it. */
function stepAfter(unixMs: number): number {
  return stepOf(unixMs) + ROLLUP_STEP_MS
}
