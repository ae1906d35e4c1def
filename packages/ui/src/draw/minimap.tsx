/**
 * The whole trace in 56 pixels: every shown span a line in its service's colour, errors in red. A
 * drag zooms the waterfall to that time. One canvas, drawn again only when rows, size or theme
 * change; the zoomed window is an element over it.
 */
import { type PointerEvent, useEffect, useRef, useState } from 'react'
import { formatDurationNano } from '../model/format.ts'
import { niceTicks } from '../model/ticks.ts'
import { FLAG_ERROR, type TraceModel } from '../model/trace-model.ts'
import type { Rows } from '../model/trace-rows.ts'
import { serviceColour } from '../state/preferences.ts'
import { cssColour, onThemeChange } from './css-colour.ts'
import { useSize } from './use-size.ts'

const HEIGHT = 56
/** A drag over less of the width is a click. */
const DRAG_SHARE_MIN = 0.004

interface Range {
  readonly fromNs: number
  readonly toNs: number
}

interface MinimapProps {
  readonly model: TraceModel
  readonly rows: Rows
  readonly range: Range
  readonly isZoomed: boolean
  readonly onRange: (range: Range | undefined) => void
}

export function Minimap({ model, rows, range, isZoomed, onRange }: MinimapProps) {
  const { ref, width } = useSize<HTMLDivElement>()
  const canvas = useRef<HTMLCanvasElement>(null)
  const [drag, setDrag] = useState<{ readonly from: number; readonly to: number } | undefined>()
  useEffect(() => {
    const target = canvas.current
    if (target === null || width === 0) return
    const draw = () => drawSpans(target, width, model, rows)
    draw()
    return onThemeChange(draw)
  }, [model, rows, width])

  const shareAt = (event: PointerEvent) => {
    const box = event.currentTarget.getBoundingClientRect()
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width))
  }
  const total = Math.max(1, model.totalNs)
  const from = drag === undefined ? range.fromNs / total : Math.min(drag.from, drag.to)
  const to = drag === undefined ? range.toNs / total : Math.max(drag.from, drag.to)
  const isMarked = isZoomed || drag !== undefined
  const ticks = niceTicks(0, total, Math.max(2, Math.floor(width / 130)))
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys 0, [ and ] do the same for the tree
    <div
      ref={ref}
      className="minimap"
      title="Drag to zoom, double-click for the whole trace"
      onPointerDown={(event) => {
        if (event.button !== 0) return
        event.currentTarget.setPointerCapture(event.pointerId)
        setDrag({ from: shareAt(event), to: shareAt(event) })
      }}
      onPointerMove={(event) => {
        if (drag !== undefined) setDrag({ from: drag.from, to: shareAt(event) })
      }}
      onPointerUp={() => {
        if (drag !== undefined && to - from > DRAG_SHARE_MIN) {
          onRange({ fromNs: from * total, toNs: to * total })
        }
        setDrag(undefined)
      }}
      onPointerCancel={() => setDrag(undefined)}
      onDoubleClick={() => onRange(undefined)}
    >
      <canvas ref={canvas} className="minimap-canvas" style={{ width, height: HEIGHT }} />
      {ticks.map((tick) => (
        <span key={tick} className="minimap-tick" style={{ left: `${(tick / total) * 100}%` }}>
          {formatDurationNano(tick)}
        </span>
      ))}
      {isMarked && (
        <>
          <i className="minimap-shade" style={{ left: 0, width: `${from * 100}%` }} />
          <i className="minimap-shade" style={{ left: `${to * 100}%`, right: 0 }} />
          <i
            className="minimap-window"
            style={{ left: `${from * 100}%`, width: `${(to - from) * 100}%` }}
          />
        </>
      )}
    </div>
  )
}

function drawSpans(canvas: HTMLCanvasElement, width: number, model: TraceModel, rows: Rows): void {
  const ratio = window.devicePixelRatio || 1
  canvas.width = Math.round(width * ratio)
  canvas.height = Math.round(HEIGHT * ratio)
  const context = canvas.getContext('2d')
  const host = canvas.parentElement
  if (context === null || host === null) return
  const colours = model.services.map((service) =>
    cssColour(host, serviceColour(service).slice('var('.length, -1))
  )
  const bad = cssColour(host, '--bad')
  const top = 16 * ratio
  const space = canvas.height - top - 4 * ratio
  const pitch = Math.min(4 * ratio, space / Math.max(1, rows.spans.length))
  const thick = Math.max(ratio, pitch * 0.7)
  const scale = canvas.width / Math.max(1, model.totalNs)
  for (let row = 0; row < rows.spans.length; row++) {
    const index = rows.spans[row]!
    const isError = (model.flags[index]! & FLAG_ERROR) !== 0
    context.fillStyle = isError ? bad : colours[model.service[index]!]!
    const length = Math.max(ratio, model.durationNs[index]! * scale)
    context.fillRect(model.startNs[index]! * scale, top + row * pitch, length, thick)
  }
}
