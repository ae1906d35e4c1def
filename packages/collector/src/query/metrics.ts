/** Services, operations and the service graph, from rollups. */
import type {
  GraphEdge,
  GraphNode,
  GraphResponse,
  LatencyMs,
  NodeType,
  OperationRow,
  OperationsResponse,
  RouteParams,
  ServiceRow,
  ServicesResponse,
  SpanKind,
  SparklinePoint
} from '@spanloom/query-api'
import { addCounts, quantilesOf } from '../lib/log-histogram.ts'
import type {
  EdgeRollup,
  MetricStore,
  OperationRollup,
  ServiceRollup
} from '../store/metric-store.ts'
import { callsPerSecond, type MetricWindow, metricWindow } from './window.ts'

const KINDS: readonly SpanKind[] = [
  'unspecified',
  'internal',
  'server',
  'client',
  'producer',
  'consumer'
]

export async function askServices(
  store: MetricStore,
  params: RouteParams<'services'>,
  nowUnixMs: number,
  signal: AbortSignal
): Promise<ServicesResponse> {
  const window = metricWindow(params, nowUnixMs)
  const rollups = await store.services(window, window.pointMs, signal)
  const services = rollups.map(
    (rollup): ServiceRow => ({ service: rollup.service, ...measuresOf(rollup, window) })
  )
  return { ...head(window), services }
}

export async function askOperations(
  store: MetricStore,
  params: RouteParams<'operations'>,
  nowUnixMs: number,
  signal: AbortSignal
): Promise<OperationsResponse> {
  const window = metricWindow(params, nowUnixMs)
  const rollups = await store.operations(params.service, window, window.pointMs, signal)
  const operations = rollups.map(
    (rollup: OperationRollup): OperationRow => ({
      operation: rollup.operation,
      kind: KINDS[rollup.kind] ?? 'unspecified',
      ...measuresOf(rollup, window)
    })
  )
  return { ...head(window), service: params.service, operations }
}

export async function askGraph(
  store: MetricStore,
  params: RouteParams<'graph'>,
  nowUnixMs: number,
  signal: AbortSignal
): Promise<GraphResponse> {
  const window = metricWindow(params, nowUnixMs)
  const rollups = await store.edges(window, signal)
  const { fromUnixMs, toUnixMs } = window
  return {
    fromUnixMs,
    toUnixMs,
    nodes: nodesOf(rollups, window),
    edges: rollups.map((rollup) => edgeOf(rollup, window))
  }
}

function head({ fromUnixMs, toUnixMs, pointMs }: MetricWindow) {
  return { fromUnixMs, toUnixMs, stepMs: pointMs }
}

function measuresOf(rollup: ServiceRollup, window: MetricWindow) {
  return {
    calls: rollup.calls,
    errors: rollup.errors,
    callsPerSecond: callsPerSecond(rollup.calls, rollup.firstUnixMs, window),
    ...latencyOf(rollup),
    sparkline: sparklineOf(rollup, window)
  }
}

function latencyOf({ p50Ms, p95Ms, p99Ms }: Required<LatencyMs>): LatencyMs {
  return { p50Ms, p95Ms, p99Ms }
}

/** Points without calls filled in. */
function sparklineOf(rollup: ServiceRollup, window: MetricWindow): readonly SparklinePoint[] {
  const { fromUnixMs, toUnixMs, pointMs } = window
  const pointOf = new Map(rollup.points.map((point) => [point.unixMs, point]))
  const sparkline: SparklinePoint[] = []
  for (let unixMs = fromUnixMs; unixMs < toUnixMs; unixMs += pointMs) {
    sparkline.push(pointOf.get(unixMs) ?? { unixMs, calls: 0, errors: 0 })
  }
  return sparkline
}

function nodeId(type: NodeType, name: string): string {
  return `${type}:${name}`
}

function edgeOf(rollup: EdgeRollup, window: MetricWindow): GraphEdge {
  const { exampleTraceId } = rollup
  return {
    source: nodeId(rollup.clientType, rollup.client),
    target: nodeId(rollup.serverType, rollup.server),
    connectionType: rollup.connectionType,
    calls: rollup.calls,
    errors: rollup.errors,
    callsPerSecond: callsPerSecond(rollup.calls, rollup.firstUnixMs, window),
    ...latencyOf(rollup),
    ...(exampleTraceId === '' ? {} : { exampleTraceId })
  }
}

interface NodeSum {
  readonly name: string
  readonly type: NodeType
  calls: number
  errors: number
  firstUnixMs: number
  readonly durations: Record<string, number>
}

/** A node is what came in over its edges; `user`, whom nobody calls, is what it sent. */
function nodesOf(rollups: readonly EdgeRollup[], window: MetricWindow): readonly GraphNode[] {
  const sums = new Map<string, NodeSum>()
  const sumOf = (type: NodeType, name: string): NodeSum => {
    const id = nodeId(type, name)
    let sum = sums.get(id)
    if (sum === undefined) {
      sum = { name, type, calls: 0, errors: 0, firstUnixMs: window.toUnixMs, durations: {} }
      sums.set(id, sum)
    }
    return sum
  }
  for (const rollup of rollups) {
    const client = sumOf(rollup.clientType, rollup.client)
    if (client.type === 'user') addEdge(client, rollup)
    addEdge(sumOf(rollup.serverType, rollup.server), rollup)
  }
  return [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, { name, type, calls, errors, firstUnixMs, durations }]) => ({
      id,
      name,
      type,
      calls,
      errors,
      callsPerSecond: callsPerSecond(calls, firstUnixMs, window),
      ...(calls === 0 ? {} : latencyOf(quantilesOf(durations)))
    }))
}

function addEdge(sum: NodeSum, rollup: EdgeRollup): void {
  sum.calls += rollup.calls
  sum.errors += rollup.errors
  sum.firstUnixMs = Math.min(sum.firstUnixMs, rollup.firstUnixMs)
  addCounts(sum.durations, rollup.durations)
}
