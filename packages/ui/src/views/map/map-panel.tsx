/** The numbers of the node or edge that was clicked, and where to go from there. */
import type { GraphEdge, GraphNode, GraphResponse } from '@spanloom/query-api'
import { Icon } from '../../components/icons.tsx'
import { Link } from '../../components/link.tsx'
import { healthOf, Tiles } from '../../components/metrics.tsx'
import { formatCount, formatDurationMs, formatRate, formatShare } from '../../model/format.ts'
import { edgeKey } from '../../model/map-layout.ts'
import type { TimeWindow } from '../../model/time-window.ts'
import { NodeName } from './node-name.tsx'

interface MapPanelProps {
  readonly graph: GraphResponse
  readonly selected: string
  readonly window: TimeWindow
  readonly onSelect: (selected: string | undefined) => void
}

export function MapPanel({ graph, selected, window, onSelect }: MapPanelProps) {
  const node = graph.nodes.find((known) => known.id === selected)
  const edge = graph.edges.find((known) => edgeKey(known) === selected)
  return (
    <aside className="panel map-panel" aria-label="Details" data-panel={selected}>
      <button
        type="button"
        className="icon-button panel-close"
        title="Close (Escape)"
        aria-label="Close"
        onClick={() => onSelect(undefined)}
      >
        <Icon name="close" />
      </button>
      {node !== undefined ? (
        <NodePanel node={node} graph={graph} window={window} onSelect={onSelect} />
      ) : edge !== undefined ? (
        <EdgePanel edge={edge} graph={graph} window={window} onSelect={onSelect} />
      ) : (
        <p className="note">{selected} was not called in this window.</p>
      )}
    </aside>
  )
}

interface PartProps {
  readonly graph: GraphResponse
  readonly window: TimeWindow
  readonly onSelect: (selected: string | undefined) => void
}

function NodePanel({ node, graph, window, onSelect }: PartProps & { readonly node: GraphNode }) {
  const callers = graph.edges.filter((edge) => edge.target === node.id)
  const called = graph.edges.filter((edge) => edge.source === node.id)
  const example = [...callers, ...called].find((edge) => edge.exampleTraceId !== undefined)
  const service = node.name
  return (
    <>
      <p className="panel-type">{node.type}</p>
      <h2>
        <NodeName node={node} id={node.id} />
      </h2>
      <Numbers part={node} />
      <div className="panel-links">
        {node.type === 'service' && (
          <>
            <Link className="button is-primary" to={{ view: 'service', service, window }}>
              Service page
            </Link>
            <Link
              className="button"
              to={{ view: 'traces', window, search: { service, attributes: [] } }}
            >
              Traces
            </Link>
            <Link
              className="button"
              to={{ view: 'traces', window, search: { service, status: 'error', attributes: [] } }}
            >
              Errors
            </Link>
          </>
        )}
        {node.type !== 'service' && example?.exampleTraceId !== undefined && (
          <Link
            className="button is-primary"
            to={{ view: 'trace', traceId: example.exampleTraceId, window }}
          >
            Example trace
          </Link>
        )}
      </div>
      <EdgeList title="Called by" edges={callers} end="source" graph={graph} onSelect={onSelect} />
      <EdgeList title="Calls" edges={called} end="target" graph={graph} onSelect={onSelect} />
    </>
  )
}

function EdgePanel({ edge, graph, window, onSelect }: PartProps & { readonly edge: GraphEdge }) {
  const source = graph.nodes.find((node) => node.id === edge.source)
  const target = graph.nodes.find((node) => node.id === edge.target)
  return (
    <>
      <p className="panel-type">{edge.connectionType.replaceAll('_', ' ')}</p>
      <h2 className="edge-title">
        <button type="button" className="text-button" onClick={() => onSelect(edge.source)}>
          <NodeName node={source} id={edge.source} />
        </button>
        <Icon name="arrowRight" />
        <button type="button" className="text-button" onClick={() => onSelect(edge.target)}>
          <NodeName node={target} id={edge.target} />
        </button>
      </h2>
      <Numbers part={edge} />
      <div className="panel-links">
        {edge.exampleTraceId === undefined ? (
          <p className="hint">No trace over this edge is stored yet.</p>
        ) : (
          <Link
            className="button is-primary"
            to={{ view: 'trace', traceId: edge.exampleTraceId, window }}
          >
            Example trace
          </Link>
        )}
        {target?.type === 'service' && (
          <Link
            className="button"
            to={{ view: 'traces', window, search: { service: target.name, attributes: [] } }}
          >
            Traces of {target.name}
          </Link>
        )}
      </div>
    </>
  )
}

function Numbers({ part }: { readonly part: GraphNode | GraphEdge }) {
  return (
    <Tiles
      tiles={[
        { label: 'Rate', value: formatRate(part.callsPerSecond), note: 'calls/s' },
        {
          label: 'Errors',
          value: formatShare(part.errors, part.calls),
          note: `${formatCount(part.errors)} of ${formatCount(part.calls)}`,
          health: healthOf(part.errors, part.calls)
        },
        { label: 'p50', value: formatDurationMs(part.p50Ms) },
        { label: 'p95', value: formatDurationMs(part.p95Ms) },
        { label: 'p99', value: formatDurationMs(part.p99Ms) }
      ]}
    />
  )
}

interface EdgeListProps {
  readonly title: string
  readonly edges: readonly GraphEdge[]
  readonly end: 'source' | 'target'
  readonly graph: GraphResponse
  readonly onSelect: (selected: string) => void
}

function EdgeList({ title, edges, end, graph, onSelect }: EdgeListProps) {
  if (edges.length === 0) return null
  const sorted = [...edges].sort((a, b) => b.callsPerSecond - a.callsPerSecond)
  return (
    <section className="panel-section">
      <h3>
        {title} <small>{edges.length}</small>
      </h3>
      <ul className="edge-list">
        {sorted.map((edge) => (
          <li key={edgeKey(edge)}>
            <button type="button" onClick={() => onSelect(edgeKey(edge))}>
              <NodeName node={graph.nodes.find((node) => node.id === edge[end])} id={edge[end]} />
              <span>{formatRate(edge.callsPerSecond)}/s</span>
              <span className={`errors is-${healthOf(edge.errors, edge.calls)}`}>
                {formatShare(edge.errors, edge.calls)}
              </span>
              <span>{formatDurationMs(edge.p95Ms)}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}
