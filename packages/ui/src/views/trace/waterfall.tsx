/**
 * The waterfall: a tree of spans against time. Only the rows in view are in the document (some 40,
 * whatever the trace holds), each placed by its number; the tree keeps the focus and names the row
 * under the cursor, so that keyboard and screen reader need no row to be focused.
 */
import { useEffect, useRef, useState } from 'react'
import { useSize } from '../../draw/use-size.ts'
import { formatDurationNano } from '../../model/format.ts'
import { niceTicks } from '../../model/ticks.ts'
import type { TraceModel } from '../../model/trace-model.ts'
import { rowId, SpanRow } from './span-row.tsx'
import { isTyping, keyActions } from './trace-keys.ts'
import type { TraceState } from './use-trace-state.ts'

export const ROW_HEIGHT = 30
/** The axis stays on top of the rows that scroll under it. */
const AXIS_HEIGHT = 28
/** Rows drawn above and below those in view, so that fast scrolling shows no gap. */
const OVERSCAN = 12
const INDENT_MAX = 14

interface WaterfallProps {
  readonly model: TraceModel
  readonly state: TraceState
  readonly selected: number
}

export function Waterfall({ model, state, selected }: WaterfallProps) {
  const { ref, width, height } = useSize<HTMLDivElement>()
  const [top, setTop] = useState(0)
  const { rows, range, cursor } = state
  useKeys(model, state, Math.max(1, Math.floor(height / ROW_HEIGHT) - 2))
  useScrollToCursor(ref, rows.rowOf[cursor === -1 ? selected : cursor] ?? -1, height - AXIS_HEIGHT)

  const count = rows.spans.length
  const first = Math.max(0, Math.floor(top / ROW_HEIGHT) - OVERSCAN)
  const last = Math.min(count, Math.ceil((top + height) / ROW_HEIGHT) + OVERSCAN)
  const rangeNs = Math.max(1, range.toNs - range.fromNs)
  const barWidth = Math.max(1, width * 0.6)
  const ticks = niceTicks(range.fromNs, range.toNs, Math.max(2, Math.floor(barWidth / 120)))
  const indent = Math.min(INDENT_MAX, (width * 0.2) / Math.max(1, model.depthMax))
  const active = cursor !== -1 && rows.rowOf[cursor] !== -1 ? rowId(cursor) : undefined
  const place = (ns: number) => ((ns - range.fromNs) / rangeNs) * 100
  return (
    <div className="waterfall">
      <div
        ref={ref}
        className="waterfall-rows"
        role="tree"
        tabIndex={0}
        aria-label="Spans of the trace"
        aria-activedescendant={active}
        onScroll={(event) => {
          // In whole rows: scrolling within a row draws nothing.
          const now = Math.floor(event.currentTarget.scrollTop / ROW_HEIGHT) * ROW_HEIGHT
          if (now !== top) setTop(now)
        }}
      >
        <div className="waterfall-axis" aria-hidden="true">
          <span className="axis-name">Service and operation</span>
          <div className="axis-ticks">
            {ticks.map((tick) => (
              <span key={tick} style={{ left: `${place(tick)}%` }}>
                {formatDurationNano(tick)}
              </span>
            ))}
          </div>
        </div>
        <div className="waterfall-space" style={{ height: count * ROW_HEIGHT }} role="none">
          <div className="waterfall-grid" role="none">
            {ticks.map((tick) => (
              <i key={tick} style={{ left: `${place(tick)}%` }} />
            ))}
          </div>
          {Array.from(rows.spans.subarray(first, last), (index, offset) => (
            <SpanRow
              key={index}
              model={model}
              index={index}
              top={(first + offset) * ROW_HEIGHT}
              indent={indent}
              fromNs={range.fromNs}
              rangeNs={rangeNs}
              barWidth={barWidth}
              isCollapsed={state.collapsed.has(index)}
              isCursor={cursor === index}
              isSelected={selected === index}
              match={
                state.found === undefined ? 'none' : state.found.matches[index] === 1 ? 'yes' : 'no'
              }
              onToggle={state.toggle}
              onSelect={state.select}
            />
          ))}
        </div>
      </div>
    </div>
  )
}

/** Keys work wherever the focus is, except in a field. */
function useKeys(model: TraceModel, state: TraceState, pageRows: number): void {
  const latest = useRef({ model, state, pageRows })
  latest.current = { model, state, pageRows }
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      const now = latest.current
      const act = keyActions(now.model, now.state, now.pageRows).get(event.key)
      if (act === undefined) return
      // Enter on a focused button or link is theirs.
      const onControl =
        event.target instanceof Element && event.target.closest('button, a') !== null
      if (event.key === 'Enter' && onControl) return
      event.preventDefault()
      act()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])
}

/** Brings the row under the cursor into view when the cursor moves, and only then. */
function useScrollToCursor(
  ref: React.RefObject<HTMLDivElement | null>,
  row: number,
  height: number
): void {
  useEffect(() => {
    const scroller = ref.current
    if (scroller === null || row === -1 || height === 0) return
    const top = row * ROW_HEIGHT
    const isAbove = top < scroller.scrollTop
    const isBelow = top + ROW_HEIGHT > scroller.scrollTop + height
    const isFar = top < scroller.scrollTop - height || top > scroller.scrollTop + 2 * height
    if (isFar) scroller.scrollTop = top - height / 3
    else if (isAbove) scroller.scrollTop = top
    else if (isBelow) scroller.scrollTop = top + ROW_HEIGHT - height
  }, [ref, row, height])
}
