/** Each trace a dot: when it started, how long it took (logarithmic), red when it holds an error. */
import type { TraceSummary } from '@spanloom/query-api'
import { memo, useMemo } from 'react'
import { formatClock, formatDurationMs } from '../model/format.ts'
import { clockTicks } from '../model/ticks.ts'
import { useSize } from './use-size.ts'

const HEIGHT = 132
const LEFT = 70
const RIGHT = 12
const TOP = 10
const BOTTOM = 22
/** Dots drawn at most; the list below has all of them. */
const DOTS_MAX = 1_000

interface DurationScatterProps {
  readonly traces: readonly TraceSummary[]
  readonly onOpen: (traceId: string) => void
}

export const DurationScatter = memo(function DurationScatter(props: DurationScatterProps) {
  const { traces, onOpen } = props
  const { ref, width } = useSize<HTMLDivElement>()
  const scale = useMemo(() => scaleOf(traces, width), [traces, width])
  const open = (target: EventTarget) => {
    const traceId = target instanceof SVGElement ? target.dataset.trace : undefined
    if (traceId !== undefined) onOpen(traceId)
  }
  return (
    <div ref={ref} className="scatter" style={{ height: HEIGHT }}>
      {width > 0 && (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the list below opens the same traces by keyboard
        <svg
          width={width}
          height={HEIGHT}
          role="img"
          aria-label="Durations of the traces over time"
          onClick={(event) => open(event.target)}
        >
          {scale.durations.map((ms) => (
            <g key={ms}>
              <path className="scatter-grid" d={`M${LEFT},${scale.y(ms)}H${width - RIGHT}`} />
              <text x={LEFT - 8} y={scale.y(ms) + 3.5} textAnchor="end">
                {formatDurationMs(ms)}
              </text>
            </g>
          ))}
          {scale.times.map((unixMs) => (
            <text key={unixMs} x={scale.x(unixMs)} y={HEIGHT - 6} textAnchor="middle">
              {formatClock(unixMs)}
            </text>
          ))}
          {traces.slice(0, DOTS_MAX).map((trace) => (
            <circle
              key={trace.traceId}
              className={trace.errorCount > 0 ? 'is-error' : undefined}
              data-trace={trace.traceId}
              cx={scale.x(Number(trace.startTimeUnixNano) / 1e6)}
              cy={scale.y(trace.durationMs)}
              r={Math.min(8, 2.5 + Math.log10(Math.max(1, trace.spanCount)) * 1.4)}
            >
              <title>{`${trace.rootService} ${trace.rootOperation}: ${formatDurationMs(trace.durationMs)}`}</title>
            </circle>
          ))}
        </svg>
      )}
    </div>
  )
})

function scaleOf(traces: readonly TraceSummary[], width: number) {
  const starts = traces.map((trace) => Number(trace.startTimeUnixNano) / 1e6)
  const durations = traces.map((trace) => Math.max(0.001, trace.durationMs))
  const from = Math.min(...starts)
  // A second at least, so that a single trace has an axis to stand on.
  const to = Math.max(...starts, from + 1_000)
  const low = Math.floor(Math.log10(Math.min(...durations)))
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...durations))))
  const plotWidth = Math.max(1, width - LEFT - RIGHT)
  const plotHeight = HEIGHT - TOP - BOTTOM
  const decades = Math.max(1, Math.ceil((high - low) / 4))
  const lines: number[] = []
  for (let power = low; power <= high; power += decades) lines.push(10 ** power)
  return {
    x: (unixMs: number) => LEFT + ((unixMs - from) / (to - from)) * plotWidth,
    y: (ms: number) =>
      TOP + (1 - (Math.log10(Math.max(0.001, ms)) - low) / (high - low)) * plotHeight,
    durations: lines,
    times: clockTicks(from, to, Math.max(2, Math.floor(plotWidth / 160))).filter(
      (unixMs) => (unixMs - from) / (to - from) < 0.97
    )
  }
}
