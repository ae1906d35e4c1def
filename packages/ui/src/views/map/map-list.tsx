/** The map as a table: the same nodes and edges, for the keyboard and for screen readers. */
import type { GraphResponse } from '@spanloom/query-api'
import { ErrorCell, LatencyCell, RateCell } from '../../components/metrics.tsx'
import { edgeKey } from '../../model/map-layout.ts'
import { NodeName } from './node-name.tsx'

interface MapListProps {
  readonly graph: GraphResponse
  readonly selected: string | undefined
  readonly onSelect: (selected: string) => void
}

export function MapList({ graph, selected, onSelect }: MapListProps) {
  const byId = new Map(graph.nodes.map((node) => [node.id, node]))
  const edges = [...graph.edges].sort((a, b) => b.callsPerSecond - a.callsPerSecond)
  const longestMs = edges.reduce((most, edge) => Math.max(most, edge.p95Ms ?? 0), 0)
  return (
    <div className="table-frame map-list">
      <table className="table">
        <thead>
          <tr>
            <th className="is-text">Caller</th>
            <th className="is-text">Calls</th>
            <th className="is-number">
              Rate <small>per s</small>
            </th>
            <th className="is-number">Errors</th>
            <th className="is-number">p50</th>
            <th className="is-number">p95</th>
          </tr>
        </thead>
        <tbody>
          {edges.map((edge) => {
            const key = edgeKey(edge)
            return (
              <tr
                key={key}
                aria-selected={selected === key}
                className={selected === key ? 'is-selected' : ''}
              >
                <th scope="row" className="is-text">
                  <button
                    type="button"
                    className="text-button"
                    onClick={() => onSelect(edge.source)}
                  >
                    <NodeName node={byId.get(edge.source)} id={edge.source} />
                  </button>
                </th>
                <td className="is-text">
                  <button type="button" className="text-button" onClick={() => onSelect(key)}>
                    <NodeName node={byId.get(edge.target)} id={edge.target} />
                  </button>
                </td>
                <td className="is-number">
                  <RateCell perSecond={edge.callsPerSecond} calls={edge.calls} />
                </td>
                <td className="is-number">
                  <ErrorCell calls={edge.calls} errors={edge.errors} />
                </td>
                <td className="is-number">
                  <LatencyCell ms={edge.p50Ms} longestMs={longestMs} />
                </td>
                <td className="is-number">
                  <LatencyCell ms={edge.p95Ms} longestMs={longestMs} />
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}
