import type { GraphEdge } from '@spanloom/query-api'
import { memo } from 'react'
import { healthOf } from '../../components/metrics.tsx'
import { formatDurationMs, formatRate, formatShare } from '../../model/format.ts'
import { type EdgePath, edgeKey, edgePathData, edgeWidth } from '../../model/map-layout.ts'
import { numbersOf, onActivate } from './map-node.tsx'

/** Of the widest common system fonts, so that a label's ground is never too narrow. */
const RATE_CHAR_WIDTH = 7.6
const DETAIL_CHAR_WIDTH = 6.3

interface MapEdgeProps {
  readonly edge: GraphEdge
  readonly path: EdgePath
  readonly isSelected: boolean
  readonly isDim: boolean
  readonly onHover: (key: string | undefined) => void
  readonly onSelect: (key: string) => void
}

export const MapEdge = memo(function MapEdge(props: MapEdgeProps) {
  const { edge, path, isSelected, isDim, onHover, onSelect } = props
  const key = edgeKey(edge)
  const health = healthOf(edge.errors, edge.calls)
  const data = edgePathData(path.points)
  const rate = formatRate(edge.callsPerSecond)
  const errors = edge.errors > 0 ? formatShare(edge.errors, edge.calls) : ''
  const p95 = formatDurationMs(edge.p95Ms)
  const detailChars = p95.length + (errors === '' ? 0 : errors.length + 3)
  const labelWidth =
    14 + Math.max((rate.length + 1.5) * RATE_CHAR_WIDTH, detailChars * DETAIL_CHAR_WIDTH)
  const state = `${isSelected ? ' is-selected' : ''}${isDim ? ' is-dim' : ''}`
  return (
    // biome-ignore lint/a11y/useSemanticElements: a button cannot be drawn inside an SVG
    <g
      className={`map-edge has-${health} is-${edge.connectionType}${state}`}
      data-edge={key}
      role="button"
      tabIndex={0}
      aria-pressed={isSelected}
      aria-label={`${edge.source} calls ${edge.target}: ${numbersOf(edge)}`}
      onClick={() => onSelect(key)}
      onKeyDown={(event) => onActivate(event, () => onSelect(key))}
      onPointerEnter={() => onHover(key)}
      onPointerLeave={() => onHover(undefined)}
      onFocus={() => onHover(key)}
      onBlur={() => onHover(undefined)}
    >
      <path className="edge-hit" d={data} />
      <path
        className="edge-line"
        d={data}
        strokeWidth={edgeWidth(edge.callsPerSecond)}
        markerEnd={`url(#arrow-${health})`}
      />
      <g className="edge-label" transform={`translate(${path.label.x} ${path.label.y})`}>
        <rect x={-labelWidth / 2} y="-16" width={labelWidth} height="32" rx="7" />
        <text y="-2.5" textAnchor="middle">
          {rate}
          <tspan className="unit">/s</tspan>
        </text>
        <text y="10.5" textAnchor="middle" className="edge-detail">
          {errors !== '' && <tspan className={`errors is-${health}`}>{errors} · </tspan>}
          {p95}
        </text>
      </g>
    </g>
  )
})
