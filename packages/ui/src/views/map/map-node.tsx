import type { GraphNode, NodeType } from '@spanloom/query-api'
import { type CSSProperties, type KeyboardEvent, memo } from 'react'
import { type IconName, iconPath } from '../../components/icons.tsx'
import { healthOf } from '../../components/metrics.tsx'
import { formatDurationMs, formatRate, formatShare } from '../../model/format.ts'
import { NODE_HEIGHT, NODE_WIDTH } from '../../model/map-layout.ts'
import { serviceColour } from '../../state/preferences.ts'

export const TYPE_ICON: Record<NodeType, IconName> = {
  service: 'service',
  database: 'database',
  messaging: 'messaging',
  external: 'external',
  user: 'user'
}

/** As many letters of the name as fit into a node. */
const NAME_CHARS_MAX = 18

interface MapNodeProps {
  readonly node: GraphNode
  readonly x: number
  readonly y: number
  readonly isSelected: boolean
  readonly isDim: boolean
  readonly onHover: (id: string | undefined) => void
  readonly onSelect: (id: string) => void
}

export const MapNode = memo(function MapNode(props: MapNodeProps) {
  const { node, x, y, isSelected, isDim, onHover, onSelect } = props
  const health = healthOf(node.errors, node.calls)
  const share = node.calls > 0 ? Math.min(1, node.errors / node.calls) : 0
  const state = `${isSelected ? ' is-selected' : ''}${isDim ? ' is-dim' : ''}`
  return (
    // biome-ignore lint/a11y/useSemanticElements: a button cannot be drawn inside an SVG
    <g
      className={`map-node is-${node.type} has-${health}${state}`}
      style={{
        transform: `translate(${x - NODE_WIDTH / 2}px, ${y - NODE_HEIGHT / 2}px)`,
        ...colour(node)
      }}
      data-node-id={node.id}
      role="button"
      tabIndex={0}
      aria-pressed={isSelected}
      aria-label={`${node.type} ${node.name}: ${numbersOf(node)}`}
      onClick={() => onSelect(node.id)}
      onKeyDown={(event) => onActivate(event, () => onSelect(node.id))}
      onPointerEnter={() => onHover(node.id)}
      onPointerLeave={() => onHover(undefined)}
      onFocus={() => onHover(node.id)}
      onBlur={() => onHover(undefined)}
    >
      <title>{node.name}</title>
      <rect
        className="node-box"
        width={NODE_WIDTH}
        height={NODE_HEIGHT}
        rx={node.type === 'service' ? 10 : 22}
      />
      <g transform="translate(12 11)">
        <rect className="node-badge" width="24" height="24" rx={node.type === 'service' ? 6 : 12} />
        <path className="node-icon" transform="translate(4 4)" d={iconPath(TYPE_ICON[node.type])} />
      </g>
      <text className="node-name" x="44" y="28">
        {shortName(node.name)}
      </text>
      <g className="node-numbers">
        <text x="14" y="58">
          {formatRate(node.callsPerSecond)}
          <tspan className="unit">/s</tspan>
        </text>
        <text x={NODE_WIDTH / 2 - 8} y="58" textAnchor="middle" className={`errors is-${health}`}>
          {formatShare(node.errors, node.calls)}
        </text>
        <text x={NODE_WIDTH - 14} y="58" textAnchor="end">
          {formatDurationMs(node.p95Ms)}
        </text>
      </g>
      {share > 0 && (
        <g className="node-errors">
          <rect
            x="14"
            y={NODE_HEIGHT - 10}
            width={NODE_WIDTH - 28}
            height="2.5"
            rx="1.25"
            className="track"
          />
          <rect
            x="14"
            y={NODE_HEIGHT - 10}
            width={Math.max(3, share * (NODE_WIDTH - 28))}
            height="2.5"
            rx="1.25"
          />
        </g>
      )}
    </g>
  )
})

export function onActivate(event: KeyboardEvent, act: () => void): void {
  if (event.key !== 'Enter' && event.key !== ' ') return
  event.preventDefault()
  act()
}

export function numbersOf(part: {
  readonly callsPerSecond: number
  readonly errors: number
  readonly calls: number
  readonly p95Ms?: number
}): string {
  const errors = formatShare(part.errors, part.calls)
  return `${formatRate(part.callsPerSecond)} calls per second, ${errors} errors, p95 ${formatDurationMs(part.p95Ms)}`
}

function colour(node: GraphNode): CSSProperties {
  return node.type === 'service' ? ({ '--colour': serviceColour(node.name) } as CSSProperties) : {}
}

/** The middle goes: hosts differ at their start, and names of a family at their end. */
function shortName(name: string): string {
  if (name.length <= NAME_CHARS_MAX) return name
  const tail = Math.floor(NAME_CHARS_MAX / 3)
  return `${name.slice(0, NAME_CHARS_MAX - tail - 1)}…${name.slice(-tail)}`
}
