import { describe, expect, it } from 'vitest'
import { edgePathData, edgeWidth, layoutMap, NODE_WIDTH, neighboursOf } from './map-layout.ts'

const NODES = ['user:user', 'service:storefront', 'service:catalog', 'database:shop']
const EDGES = [
  { source: 'user:user', target: 'service:storefront' },
  { source: 'service:storefront', target: 'service:catalog' },
  { source: 'service:catalog', target: 'database:shop' }
]

describe('layoutMap', () => {
  it('places callers left of what they call', () => {
    const { nodes } = layoutMap(NODES, EDGES, undefined)
    const xs = NODES.map((id) => nodes.get(id)!.x)

    expect(xs).toEqual([...xs].sort((a, b) => a - b))
    expect(new Set(xs).size).toBe(4)
  })

  it('moves nothing while nodes and edges are the same, whatever their order', () => {
    const first = layoutMap(NODES, EDGES, undefined)

    expect(layoutMap([...NODES].reverse(), [...EDGES].reverse(), first)).toBe(first)
    // Without the earlier layout, as after a reload, the places are the same too.
    expect(layoutMap([...NODES].reverse(), [...EDGES].reverse(), undefined)).toEqual(first)
  })

  it('makes another layout when a node or an edge comes or goes', () => {
    const first = layoutMap(NODES, EDGES, undefined)
    const more = layoutMap([...NODES, 'external:bank'], EDGES, first)

    expect(more).not.toBe(first)
    expect(more.nodes.has('external:bank')).toBe(true)
    expect(layoutMap(NODES, EDGES.slice(1), first)).not.toBe(first)
  })

  it('joins the sides of the nodes, and leads through the label', () => {
    const { nodes, edges } = layoutMap(NODES, EDGES, undefined)
    const { points, label } = edges.get('service:storefront->service:catalog')!
    const right = nodes.get('service:storefront')!.x + NODE_WIDTH / 2
    const left = nodes.get('service:catalog')!.x - NODE_WIDTH / 2

    expect(points[0]!.x).toBe(right)
    expect(points[points.length - 1]!.x).toBe(left)
    expect(label.x).toBeGreaterThan(right)
    expect(label.x).toBeLessThan(left)
  })

  it('keeps edges apart where they leave a node', () => {
    const edges = ['a', 'b', 'c'].map((name) => ({
      source: 'service:hub',
      target: `service:${name}`
    }))
    const { edges: paths } = layoutMap(
      ['service:hub', 'service:a', 'service:b', 'service:c'],
      edges,
      undefined
    )
    const starts = [...paths.values()].map((path) => path.points[0]!.y)

    expect(new Set(starts).size).toBe(3)
  })

  it('holds circles, calls to oneself, edges to nowhere and nothing at all', () => {
    const { edges, nodes } = layoutMap(
      ['a', 'b'],
      [
        { source: 'a', target: 'b' },
        { source: 'b', target: 'a' },
        { source: 'a', target: 'a' },
        { source: 'a', target: 'gone' }
      ],
      undefined
    )

    expect([...edges.keys()].sort()).toEqual(['a->a', 'a->b', 'b->a'])
    for (const { points } of edges.values()) {
      expect(points.length).toBeGreaterThan(1)
      for (const { x, y } of points) expect(Number.isFinite(x + y)).toBe(true)
    }
    expect(nodes.size).toBe(2)
    expect(layoutMap([], [], undefined)).toMatchObject({ width: 0, height: 0 })
  })
})

describe('drawing', () => {
  it('starts and ends a path where the edge does', () => {
    const path = edgePathData([
      { x: 0, y: 0 },
      { x: 10, y: 20 },
      { x: 30.26, y: 20 }
    ])

    expect(path).toBe('M0,0C5,0 5,20 10,20C20.1,20 20.1,20 30.3,20')
    expect(edgePathData([])).toBe('')
  })

  it('widens an edge with its rate, within bounds', () => {
    const widths = [0, 0.01, 1, 100, 1e9].map(edgeWidth)

    expect(widths).toEqual([...widths].sort((a, b) => a - b))
    expect(widths[0]).toBe(1.25)
    expect(widths[4]).toBe(8)
  })

  it('knows the neighbours', () => {
    expect([...neighboursOf('service:catalog', EDGES)].sort()).toEqual([
      'database:shop',
      'service:catalog',
      'service:storefront'
    ])
  })
})
