/** The bounded questions behind the API: a function a route, each with a deadline. */
import type { RouteAnswers, RouteName, RouteParams } from '@spanloom/query-api'
import { CollectorError } from '../errors.ts'
import type { OpenSpan } from '../model/open-span.ts'
import type { MetricStore } from '../store/metric-store.ts'
import type { SpanStore } from '../store/span-store.ts'
import { askGraph, askOperations, askServices } from './metrics.ts'
import { askOpenSpans } from './open-spans.ts'
import { askTrace, askTraces } from './traces.ts'

/** Longer than the store's own limit for one SELECT (10 s): a list of traces takes several. */
export const QUERY_SECONDS_MAX = 15

/** The routes that ask the store's tables. */
export type QueryRoute = Exclude<RouteName, 'status'>

export type Queries = {
  readonly [Name in QueryRoute]: (
    params: RouteParams<Name>,
    signal: AbortSignal
  ) => Promise<RouteAnswers[Name]>
}

export interface QueriesOptions {
  readonly spanStore: Pick<SpanStore, 'findTraces' | 'getTrace' | 'findLongSpans'>
  readonly metricStore: MetricStore
  readonly openSpans: { list(): readonly OpenSpan[] }
  readonly nowUnixMs: () => number
}

export function createQueries(options: QueriesOptions): Queries {
  const { spanStore, metricStore, openSpans, nowUnixMs } = options
  const spans = spanStore as SpanStore
  return {
    services: (params, signal) =>
      withDeadline(signal, (limited) => askServices(metricStore, params, nowUnixMs(), limited)),
    operations: (params, signal) =>
      withDeadline(signal, (limited) => askOperations(metricStore, params, nowUnixMs(), limited)),
    graph: (params, signal) =>
      withDeadline(signal, (limited) => askGraph(metricStore, params, nowUnixMs(), limited)),
    traces: (params, signal) =>
      withDeadline(signal, (limited) => askTraces(spans, params, nowUnixMs, limited)),
    trace: (params, signal) => withDeadline(signal, (limited) => askTrace(spans, params, limited)),
    openSpans: (_params, signal) =>
      withDeadline(signal, (limited) => askOpenSpans(spans, openSpans.list(), limited))
  }
}

async function withDeadline<T>(
  signal: AbortSignal,
  ask: (limited: AbortSignal) => Promise<T>
): Promise<T> {
  const deadline = AbortSignal.timeout(QUERY_SECONDS_MAX * 1000)
  try {
    return await ask(AbortSignal.any([signal, deadline]))
  } catch (error) {
    if (error !== deadline.reason || !deadline.aborted) throw error
    throw new CollectorError('QUERY_TIMEOUT', [QUERY_SECONDS_MAX], error)
  }
}
