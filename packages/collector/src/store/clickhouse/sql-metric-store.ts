/**
 * The metric store on any engine that speaks the SQL of `metric-queries.ts`. A series' totals are
 * the sums of its points, histogram included: one pass over the rows, and both always agree.
 */
import type { ConnectionType, NodeType } from '@spanloom/query-api'
import { addCounts, type BucketCounts, p95MsOf, quantilesOf } from '../../lib/log-histogram.ts'
import type {
  EdgeRollup,
  MetricStore,
  OperationRollup,
  RollupPoint,
  ServiceRollup,
  Window
} from '../metric-store.ts'
import {
  selectEdges,
  selectOperationPoints,
  selectOperations,
  selectServicePoints,
  selectServices
} from './metric-queries.ts'
import type { Row, SqlEngine } from './sql-engine.ts'

type Select = SqlEngine['select']

const NO_TRACE_ID = '0'.repeat(32)

export class SqlMetricStore implements MetricStore {
  readonly #select: Select

  constructor(select: Select) {
    this.#select = select
  }

  async services(
    window: Window,
    pointMs: number,
    signal: AbortSignal
  ): Promise<readonly ServiceRollup[]> {
    const [points, firsts] = await Promise.all([
      this.#select(selectServicePoints(window, pointMs), signal),
      this.#select(selectServices(window), signal)
    ])
    const firstOf = new Map(firsts.map((row) => [row[0], row[1] as number]))
    return groupBy(points, 1).map(({ key: [service], rows }) => ({
      service: service as string,
      ...rollupOf(rows, window, firstOf.get(service))
    }))
  }

  async operations(
    service: string,
    window: Window,
    pointMs: number,
    signal: AbortSignal
  ): Promise<readonly OperationRollup[]> {
    const [points, firsts] = await Promise.all([
      this.#select(selectOperationPoints(service, window, pointMs), signal),
      this.#select(selectOperations(service, window), signal)
    ])
    const keyOf = (row: Row) => JSON.stringify([row[0], row[1]])
    const firstOf = new Map(firsts.map((row) => [keyOf(row), row[2] as number]))
    return groupBy(points, 2).map(({ key, rows }) => ({
      service,
      operation: key[0] as string,
      kind: key[1] as number,
      ...rollupOf(rows, window, firstOf.get(keyOf(key)))
    }))
  }

  async edges(window: Window, signal: AbortSignal): Promise<readonly EdgeRollup[]> {
    return (await this.#select(selectEdges(window), signal)).map(edgeOf)
  }
}

/** Rows come ordered by their first `width` columns, which name a series. */
function groupBy(rows: readonly Row[], width: number) {
  const groups: { readonly key: Row; readonly rows: Row[] }[] = []
  for (const row of rows) {
    const last = groups.at(-1)
    const same = last?.key.every((value, column) => value === row[column]) === true
    if (same) last.rows.push(row.slice(width))
    else groups.push({ key: row.slice(0, width), rows: [row.slice(width)] })
  }
  return groups
}

/** Rows: [point, calls, errors, histogram]. */
function rollupOf(rows: readonly Row[], window: Window, firstUnixMs: number | undefined) {
  const merged: Record<string, number> = {}
  const points: RollupPoint[] = []
  let calls = 0
  let errors = 0
  for (const [unixMs, pointCalls, pointErrors, histogram] of rows) {
    calls += pointCalls as number
    errors += pointErrors as number
    addCounts(merged, histogram as BucketCounts)
    points.push({
      unixMs: unixMs as number,
      calls: pointCalls as number,
      errors: pointErrors as number,
      p95Ms: p95MsOf(histogram as BucketCounts)
    })
  }
  // Between the two questions a first call may have been stored.
  const first = firstUnixMs ?? points[0]?.unixMs ?? window.fromUnixMs
  return { calls, errors, firstUnixMs: first, points, ...quantilesOf(merged) }
}

function edgeOf(row: Row): EdgeRollup {
  const durations = row[9] as BucketCounts
  const exampleTraceId = row[8] as string
  return {
    clientType: row[0] as NodeType,
    client: row[1] as string,
    serverType: row[2] as NodeType,
    server: row[3] as string,
    connectionType: row[4] as ConnectionType,
    calls: row[5] as number,
    errors: row[6] as number,
    firstUnixMs: row[7] as number,
    exampleTraceId: exampleTraceId === NO_TRACE_ID ? '' : exampleTraceId,
    durations,
    ...quantilesOf(durations)
  }
}
