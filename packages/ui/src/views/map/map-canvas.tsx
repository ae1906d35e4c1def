import type { GraphResponse } from '@spanloom/query-api'
import { useMemo, useState } from 'react'
import { Icon } from '../../components/icons.tsx'
import { usePanZoom } from '../../draw/use-pan-zoom.ts'
import { edgeKey, type MapLayout, neighboursOf } from '../../model/map-layout.ts'
import { MapEdge } from './map-edge.tsx'
import { MapLegend } from './map-legend.tsx'
import { MapNode } from './map-node.tsx'

interface MapCanvasProps {
  readonly graph: GraphResponse
  readonly layout: MapLayout
  /** Of a node its id, of an edge its key. */
  readonly selected: string | undefined
  readonly onSelect: (selected: string | undefined) => void
}

const ARROWS = ['none', 'some', 'warn', 'bad'] as const

export function MapCanvas({ graph, layout, selected, onSelect }: MapCanvasProps) {
  const { frame, content, fit, zoomIn, zoomOut } = usePanZoom(layout)
  const [hovered, setHovered] = useState<string | undefined>(undefined)
  const active = hovered ?? selected
  const lit = useMemo(() => litParts(graph, active), [graph, active])
  return (
    <div className="map-frame">
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be drawn as an SVG */}
      <svg
        ref={frame}
        className="map-canvas"
        role="group"
        aria-label="Service map. The list shows the same for the keyboard."
        onClick={(event) => {
          if (event.target === event.currentTarget) onSelect(undefined)
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape') onSelect(undefined)
        }}
      >
        <defs>
          {ARROWS.map((health) => (
            <marker
              key={health}
              id={`arrow-${health}`}
              className={`arrow is-${health}`}
              viewBox="0 0 8 8"
              refX="7"
              refY="4"
              markerWidth="8"
              markerHeight="8"
              markerUnits="userSpaceOnUse"
              orient="auto"
            >
              <path d="M0.5,0.5L7.5,4L0.5,7.5z" />
            </marker>
          ))}
        </defs>
        <g ref={content}>
          {graph.edges.map((edge) => {
            const key = edgeKey(edge)
            const path = layout.edges.get(key)
            return path === undefined ? null : (
              <MapEdge
                key={key}
                edge={edge}
                path={path}
                isSelected={selected === key}
                isDim={lit !== undefined && !lit.has(key)}
                onHover={setHovered}
                onSelect={onSelect}
              />
            )
          })}
          {graph.nodes.map((node) => {
            const place = layout.nodes.get(node.id)
            return place === undefined ? null : (
              <MapNode
                key={node.id}
                node={node}
                x={place.x}
                y={place.y}
                isSelected={selected === node.id}
                isDim={lit !== undefined && !lit.has(node.id)}
                onHover={setHovered}
                onSelect={onSelect}
              />
            )
          })}
        </g>
      </svg>
      <div className="map-tools">
        <button
          type="button"
          className="icon-button"
          title="Zoom in (+)"
          aria-label="Zoom in"
          onClick={zoomIn}
        >
          <Icon name="plus" />
        </button>
        <button
          type="button"
          className="icon-button"
          title="Zoom out (-)"
          aria-label="Zoom out"
          onClick={zoomOut}
        >
          <Icon name="minus" />
        </button>
        <button
          type="button"
          className="icon-button"
          title="Fit (0)"
          aria-label="Fit the map"
          onClick={fit}
        >
          <Icon name="fit" />
        </button>
      </div>
      <MapLegend />
    </div>
  )
}

/** The nodes and edges that stay bright: all when nothing is pointed at. */
function litParts(
  graph: GraphResponse,
  active: string | undefined
): ReadonlySet<string> | undefined {
  if (active === undefined) return undefined
  const edge = graph.edges.find((known) => edgeKey(known) === active)
  if (edge !== undefined) return new Set([active, edge.source, edge.target])
  if (!graph.nodes.some((node) => node.id === active)) return undefined
  const lit = new Set(neighboursOf(active, graph.edges))
  for (const { source, target } of graph.edges) {
    if (source === active || target === active) lit.add(edgeKey({ source, target }))
  }
  return lit
}
