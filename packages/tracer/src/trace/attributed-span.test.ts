/** A span that begins with a guess is the same, at any moment, as one that does not. */
import { describe, expect, it } from 'vitest'
import { testTracer } from '../tracer.testkit.ts'
import type { RecordingSpan } from './span.ts'

function start(limits = {}) {
  const { tracer } = testTracer(limits)
  return (kind = 1) => tracer.startSpan('a', { kind }) as RecordingSpan
}

describe('the guess', () => {
  it('is seen by nobody: not before an attribute is set, not between, not after the end', () => {
    const next = start()
    const first = next()
    first.setAttributes({ a: 1, b: 2, c: 3 })
    first.end()
    const second = next()
    expect(second.attributes).toEqual({})
    second.setAttribute('a', 7)
    expect(second.attributes).toEqual({ a: 7 })
    second.end()
    expect(second.attributes).toEqual({ a: 7 })
    const third = next()
    third.setAttribute('a', 8)
    third.end()
    expect(third.flatAttributes).toEqual(['a', 8])
    expect(first.attributes).toEqual({ a: 1, b: 2, c: 3 })
    expect(second.attributes).toEqual({ a: 7 })
  })

  it('does not outlive a look at the attributes', () => {
    const next = start()
    const first = next()
    first.setAttributes({ a: 1, b: 2 })
    first.end()
    const second = next()
    second.setAttribute('a', 3)
    const seen = second.flatAttributes
    second.setAttribute('b', 4)
    second.setAttribute('c', 5)
    second.end()
    expect(seen).toEqual(['a', 3, 'b', 4, 'c', 5])
  })

  it('knows no more than the limits of its own tracer', () => {
    const many = start()()
    many.setAttributes({ a: 1, b: 2, c: 3 })
    many.end()
    const few = start({ attributesMax: 2, valueCharsMax: 3 })()
    few.put('a', 'long')
    few.setAttribute('b', 'longer')
    few.setAttribute('c', 'x')
    few.put('d', 'x')
    few.end()
    expect(few.attributes).toEqual({ a: 'lon', b: 'lon' })
    expect(few.droppedAttributesCount).toBe(2)
  })

  it('changes nothing, whatever is set in whatever order', () => {
    let state = 1
    const random = (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      return (state >>> 8) % below
    }
    const next = start({ attributesMax: 6 })
    const ended: [RecordingSpan, Record<string, unknown>][] = []
    for (let index = 0; index < 5_000; index++) {
      const span = next(random(5))
      const expected: Record<string, unknown> = {}
      // Mostly in one order, sometimes with a key left out, doubled or new.
      for (let key = 0; key < 8; key++) {
        if (random(10) === 0) continue
        const name = `k${random(10) === 0 ? random(12) : key}`
        const isNew = !Object.hasOwn(expected, name)
        const value = [index, `v${index}`, true, [index]][random(4)]!
        if (isNew && typeof value !== 'object' && random(2) === 0) span.put(name, value)
        else span.setAttribute(name, value)
        if (!isNew || Object.keys(expected).length < 6) expected[name] = value
        if (random(30) === 0) expect(span.attributes).toEqual(expected)
      }
      span.end()
      ended.push([span, expected])
    }
    for (const [span, expected] of ended) expect(span.attributes).toEqual(expected)
  })
})
