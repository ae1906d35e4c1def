/** What each key does to the trace. */
import type { TraceModel } from '../../model/trace-model.ts'
import { hasChildren } from '../../model/trace-rows.ts'
import type { TraceState } from './use-trace-state.ts'

export function keyActions(
  model: TraceModel,
  state: TraceState,
  pageRows: number
): ReadonlyMap<string, () => unknown> {
  const { rows, cursor } = state
  const moveBy = (count: number) => {
    const row = cursor === -1 ? -1 : rows.rowOf[cursor]!
    const next = Math.min(rows.spans.length - 1, Math.max(0, row + count))
    state.moveTo(rows.spans[next] ?? -1)
  }
  const right = () => {
    if (cursor === -1 || !hasChildren(model, cursor)) return
    if (state.collapsed.has(cursor)) state.toggle(cursor)
    else moveBy(1)
  }
  const left = () => {
    if (cursor === -1) return
    if (hasChildren(model, cursor) && !state.collapsed.has(cursor)) state.toggle(cursor)
    else state.moveTo(model.parent[cursor]!)
  }
  const down = () => moveBy(1)
  const up = () => moveBy(-1)
  return new Map<string, () => unknown>([
    ['j', down],
    ['k', up],
    ['ArrowDown', down],
    ['ArrowUp', up],
    ['ArrowRight', right],
    ['ArrowLeft', left],
    ['PageDown', () => moveBy(pageRows)],
    ['PageUp', () => moveBy(-pageRows)],
    ['Home', () => state.moveTo(rows.spans[0] ?? -1)],
    ['End', () => state.moveTo(rows.spans[rows.spans.length - 1] ?? -1)],
    ['Enter', () => cursor !== -1 && state.select(cursor)],
    ['Escape', () => state.select(-1)],
    ['e', () => state.toError(1)],
    ['E', () => state.toError(-1)],
    ['n', () => state.toMatch(1)],
    ['N', () => state.toMatch(-1)],
    ['[', state.collapseAll],
    [']', state.expandAll],
    ['0', () => state.setRange(undefined)],
    ['/', () => document.querySelector<HTMLInputElement>('.find-field input')?.focus()]
  ])
}

export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLInputElement ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement
  )
}
