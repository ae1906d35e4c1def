/**
 * A small chart over time, drawn by uPlot. Charts of one `group` share the cursor; a drag chooses a
 * window. A refresh sets data on the chart that is there; only a new theme, size or set of series
 * makes another.
 */
import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { formatClock } from '../model/format.ts'
import { cssColour, onThemeChange } from './css-colour.ts'

export interface ChartSeries {
  readonly label: string
  /** Name of a design token. */
  readonly token: string
  readonly kind: 'bars' | 'line'
}

interface TimeChartProps {
  readonly title: string
  readonly group: string
  readonly series: readonly ChartSeries[]
  /** Unix milliseconds, then one list for each series; `null` where nothing was measured. */
  readonly data: readonly (readonly (number | null)[])[]
  readonly stepMs: number
  readonly formatValue: (value: number) => string
  readonly onChooseWindow: (fromUnixMs: number, toUnixMs: number) => void
}

const HEIGHT = 168
/** A drag shorter than this is a click that slipped. */
const DRAG_PIXELS_MIN = 6

export function TimeChart(props: TimeChartProps) {
  const host = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot | undefined>(undefined)
  const latest = useRef(props)
  latest.current = props
  const shape = props.series.map((series) => series.label + series.token + series.kind).join()

  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` stands for the series
  useEffect(() => {
    const element = host.current
    if (element === null) return
    const draw = () => {
      chart.current?.destroy()
      chart.current = makeChart(element, latest)
    }
    draw()
    const forget = onThemeChange(draw)
    const observer = new ResizeObserver(() => {
      chart.current?.setSize({ width: element.clientWidth, height: HEIGHT })
    })
    observer.observe(element)
    return () => {
      forget()
      observer.disconnect()
      chart.current?.destroy()
      chart.current = undefined
    }
  }, [shape, props.group])

  useEffect(() => {
    chart.current?.setData(alignedData(props.data))
  }, [props.data])

  return (
    <figure className="chart">
      <figcaption>
        <b>{props.title}</b>
        <span className="chart-legend">
          {props.series.map((series) => (
            <span key={series.label}>
              <i style={{ background: `var(${series.token})` }} aria-hidden="true" />
              {series.label}
            </span>
          ))}
        </span>
      </figcaption>
      <div ref={host} className="chart-canvas" style={{ height: HEIGHT }} />
    </figure>
  )
}

type Latest = { readonly current: TimeChartProps }

function makeChart(element: HTMLElement, latest: Latest): uPlot {
  const { series, group } = latest.current
  const grid = { stroke: cssColour(element, '--chart-grid'), width: 1 }
  const axis = {
    stroke: cssColour(element, '--text-muted'),
    font: `11px ${getComputedStyle(element).fontFamily}`,
    ticks: { show: false },
    grid
  }
  const tip = document.createElement('div')
  tip.className = 'chart-tip'
  tip.hidden = true
  const plot = new uPlot(
    {
      width: element.clientWidth,
      height: HEIGHT,
      padding: [10, 6, 0, 0],
      legend: { show: false },
      cursor: {
        sync: { key: group },
        points: { show: false },
        y: false,
        drag: { x: true, y: false, setScale: false, dist: DRAG_PIXELS_MIN }
      },
      scales: {
        x: { time: true },
        y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.08 : 1] }
      },
      axes: [
        { ...axis, size: 26, gap: 4, space: 70, values: (_plot, ticks) => ticks.map(clockOfTick) },
        {
          ...axis,
          size: 62,
          gap: 6,
          space: 34,
          values: (_plot, ticks) => ticks.map((tick) => latest.current.formatValue(tick))
        }
      ],
      series: [{}, ...series.map((one) => lineOrBars(element, one))],
      hooks: {
        setCursor: [(self) => showTip(self, tip, latest)],
        setSelect: [(self) => chooseWindow(self, latest)]
      }
    },
    alignedData(latest.current.data),
    element
  )
  plot.over.append(tip)
  return plot
}

function lineOrBars(element: HTMLElement, series: ChartSeries): uPlot.Series {
  const stroke = cssColour(element, series.token)
  if (series.kind === 'line') {
    return { stroke, width: 1.75, points: { show: false }, spanGaps: false }
  }
  const bars = uPlot.paths.bars?.({ size: [0.78, 24], align: 1 })
  return { fill: stroke, width: 0, points: { show: false }, ...(bars ? { paths: bars } : {}) }
}

/** uPlot counts seconds. */
function alignedData(data: readonly (readonly (number | null)[])[]): uPlot.AlignedData {
  const [times = [], ...values] = data
  return [times.map((unixMs) => (unixMs ?? 0) / 1000), ...values.map((list) => [...list])]
}

function clockOfTick(unixSeconds: number): string {
  const clock = formatClock(unixSeconds * 1000)
  return clock.endsWith(':00') ? clock.slice(0, 5) : clock
}

/** Text nodes only: labels come from the program, but the habit costs nothing. */
function showTip(plot: uPlot, tip: HTMLElement, latest: Latest): void {
  const index = plot.cursor.idx
  const left = plot.cursor.left ?? -1
  if (index === null || index === undefined || left < 0) {
    tip.hidden = true
    return
  }
  const { series, formatValue } = latest.current
  const time = plot.data[0][index]
  if (time === undefined) return
  const head = document.createElement('time')
  head.textContent = formatClock(time * 1000)
  const lines = series.map((one, at) => {
    const line = document.createElement('span')
    const value = plot.data[at + 1]?.[index]
    line.textContent = `${one.label} ${value === null || value === undefined ? '–' : formatValue(value)}`
    return line
  })
  tip.replaceChildren(head, ...lines)
  tip.hidden = false
  const isRight = left > plot.over.clientWidth * 0.6
  tip.style.left = isRight ? '' : `${left + 10}px`
  tip.style.right = isRight ? `${plot.over.clientWidth - left + 10}px` : ''
}

function chooseWindow(plot: uPlot, latest: Latest): void {
  const { left, width } = plot.select
  if (width < DRAG_PIXELS_MIN) return
  const from = plot.posToVal(left, 'x') * 1000
  const to = plot.posToVal(left + width, 'x') * 1000
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
  latest.current.onChooseWindow(Math.floor(from), Math.ceil(to))
}
