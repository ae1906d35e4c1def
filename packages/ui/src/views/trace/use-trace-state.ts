/**
 * What the reader did to a trace: collapsed, zoomed, found, moved the cursor. The selected span and
 * the words searched for are in the address; the rest is forgotten with the page.
 */
import { useCallback, useDeferredValue, useMemo, useState } from 'react'
import type { TraceModel } from '../../model/trace-model.ts'
import {
  type Found,
  findSpans,
  nextError,
  nextMatch,
  type Rows,
  revealed,
  spansToCollapse,
  visibleRows
} from '../../model/trace-rows.ts'
import type { RouteOf } from '../../model/url.ts'
import { navigate } from '../../state/router.ts'

/** Nanoseconds after the start of the trace. */
export interface TimeRange {
  readonly fromNs: number
  readonly toNs: number
}

export interface TraceState {
  readonly rows: Rows
  readonly collapsed: ReadonlySet<number>
  readonly range: TimeRange
  readonly isZoomed: boolean
  readonly cursor: number
  readonly find: string
  readonly found: Found | undefined
  readonly onlyMatches: boolean
  setRange(range: TimeRange | undefined): void
  setFind(text: string): void
  setOnlyMatches(only: boolean): void
  /** Moves the cursor, and the details with it when they are open. */
  moveTo(index: number): void
  /** Opens the details of a span; -1 closes them. */
  select(index: number): void
  toggle(index: number): void
  collapseAll(): void
  expandAll(): void
  toError(step: 1 | -1): void
  toMatch(step: 1 | -1): void
}

export function useTraceState(model: TraceModel, route: RouteOf<'trace'>): TraceState {
  const [collapsed, setCollapsed] = useState<ReadonlySet<number>>(new Set())
  const [range, setRange] = useState<TimeRange | undefined>(undefined)
  const [cursor, setCursor] = useState(-1)
  const [onlyMatches, setOnlyMatches] = useState(false)
  const find = route.find ?? ''
  const wanted = useDeferredValue(find)
  const found = useMemo(() => findSpans(model, wanted), [model, wanted])
  const shown = onlyMatches ? found?.withAncestors : undefined
  const rows = useMemo(() => visibleRows(model, collapsed, shown), [model, collapsed, shown])

  const showSpan = useCallback(
    (index: number) => {
      const { spanId: _spanId, ...rest } = route
      const span = model.spans[index]
      navigate(span === undefined ? rest : { ...rest, spanId: span.spanId }, 'replace')
    },
    [model, route]
  )
  const moveTo = useCallback(
    (index: number) => {
      if (index < 0 || index >= model.spanCount) return
      setCursor(index)
      setCollapsed((before) => revealed(model, before, index))
      if (route.spanId !== undefined) showSpan(index)
    },
    [model, route.spanId, showSpan]
  )
  const select = useCallback(
    (index: number) => {
      if (index !== -1) setCursor(index)
      showSpan(index)
    },
    [showSpan]
  )
  const setFind = useCallback(
    (text: string) => {
      const { find: _find, ...rest } = route
      navigate(text === '' ? rest : { ...rest, find: text }, 'replace')
      if (text === '') setOnlyMatches(false)
    },
    [route]
  )
  return {
    rows,
    collapsed,
    range: range ?? { fromNs: 0, toNs: Math.max(1, model.totalNs) },
    isZoomed: range !== undefined,
    cursor,
    find,
    found,
    onlyMatches,
    setRange,
    setFind,
    setOnlyMatches,
    moveTo,
    select,
    toggle: useCallback((index) => setCollapsed((before) => toggled(before, index)), []),
    collapseAll: useCallback(() => setCollapsed(spansToCollapse(model, 1)), [model]),
    expandAll: useCallback(() => setCollapsed(new Set<number>()), []),
    toError: (step) => moveTo(nextError(model, cursor, step)),
    toMatch: (step) => {
      if (found !== undefined) moveTo(nextMatch(found, cursor, step))
    }
  }
}

function toggled(before: ReadonlySet<number>, index: number): ReadonlySet<number> {
  const after = new Set(before)
  if (!after.delete(index)) after.add(index)
  return after
}
