import { describe, expect, it } from 'vitest'
import { testTracer } from '../tracer.testkit.ts'
import { exceptionAttributes } from './exception.ts'
import type { RecordingSpan } from './span.ts'

const stackOf = (error: unknown) => String(exceptionAttributes(error)?.['exception.stacktrace'])

describe('an exception', () => {
  it('brings its causes, one below the other, indented', () => {
    const inner = new TypeError('no such row')
    const middle = new Error('query failed', { cause: inner })
    const text = stackOf(new Error('order failed', { cause: middle }))
    expect(text).toMatch(/^Error: order failed\n {4}at /)
    expect(text).toMatch(/\n {2}\[cause\]: Error: query failed\n {6}at /)
    expect(text).toMatch(/\n {4}\[cause\]: TypeError: no such row\n {8}at /)
  })

  it('brings the errors of an aggregate, and causes that are no errors', () => {
    const all = new AggregateError([new Error('first'), 'second'], 'both', { cause: { a: 1 } })
    const text = stackOf(all)
    expect(text).toContain('\n  [errors][0]: Error: first')
    expect(text).toContain('\n  [errors][1]: second')
    expect(text).toContain('\n  [cause]: [object Object]')
  })

  it('ends where causes go in a circle', () => {
    const first = new Error('first')
    const second = new Error('second', { cause: first })
    first.cause = second
    const text = stackOf(first)
    expect(text.match(/Error: first/g)).toHaveLength(1)
    expect(text).toMatch(/\[cause\]: \[Circular\]$/)
  })

  it('goes 8 causes deep and not 9', () => {
    let error: Error = new Error('depth 9')
    for (let depth = 8; depth >= 0; depth--) error = new Error(`depth ${depth}`, { cause: error })
    expect(stackOf(error)).toContain('Error: depth 8')
    expect(stackOf(error)).not.toContain('Error: depth 9')
  })

  it('has at most 32,768 characters of stack', () => {
    const error = new Error('long')
    error.stack = 'x'.repeat(32_768)
    expect(stackOf(error)).toHaveLength(32_768)
    error.stack += 'y'
    error.cause = new Error('no room')
    expect(stackOf(error)).toBe('x'.repeat(32_768))
  })

  it('reads a stack once', () => {
    let reads = 0
    const error = new Error('a')
    Object.defineProperty(error, 'stack', {
      get() {
        reads++
        return 'Error: a\n    at b'
      }
    })
    exceptionAttributes(error)
    expect(reads).toBe(1)
  })

  it('is typed by its code, its name, or its class', () => {
    class NoSuchOrder extends Error {}
    const type = (error: unknown) => exceptionAttributes(error)?.['exception.type']
    expect(type(Object.assign(new Error('a'), { code: 'ECONNRESET' }))).toBe('ECONNRESET')
    expect(type(new RangeError('a'))).toBe('RangeError')
    expect(type(new NoSuchOrder('a'))).toBe('NoSuchOrder')
    expect(type(new Error('a'))).toBe('Error')
    expect(exceptionAttributes('text')).toEqual({ 'exception.message': 'text' })
    expect(exceptionAttributes(undefined)).toBeUndefined()
    expect(exceptionAttributes({})).toBeUndefined()
  })

  it('that cannot be read is still an event', () => {
    const hostile = new Proxy(new Error('a'), {
      get() {
        throw new Error('unreadable')
      }
    })
    const { tracer } = testTracer()
    const span = tracer.startSpan('a') as RecordingSpan
    span.recordException(new Error('outer', { cause: hostile }))
    expect(() => span.recordException(hostile)).not.toThrow()
    expect(span.events[0]!.attributes!['exception.stacktrace']).toContain('Error: outer')
  })
})
