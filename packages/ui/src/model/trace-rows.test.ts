import { describe, expect, it } from 'vitest'
import { traceOf } from './trace-fixture.ts'
import { buildTraceModel } from './trace-model.ts'
import {
  findSpans,
  hasChildren,
  nextError,
  nextMatch,
  revealed,
  selfParts,
  serviceShares,
  spansToCollapse,
  visibleRows
} from './trace-rows.ts'

/** Indices: root 0, a 1, a1 2, a2 3, b 4, c 5, c1 6. */
const model = buildTraceModel(
  traceOf([
    { id: 'root', at: 0, for: 100 },
    { id: 'a', parent: 'root', at: 10, for: 30, service: 'catalog' },
    { id: 'a1', parent: 'a', at: 12, for: 8, attributes: { 'db.name': 'Shop' } },
    { id: 'a2', parent: 'a', at: 15, for: 10, error: true },
    { id: 'b', parent: 'root', at: 50, for: 10, name: 'charge card' },
    { id: 'c', parent: 'root', at: 70, for: 50 },
    { id: 'c1', parent: 'c', at: 71, for: 5, error: true }
  ])
)
const shown = (rows: { readonly spans: Int32Array }) => [...rows.spans]

describe('visibleRows', () => {
  it('shows all spans, then skips what is below a collapsed one', () => {
    expect(shown(visibleRows(model, new Set()))).toEqual([0, 1, 2, 3, 4, 5, 6])

    const rows = visibleRows(model, new Set([1]))

    expect(shown(rows)).toEqual([0, 1, 4, 5, 6])
    expect([...rows.rowOf]).toEqual([0, 1, -1, -1, 2, 3, 4])
  })

  it('shows the root alone when that is collapsed', () => {
    expect(shown(visibleRows(model, new Set([0, 1])))).toEqual([0])
  })

  it('collapses all below a depth', () => {
    expect([...spansToCollapse(model, 0)]).toEqual([0, 1, 5])
    expect([...spansToCollapse(model, 1)]).toEqual([1, 5])
    expect(hasChildren(model, 4)).toBe(false)
  })

  it('opens what hides a span, and nothing else', () => {
    const collapsed = new Set([0, 1, 5])

    expect([...revealed(model, collapsed, 3)]).toEqual([5])
    expect(revealed(model, collapsed, 0)).toBe(collapsed)
  })
})

describe('findSpans', () => {
  it('finds names, services and attributes, whatever their case', () => {
    expect([...findSpans(model, 'CATALOG')!.matches]).toEqual([0, 1, 0, 0, 0, 0, 0])
    expect([...findSpans(model, 'db.name=shop')!.matches]).toEqual([0, 0, 1, 0, 0, 0, 0])
    expect(findSpans(model, 'card charge')!.count).toBe(1)
    expect(findSpans(model, 'error')!.count).toBe(2)
    expect(findSpans(model, 'no such thing')!.count).toBe(0)
    expect(findSpans(model, '  ')).toBeUndefined()
  })

  it('keeps the way up to each match when only matches are shown', () => {
    const found = findSpans(model, 'db.name=shop')!

    expect(shown(visibleRows(model, new Set(), found.withAncestors))).toEqual([0, 1, 2])
  })

  it('walks through the matches, round the end', () => {
    const found = findSpans(model, 'error')!

    expect(nextMatch(found, -1, 1)).toBe(3)
    expect(nextMatch(found, 3, 1)).toBe(6)
    expect(nextMatch(found, 6, 1)).toBe(3)
    expect(nextMatch(found, 3, -1)).toBe(6)
  })
})

describe('nextError', () => {
  it('starts at the first and goes round', () => {
    expect(nextError(model, -1, 1)).toBe(3)
    expect(nextError(model, 3, 1)).toBe(6)
    expect(nextError(model, 6, 1)).toBe(3)
    expect(nextError(model, -1, -1)).toBe(6)
  })

  it('finds none in a trace without errors', () => {
    expect(nextError(buildTraceModel(traceOf([{ id: 'a', at: 0, for: 1 }])), -1, 1)).toBe(-1)
  })
})

describe('selfParts', () => {
  it('is what no child covers, with children that overlap counted once', () => {
    expect(selfParts(model, 0, 0)).toEqual([0, 10, 40, 50, 60, 70])
    expect(selfParts(model, 1, 0)).toEqual([10, 12, 25, 40])
    expect(selfParts(model, 4, 0)).toEqual([50, 60])
  })

  it('joins parts that are too close to be drawn apart', () => {
    expect(selfParts(model, 0, 10)).toEqual([0, 10, 40, 70])
    expect(selfParts(model, 0, 100)).toEqual([0, 70])
  })

  it('leaves out a child that runs before its parent', () => {
    const skewed = buildTraceModel(
      traceOf([
        { id: 'root', at: 0, for: 100 },
        { id: 'early', parent: 'root', at: -30, for: 50 }
      ])
    )

    expect(selfParts(skewed, 0, 0)).toEqual([50, 130])
  })
})

describe('serviceShares', () => {
  it('adds up own time, spans and errors, most time first', () => {
    expect(serviceShares(model)).toEqual([
      { service: 'shop', spanCount: 6, errorCount: 2, selfNs: 183 },
      { service: 'catalog', spanCount: 1, errorCount: 0, selfNs: 30 }
    ])
  })
})
