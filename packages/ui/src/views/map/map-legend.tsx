import { iconPath } from '../../components/icons.tsx'
import { TYPE_ICON } from './map-node.tsx'

const TYPES = ['service', 'database', 'messaging', 'external', 'user'] as const

export function MapLegend() {
  return (
    <div className="map-legend">
      {TYPES.map((type) => (
        <span key={type}>
          <svg className="icon" width="14" height="14" viewBox="0 0 16 16" aria-hidden="true">
            <path d={iconPath(TYPE_ICON[type])} />
          </svg>
          {type}
        </span>
      ))}
      <span>
        <i className="legend-width" aria-hidden="true" />
        width: rate
      </span>
      <span>
        <i className="legend-colour" aria-hidden="true" />
        errors: 0, ≥ 1 %, ≥ 5 %
      </span>
      <span className="legend-numbers">numbers: calls/s · errors · p95</span>
    </div>
  )
}
