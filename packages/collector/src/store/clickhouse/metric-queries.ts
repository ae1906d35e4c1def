/**
 * All SQL of the metric store. Rollup rows are summed at query time, so an answer is the same
 * before and after their merge.
 */
import type { Window } from '../metric-store.ts'
import { lit, uint64 } from './lit.ts'
import { DATABASE, ROLLUP_GROUP_MS } from './schema.ts'

/** OTLP's numbers of the kinds that enter a service. */
const SERVER = 2
const CONSUMER = 5
const ENTRIES = `kind IN (${SERVER}, ${CONSUMER})`

const SUMS = 'sum(calls) AS calls_sum, sum(errors)'
const HISTOGRAM = 'sumMap(durations)'

const NO_TRACE_ID = "toFixedString('', 16)"

/** Rows: [service, point, calls, errors, histogram], points ascending. */
export function selectServicePoints(window: Window, pointMs: number): string {
  return `SELECT service, ${point(window, pointMs)}, ${SUMS}, ${HISTOGRAM}
FROM ${DATABASE}.red_10s WHERE ${inWindow(window)} AND ${ENTRIES}
GROUP BY service, point HAVING calls_sum > 0 ORDER BY service, point`
}

/** Rows: [service, first step]. */
export function selectServices(window: Window): string {
  return `SELECT service, min(step_unix_ms) FROM ${DATABASE}.red_10s
WHERE ${inWindow(window)} AND ${ENTRIES} AND calls > 0 GROUP BY service`
}

/** Rows: [operation, kind, point, calls, errors, histogram], points ascending. */
export function selectOperationPoints(service: string, window: Window, pointMs: number): string {
  return `SELECT operation, kind, ${point(window, pointMs)}, ${SUMS}, ${HISTOGRAM}
FROM ${DATABASE}.red_10s WHERE ${inWindow(window)} AND service = ${lit(service)}
GROUP BY operation, kind, point HAVING calls_sum > 0 ORDER BY operation, kind, point`
}

/** Rows: [operation, kind, first step]. */
export function selectOperations(service: string, window: Window): string {
  return `SELECT operation, kind, min(step_unix_ms) FROM ${DATABASE}.red_10s
WHERE ${inWindow(window)} AND service = ${lit(service)} AND calls > 0 GROUP BY operation, kind`
}

/**
 * Rows: [client type, client, server type, server, connection type, calls, errors, first step,
 * example trace id, histogram].
 */
export function selectEdges(window: Window): string {
  return `SELECT client_type, client, server_type, server, connection_type,
  ${SUMS}, min(step_unix_ms), lower(hex(argMaxIf(example_trace_id, step_unix_ms, example_trace_id != ${NO_TRACE_ID}))), ${HISTOGRAM}
FROM ${DATABASE}.edges_10s WHERE ${inWindow(window)}
GROUP BY client_type, client, server_type, server, connection_type HAVING calls_sum > 0
ORDER BY client_type, client, server_type, server, connection_type`
}

/** Points are counted from the window's start. */
function point(window: Window, pointMs: number): string {
  const from = uint64(window.fromUnixMs)
  return `intDiv(step_unix_ms - ${from}, ${uint64(pointMs)}) * ${uint64(pointMs)} + ${from} AS point`
}

/** The first two conditions are what the sorting key answers. */
function inWindow({ fromUnixMs, toUnixMs }: Window): string {
  const group = `intDiv(step_unix_ms, ${ROLLUP_GROUP_MS})`
  return `${group} >= ${uint64(Math.floor(fromUnixMs / ROLLUP_GROUP_MS))}
  AND ${group} <= ${uint64(Math.floor(toUnixMs / ROLLUP_GROUP_MS))}
  AND step_unix_ms >= ${uint64(fromUnixMs)} AND step_unix_ms < ${uint64(toUnixMs)}`
}
