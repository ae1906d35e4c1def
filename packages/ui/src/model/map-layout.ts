/**
 * Where the nodes of the service map stand. dagre places callers left of what they call; the same
 * nodes and edges give the same places in whatever order they come, and while the two sets stay
 * the same the earlier layout is handed back as it is, so that a refresh moves nothing.
 *
 *        ports: edges leave on the right, arrive on the left, in the order of where they go
 *   ┌────────┐                 ┌────────┐
 *   │        ●──── label ─────→●        │
 *   │ caller ●──╮              │ called │
 *   └────────┘  ╰──── label ──→●────────┘
 */
import { Graph, layout } from '@dagrejs/dagre'

export const NODE_WIDTH = 208
export const NODE_HEIGHT = 76
const EDGE_LABEL_WIDTH = 124
const EDGE_LABEL_HEIGHT = 34
const MARGIN = 28
/** Between the ends of two edges on one side of a node. */
const PORT_GAP_MAX = 16
const PORT_ROOM = NODE_HEIGHT - 22

export interface Point {
  readonly x: number
  readonly y: number
}
export interface MapLayout {
  /** Tells whether the sets are the same as before. */
  readonly signature: string
  readonly width: number
  readonly height: number
  /** Centres. */
  readonly nodes: ReadonlyMap<string, Point>
  readonly edges: ReadonlyMap<string, EdgePath>
}
export interface EdgePath {
  readonly points: readonly Point[]
  readonly label: Point
}
interface EdgeEnds {
  readonly source: string
  readonly target: string
}

export function edgeKey(edge: EdgeEnds): string {
  return `${edge.source}->${edge.target}`
}

export function layoutMap(
  nodeIds: readonly string[],
  edges: readonly EdgeEnds[],
  before: MapLayout | undefined
): MapLayout {
  const ids = [...new Set(nodeIds)].sort()
  const known = new Set(ids)
  const ends = edges
    .filter((edge) => known.has(edge.source) && known.has(edge.target))
    .map(({ source, target }) => ({ source, target }))
    .sort((a, b) => (edgeKey(a) < edgeKey(b) ? -1 : 1))
  const signature = JSON.stringify([ids, ends.map(edgeKey)])
  if (before?.signature === signature) return before
  if (ids.length === 0) {
    return { signature, width: 0, height: 0, nodes: new Map(), edges: new Map() }
  }
  return { signature, ...place(ids, ends) }
}

function place(ids: readonly string[], ends: readonly EdgeEnds[]): Omit<MapLayout, 'signature'> {
  const graph = new Graph({ multigraph: false, compound: false })
  graph.setGraph({
    rankdir: 'LR',
    nodesep: 34,
    ranksep: 60,
    edgesep: 22,
    marginx: MARGIN,
    marginy: MARGIN
  })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const id of ids) graph.setNode(id, { width: NODE_WIDTH, height: NODE_HEIGHT })
  for (const { source, target } of ends) {
    graph.setEdge(source, target, {
      width: EDGE_LABEL_WIDTH,
      height: EDGE_LABEL_HEIGHT,
      labelpos: 'c'
    })
  }
  layout(graph)
  const nodes = new Map<string, Point>()
  for (const id of ids) {
    const { x, y } = graph.node(id) as Point
    nodes.set(id, { x, y })
  }
  const bends = new Map<string, readonly Point[]>()
  const paths = new Map<string, EdgePath>()
  for (const edge of ends) {
    const { points, x, y } = graph.edge(edge.source, edge.target) as Point & { points: Point[] }
    bends.set(edgeKey(edge), points)
    paths.set(edgeKey(edge), { points, label: { x, y } })
  }
  const ports = placePorts(ends, nodes, bends)
  for (const edge of ends) {
    const key = edgeKey(edge)
    const { points, label } = paths.get(key)!
    // A call to oneself keeps the loop that dagre drew for it.
    if (edge.source === edge.target) continue
    const inner = points.slice(1, -1)
    paths.set(key, {
      points: [ports.get(`${key} out`)!, ...inner, ports.get(`${key} in`)!],
      label
    })
  }
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number }
  return { width, height, nodes, edges: paths }
}

/** Spreads the ends of edges over a node's side, by the height that they come from or go to. */
function placePorts(
  ends: readonly EdgeEnds[],
  nodes: ReadonlyMap<string, Point>,
  bends: ReadonlyMap<string, readonly Point[]>
): ReadonlyMap<string, Point> {
  const sides = new Map<string, { readonly port: string; readonly towards: number }[]>()
  const add = (nodeId: string, side: 1 | -1, port: string, towards: number) => {
    const name = `${side} ${nodeId}`
    const known = sides.get(name)
    if (known === undefined) sides.set(name, [{ port, towards }])
    else known.push({ port, towards })
  }
  for (const edge of ends) {
    if (edge.source === edge.target) continue
    const key = edgeKey(edge)
    const points = bends.get(key) ?? []
    // A call against the direction of the map leaves on the left and arrives on the right.
    const side = nodes.get(edge.target)!.x >= nodes.get(edge.source)!.x ? 1 : -1
    add(edge.source, side, `${key} out`, points[1]?.y ?? 0)
    add(edge.target, side === 1 ? -1 : 1, `${key} in`, points[points.length - 2]?.y ?? 0)
  }
  const ports = new Map<string, Point>()
  for (const [name, list] of sides) {
    const side = name.startsWith('-1') ? -1 : 1
    const centre = nodes.get(name.slice(name.indexOf(' ') + 1))!
    list.sort((a, b) => a.towards - b.towards)
    const gap = Math.min(PORT_GAP_MAX, PORT_ROOM / list.length)
    list.forEach(({ port }, at) => {
      ports.set(port, {
        x: centre.x + (side * NODE_WIDTH) / 2,
        y: centre.y + (at - (list.length - 1) / 2) * gap
      })
    })
  }
  return ports
}

/** A smooth path through all points, level at each, so that it leaves and arrives straight. */
export function edgePathData(points: readonly Point[]): string {
  const [first, ...rest] = points
  if (first === undefined) return ''
  let path = `M${round(first.x)},${round(first.y)}`
  let from = first
  for (const to of rest) {
    const middle = round((from.x + to.x) / 2)
    path += `C${middle},${round(from.y)} ${middle},${round(to.y)} ${round(to.x)},${round(to.y)}`
    from = to
  }
  return path
}

/** The ids of a node and everything one edge away. */
export function neighboursOf(id: string, edges: readonly EdgeEnds[]): ReadonlySet<string> {
  const result = new Set([id])
  for (const { source, target } of edges) {
    if (source === id) result.add(target)
    if (target === id) result.add(source)
  }
  return result
}

/** 1.25 to 8 pixels, by the order of magnitude of the rate: one is not hidden beside a thousand. */
export function edgeWidth(callsPerSecond: number): number {
  if (!(callsPerSecond > 0)) return 1.25
  return Math.min(8, 1.25 + 2.2 * Math.log10(1 + callsPerSecond))
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
