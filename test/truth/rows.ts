/**
 * The same rows from three places: what the shop counted itself (expected), what the collector's
 * API says, and what its /metrics say. A row that differs in any is a lie.
 *
 *   row: "service orders"                        → calls, errors
 *        "edge orders -> database:shop"           → calls, errors
 *
 * How the shop's counts become edges: whoever called a traced service is an edge to it; the
 * database is known by its name, an unreporting peer by its address; who calls the storefront sends
 * no trace context and is the user. A call failed when the caller saw it fail, or the called did.
 */
import type { MemberName, ServiceCounts } from '@spanloom/example-shop'
import type { GraphResponse, NodeType, ServicesResponse } from '@spanloom/query-api'
import type { Sample } from './openmetrics.ts'

export interface Row {
  readonly calls: number
  readonly errors: number
}
export type Rows = ReadonlyMap<string, Row>

type Counts = Readonly<Record<Exclude<MemberName, 'database'>, ServiceCounts>>

export const TRACED_SERVICES = [
  'storefront',
  'catalog',
  'orders',
  'payments',
  'recommendations'
] as const
const DATABASE_NAME = 'shop'

const NONE: Row = { calls: 0, errors: 0 }

export function serviceRow(service: string): string {
  return `service ${service}`
}
function edgeRow(client: string, server: string): string {
  return `edge ${client} -> ${server}`
}

/** A node of each type by a name that all three places can say. */
function nodeName(type: NodeType | 'service', name: string): string {
  return type === 'service' || type === 'user' ? name : `${type}:${name}`
}

export function expectedRows(counts: Counts, ratingsAddress: string): Rows {
  const rows = new Map<string, Row>()
  const { calls, errors } = counts.storefront
  rows.set(edgeRow('user', 'storefront'), { calls, errors })
  for (const service of TRACED_SERVICES) {
    const { calls, errors, called } = counts[service]
    rows.set(serviceRow(service), { calls, errors })
    for (const [target, count] of Object.entries(called)) {
      const server =
        target === DATABASE_NAME
          ? nodeName('database', target)
          : target === 'ratings'
            ? nodeName('external', ratingsAddress)
            : target
      rows.set(edgeRow(service, server), { calls: count.calls, errors: count.failed })
    }
  }
  return rows
}

export function apiRows(services: ServicesResponse, graph: GraphResponse): Rows {
  const rows = new Map<string, Row>()
  for (const { service, calls, errors } of services.services) {
    rows.set(serviceRow(service), { calls, errors })
  }
  const names = new Map(graph.nodes.map(({ id, type, name }) => [id, nodeName(type, name)]))
  for (const { source, target, calls, errors } of graph.edges) {
    const row = edgeRow(names.get(source) ?? source, names.get(target) ?? target)
    rows.set(row, { calls, errors })
  }
  return rows
}

export function metricRows(samples: readonly Sample[]): Rows {
  const rows = new Map<string, Row>()
  const add = (row: string, calls: number, errors: number): void => {
    const before = rows.get(row) ?? NONE
    rows.set(row, { calls: before.calls + calls, errors: before.errors + errors })
  }
  for (const { name, labels, value } of samples) {
    if (name === 'traces_span_metrics_calls_total') {
      if (labels.span_kind !== 'SPAN_KIND_SERVER') continue
      const failed = labels.status_code === 'STATUS_CODE_ERROR' ? value : 0
      add(serviceRow(labels.service_name ?? ''), value, failed)
    } else if (name === 'traces_service_graph_request_total') {
      add(metricEdge(labels), value, 0)
    } else if (name === 'traces_service_graph_request_failed_total') {
      add(metricEdge(labels), 0, value)
    }
  }
  return rows
}

function metricEdge(labels: Readonly<Record<string, string>>): string {
  const { client = '', server = '', connection_type: type } = labels
  if (type === 'database') return edgeRow(client, nodeName('database', server))
  if (type === 'virtual_node' && client !== 'user') {
    return edgeRow(client, nodeName('external', server))
  }
  return edgeRow(client, server)
}

/** One sentence for each row that is not the same everywhere. */
export function differences(expected: Rows, counted: Readonly<Record<string, Rows>>): string[] {
  const names = new Set([...expected.keys()])
  for (const rows of Object.values(counted)) for (const name of rows.keys()) names.add(name)
  const sentences: string[] = []
  for (const name of [...names].sort()) {
    const want = expected.get(name) ?? NONE
    for (const [place, rows] of Object.entries(counted)) {
      const got = rows.get(name) ?? NONE
      if (got.calls === want.calls && got.errors === want.errors) continue
      sentences.push(
        `${name}: expected ${want.calls} calls, ${want.errors} failed; ` +
          `${place} says ${got.calls} calls, ${got.errors} failed`
      )
    }
  }
  return sentences
}

export function sum(rows: Rows, kind: 'service' | 'edge', of: keyof Row): number {
  let total = 0
  for (const [name, row] of rows) if (name.startsWith(`${kind} `)) total += row[of]
  return total
}
