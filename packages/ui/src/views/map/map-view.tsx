/** The service map: who calls whom, how often, how well. Selection is in the address. */
import type { GraphResponse } from '@spanloom/query-api'
import { useEffect, useMemo, useRef, useState } from 'react'
import { useQuery } from '../../api/use-query.ts'
import { Icon } from '../../components/icons.tsx'
import { Link } from '../../components/link.tsx'
import { Empty, Failure } from '../../components/states.tsx'
import { plural } from '../../model/format.ts'
import { layoutMap, type MapLayout } from '../../model/map-layout.ts'
import { windowKey, windowParams } from '../../model/time-window.ts'
import type { RouteOf } from '../../model/url.ts'
import { learnServices } from '../../state/preferences.ts'
import { navigate } from '../../state/router.ts'
import { MapCanvas } from './map-canvas.tsx'
import { MapList } from './map-list.tsx'
import { MapPanel } from './map-panel.tsx'

const EMPTY_GRAPH = { fromUnixMs: 0, toUnixMs: 0, nodes: [], edges: [] } satisfies GraphResponse

export function MapView({ route }: { readonly route: RouteOf<'map'> }) {
  const { window, select } = route
  const { data, error, isStale } = useQuery({
    route: 'graph',
    key: windowKey(window),
    params: (now) => windowParams(window, now),
    live: 'last' in window
  })
  const graph = data ?? EMPTY_GRAPH
  const layout = useStableLayout(graph)
  const [asList, setAsList] = useState(false)
  useEffect(() => {
    learnServices(graph.nodes.filter((node) => node.type === 'service').map((node) => node.name))
  }, [graph.nodes])
  const onSelect = useMemo(
    () => (selected: string | undefined) => {
      const { select: _before, ...rest } = route
      navigate(selected === undefined ? rest : { ...rest, select: selected }, 'replace')
    },
    [route]
  )

  if (data === undefined && error !== undefined) {
    return <Failure title="The map is not known" error={error} />
  }
  return (
    <div className="map-view">
      <div className="view-head">
        <h1>Service map</h1>
        <p className="summary">
          {data !== undefined &&
            `${plural(graph.nodes.length, 'node')} · ${plural(graph.edges.length, 'edge')}`}
        </p>
        <div className="actions">
          <fieldset className="segmented" aria-label="How to show it">
            <button type="button" aria-pressed={!asList} onClick={() => setAsList(false)}>
              <Icon name="messaging" /> Map
            </button>
            <button type="button" aria-pressed={asList} onClick={() => setAsList(true)}>
              <Icon name="list" /> List
            </button>
          </fieldset>
        </div>
      </div>
      <div className={`map-body${isStale ? ' is-stale' : ''}`}>
        {data !== undefined && graph.nodes.length === 0 ? (
          <Empty title="Nothing called anything in this window" icon="service">
            <p>The map is drawn from whole traces, a few seconds after their last span.</p>
            <Link className="button" to={{ view: 'services', window }}>
              Back to the services
            </Link>
          </Empty>
        ) : asList ? (
          <MapList graph={graph} selected={select} onSelect={onSelect} />
        ) : (
          <MapCanvas graph={graph} layout={layout} selected={select} onSelect={onSelect} />
        )}
        {select !== undefined && data !== undefined && (
          <MapPanel graph={graph} selected={select} window={window} onSelect={onSelect} />
        )}
      </div>
    </div>
  )
}

/** The layout of before for as long as nodes and edges are the same: a refresh moves nothing. */
function useStableLayout(graph: GraphResponse): MapLayout {
  const before = useRef<MapLayout | undefined>(undefined)
  return useMemo(() => {
    const ids = graph.nodes.map((node) => node.id)
    before.current = layoutMap(ids, graph.edges, before.current)
    return before.current
  }, [graph])
}
