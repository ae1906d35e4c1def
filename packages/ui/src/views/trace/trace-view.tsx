/** One trace: header, minimap, waterfall, and the span that is looked at. */
import { QueryError, type TraceResponse } from '@spanloom/query-api'
import { useEffect, useMemo, useState } from 'react'
import { useQuery } from '../../api/use-query.ts'
import { Link } from '../../components/link.tsx'
import { Empty, Failure, SkeletonRows } from '../../components/states.tsx'
import { buildTraceModel, indexOfSpan } from '../../model/trace-model.ts'
import { EMPTY_SEARCH, type RouteOf } from '../../model/url.ts'
import { learnServices } from '../../state/preferences.ts'
import { SpanPanel } from './span-panel.tsx'
import { StillRunning } from './still-running.tsx'
import { TraceHead } from './trace-head.tsx'
import { useTraceState } from './use-trace-state.ts'
import { Waterfall } from './waterfall.tsx'
import { WaterfallHead } from './waterfall-head.tsx'

/** Spans of a trace come within seconds of each other; after a minute it is not asked for again. */
const STILL_GROWING_MS = 60_000

type TraceRoute = RouteOf<'trace'>

export function TraceView({ route }: { readonly route: TraceRoute }) {
  const { traceId } = route
  const [isSettled, setSettled] = useState(false)
  const { data, error, unixMs } = useQuery({
    route: 'trace',
    key: traceId,
    params: () => ({ traceId }),
    live: !isSettled
  })
  useEffect(() => {
    if (data !== undefined) setSettled(unixMs - lastEndUnixMs(data) > STILL_GROWING_MS)
  }, [data, unixMs])
  if (data === undefined) {
    if (error === undefined) return <SkeletonRows rows={14} height={30} />
    const isMissing = error instanceof QueryError && error.httpStatus === 404
    if (!isMissing) return <Failure title="The trace could not be read" error={error} />
    return <MissingTrace route={route} />
  }
  if (data.spans.length === 0) return <MissingTrace route={route} />
  return <TracePage route={route} trace={data} />
}

function MissingTrace({ route }: { readonly route: TraceRoute }) {
  return (
    <Empty title="This trace is not stored">
      <p>
        <code>{route.traceId}</code>
      </p>
      <ul className="notices">
        <StillRunning traceId={route.traceId} />
      </ul>
      <p>
        It may be a few seconds too new, older than the retention, or not sampled. While live, this
        page goes on looking for it.
      </p>
      <Link className="button" to={{ view: 'traces', window: route.window, search: EMPTY_SEARCH }}>
        Search traces
      </Link>
    </Empty>
  )
}

interface TracePageProps {
  readonly route: TraceRoute
  readonly trace: TraceResponse
}

function TracePage({ route, trace }: TracePageProps) {
  const model = useMemo(() => {
    const built = buildTraceModel(trace)
    learnServices(built.services)
    return built
  }, [trace])
  const state = useTraceState(model, route)
  const selected = indexOfSpan(model, route.spanId)
  return (
    <div className="trace-view">
      <TraceHead model={model} onFindService={(service) => state.setFind(service)} />
      <WaterfallHead model={model} state={state} />
      <div className="trace-body">
        <Waterfall model={model} state={state} selected={selected} />
        {selected !== -1 && (
          <SpanPanel
            key={model.spans[selected]!.spanId}
            model={model}
            index={selected}
            resources={trace.resources}
            window={route.window}
            onClose={() => state.select(-1)}
          />
        )}
      </div>
    </div>
  )
}

function lastEndUnixMs(trace: TraceResponse): number {
  return trace.spans.reduce((latest, span) => {
    return Math.max(latest, (Number(span.startTimeUnixNano) + Number(span.durationNano)) / 1e6)
  }, 0)
}
