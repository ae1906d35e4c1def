import { describe, expect, it } from 'vitest'
import { traceOf } from './trace-fixture.ts'
import {
  buildTraceModel,
  FLAG_EARLY,
  FLAG_ERROR,
  FLAG_ORPHAN,
  FLAG_OUTLIVES,
  indexOfSpan,
  relativeNs,
  type TraceModel
} from './trace-model.ts'

const ids = (model: TraceModel) => model.spans.map((span) => span.spanId)
const flagsOf = (model: TraceModel, id: string) => model.flags[indexOfSpan(model, id)]!

describe('buildTraceModel', () => {
  it('puts parents before children and siblings by start', () => {
    const model = buildTraceModel(
      traceOf([
        { id: 'root', at: 0, for: 100 },
        { id: 'b', parent: 'root', at: 50, for: 10 },
        { id: 'a', parent: 'root', at: 10, for: 30, service: 'catalog' },
        { id: 'a2', parent: 'a', at: 25, for: 5, error: true },
        { id: 'a1', parent: 'a', at: 12, for: 5 }
      ])
    )

    expect(ids(model)).toEqual(['root', 'a', 'a1', 'a2', 'b'])
    expect([...model.depth]).toEqual([0, 1, 2, 2, 1])
    expect([...model.parent]).toEqual([-1, 0, 1, 1, 0])
    expect([...model.subtreeEnd]).toEqual([5, 4, 3, 4, 5])
    expect([...model.subtreeErrors]).toEqual([1, 1, 0, 1, 0])
    expect([...model.startNs]).toEqual([0, 10, 12, 25, 50])
    expect(model.services).toEqual(['shop', 'catalog'])
    expect([...model.service]).toEqual([0, 1, 0, 0, 0])
    expect(model).toMatchObject({ spanCount: 5, totalNs: 100, errorCount: 1, depthMax: 2 })
    expect(model).toMatchObject({ rootIndex: 0, orphanCount: 0, earlyCount: 0 })
    expect(flagsOf(model, 'a2')).toBe(FLAG_ERROR)
  })

  it('shows spans whose parent never came at the top level, and says so', () => {
    const model = buildTraceModel(
      traceOf([
        { id: 'lost', parent: 'missing', at: 5, for: 10 },
        { id: 'child', parent: 'lost', at: 6, for: 2 },
        { id: 'root', at: 8, for: 100 }
      ])
    )

    expect(ids(model)).toEqual(['lost', 'child', 'root'])
    expect(flagsOf(model, 'lost')).toBe(FLAG_ORPHAN)
    expect(flagsOf(model, 'child')).toBe(0)
    expect(model.orphanCount).toBe(1)
    // The root is the span without a parent, not the one that happens to be first.
    expect(model.rootIndex).toBe(2)
  })

  it('takes the earliest span for the root when there is none', () => {
    const model = buildTraceModel(traceOf([{ id: 'lost', parent: 'missing', at: 5, for: 10 }]))

    expect(model.rootIndex).toBe(0)
  })

  it('cuts circles of parents, and shows every span once', () => {
    const model = buildTraceModel(
      traceOf([
        { id: 'root', at: 0, for: 10 },
        { id: 'self', parent: 'self', at: 1, for: 1 },
        { id: 'x', parent: 'z', at: 2, for: 1 },
        { id: 'y', parent: 'x', at: 3, for: 1 },
        { id: 'z', parent: 'y', at: 4, for: 1 },
        { id: 'tail', parent: 'y', at: 5, for: 1 }
      ])
    )

    expect(ids(model).sort()).toEqual(['root', 'self', 'tail', 'x', 'y', 'z'])
    expect(model.orphanCount).toBe(2)
    expect(flagsOf(model, 'self')).toBe(FLAG_ORPHAN)
  })

  it('keeps every span when an id is there twice', () => {
    const model = buildTraceModel(
      traceOf([
        { id: 'a', at: 0, for: 10, name: 'client' },
        { id: 'a', parent: 'a', at: 1, for: 8, name: 'server' },
        { id: 'b', parent: 'a', at: 2, for: 1 }
      ])
    )

    expect(model.spanCount).toBe(3)
    expect(model.spans.map((span) => span.name).sort()).toEqual(['b', 'client', 'server'])
    expect(model.parent[indexOfSpan(model, 'b')]).toBe(0)
  })

  it('shows a child that starts before its parent where it was reported', () => {
    const model = buildTraceModel(
      traceOf([
        { id: 'root', at: 0, for: 100 },
        { id: 'early', parent: 'root', at: -20, for: 10 },
        { id: 'long', parent: 'root', at: 90, for: 50 }
      ])
    )

    expect(model.startNs[indexOfSpan(model, 'early')]).toBe(0)
    expect(model.startNs[indexOfSpan(model, 'root')]).toBe(20)
    expect(flagsOf(model, 'early')).toBe(FLAG_EARLY)
    expect(flagsOf(model, 'long')).toBe(FLAG_OUTLIVES)
    expect(model.earlyCount).toBe(1)
    expect(model.totalNs).toBe(160)
  })

  it('counts nanoseconds exactly', () => {
    const model = buildTraceModel(
      traceOf([
        { id: 'root', at: 0, for: 3_600_000_000_001 },
        { id: 'last', parent: 'root', at: 3_600_000_000_000, for: 1 }
      ])
    )

    expect(model.startNs[1]).toBe(3_600_000_000_000)
    expect(relativeNs(model, '1795000000000000007')).toBe(7)
  })

  it('takes numbers that are none for zero', () => {
    const trace = traceOf([{ id: 'root', at: 0, for: 5 }])
    const broken = { ...trace.spans[0]!, startTimeUnixNano: 'soon', durationNano: '' }

    const model = buildTraceModel({ ...trace, spans: [broken] })

    expect(model.totalNs).toBe(0)
  })

  it('holds a trace without spans', () => {
    const model = buildTraceModel(traceOf([]))

    expect(model).toMatchObject({ spanCount: 0, rootIndex: -1, totalNs: 0 })
  })

  it('holds a chain of 10,000 spans without a deep stack', () => {
    const model = buildTraceModel(
      traceOf(
        Array.from({ length: 10_000 }, (_, at) => ({
          id: `s${at}`,
          ...(at === 0 ? {} : { parent: `s${at - 1}` }),
          at,
          for: 20_000 - at
        }))
      )
    )

    expect(model.depthMax).toBe(9_999)
    expect(model.subtreeEnd[0]).toBe(10_000)
  })
})
