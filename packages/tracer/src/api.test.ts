import { SpanStatusCode } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { createOwnApi } from './api.ts'
import type { RecordingSpan } from './trace/span.ts'
import { testTracer } from './tracer.testkit.ts'

function started(limits = {}) {
  const { provider, contexts, ended } = testTracer(limits)
  const api = createOwnApi(provider.getTracer('own'), contexts)
  return { api, ended, contexts, names: () => ended.map((span) => span.name) }
}

describe('trace', () => {
  it('ends with what is returned, with a promise, and with a thenable', async () => {
    const { api, ended } = started()
    expect(api.trace('sync', () => 1)).toBe(1)
    expect(ended).toHaveLength(1)
    const waiting = api.trace('promise', async (span) => {
      await Promise.resolve()
      expect(api.activeSpan()).toBe(span)
      return 2
    })
    expect(ended).toHaveLength(1)
    expect(await waiting).toBe(2)
    expect(ended).toHaveLength(2)
    let runs = 0
    // biome-ignore lint/suspicious/noThenProperty: as query builders are
    const lazy = { then: (resolve: (value: number) => void) => resolve(++runs) }
    expect(await api.trace('thenable', () => lazy as unknown as Promise<number>)).toBe(1)
    expect(ended).toHaveLength(3)
    expect(api.activeSpan()).toBeUndefined()
  })

  it('records what is thrown, and throws the same on', async () => {
    const { api, ended } = started()
    const error = new RangeError('too far')
    const thrown = () => {
      throw error
    }
    expect(() => api.trace('sync', thrown)).toThrow(error)
    await expect(api.trace('async', async () => thrown())).rejects.toBe(error)
    for (const span of ended) {
      expect(span.status).toEqual({ code: SpanStatusCode.ERROR, message: 'too far' })
      expect(span.attributes).toEqual({ 'error.type': 'RangeError' })
      expect(span.events.map((event) => event.name)).toEqual(['exception'])
    }
    expect(ended).toHaveLength(2)
  })

  it('without a function runs nothing and throws nothing', () => {
    const { api, ended } = started()
    expect(api.trace('a', undefined as never)).toBeUndefined()
    expect(api.trace('a', {}, 7 as never)).toBeUndefined()
    expect(ended).toEqual([])
  })
})

describe('trace with a second parameter', () => {
  it('ends when that is called, or with a promise', async () => {
    const { api, ended, names } = started()
    let end: ((error?: unknown) => void) | undefined
    const answer = api.trace('later', (_span, done) => {
      end = done
      return 7
    })
    expect(answer).toBe(7)
    expect(names()).toEqual([])
    end!(new TypeError('late'))
    end!()
    expect(names()).toEqual(['later'])
    expect(ended[0]!.attributes).toEqual({ 'error.type': 'TypeError' })
    await api.trace('promise', async (_span, _done) => {})
    expect(() =>
      api.trace('thrown', (_span, _done) => {
        throw new Error('at once')
      })
    ).toThrow('at once')
    expect(names()).toEqual(['later', 'promise', 'thrown'])
    expect(createOwnApi(undefined, undefined).trace('off', (_span, done) => done())).toBeUndefined()
  })
})

describe('wrap', () => {
  it('takes what makes the options of each call', () => {
    const { api, ended } = started()
    const options = (id: number) => ({ attributes: { id } })
    const load = api.wrap('load', options, (id: number) => id * 2)
    expect(load(2)).toBe(4)
    expect(ended[0]!.attributes).toEqual({ id: 2 })
    const faulty = api.wrap(
      'faulty',
      (): never => {
        throw new Error('no options')
      },
      (id: number) => id * 3
    )
    expect(faulty(2)).toBe(6)
    expect(ended[1]!.name).toBe('faulty')
  })

  it('gives a function like the one it was given', async () => {
    const { api, names } = started()
    function load(this: { base: number }, a: number, b: number) {
      return this.base + a + b
    }
    load.extra = 'kept'
    const wrapped = api.wrap('load', { attributes: { a: 1 } }, load)
    expect(wrapped.call({ base: 1 }, 2, 3)).toBe(6)
    expect([wrapped.name, wrapped.length, wrapped.extra]).toEqual(['load', 2, 'kept'])
    const later = api.wrap('later', async (value: number) => value)
    expect(later.constructor.name).toBe('AsyncFunction')
    expect(await later(5)).toBe(5)
    class Order {
      readonly id: number
      constructor(id: number) {
        this.id = id
      }
    }
    const Wrapped = api.wrap('order', Order as never) as unknown as typeof Order
    expect(new Wrapped(7)).toBeInstanceOf(Order)
    expect(new Wrapped(7).id).toBe(7)
    expect(names()).toEqual(['load', 'later', 'order', 'order'])
    expect(api.wrap('none', 7 as never)).toBe(7)
  })
})

describe('setUser', () => {
  it('is on the local root, on the active span and on those that follow, not on those before', () => {
    const { api, ended } = started()
    api.trace('root', () => {
      api.trace('before', () => {})
      api.trace('active', () => {
        api.setUser({ id: 7, name: 'Ada', roles: ['admin'] })
        api.trace('below', () => {})
      })
      api.trace('after', () => {})
      api.setUser({ id: 'b' })
      api.trace('another', () => {})
    })
    api.trace('next request', () => {})
    const users = Object.fromEntries(
      ended.map((span) => [span.name, span.attributes['user.id'] ?? null])
    )
    expect(users).toEqual({
      before: null,
      below: '7',
      active: '7',
      after: '7',
      another: 'b',
      root: 'b',
      'next request': null
    })
    const below = ended.find((span) => span.name === 'below')!
    expect(below.attributes).toEqual({
      'user.id': '7',
      'user.name': 'Ada',
      'user.roles': ['admin']
    })
  })

  it('keeps to the limits, and is harmless after the end', () => {
    const { api, ended, contexts } = started({ attributesMax: 1 })
    let left: unknown
    api.trace('root', () => {
      api.setUser({ id: 'a', name: 'b' })
      left = contexts.active()
    })
    contexts.with(left as never, () => api.setUser({ id: 'late' }))
    expect(ended[0]!.attributes).toEqual({ 'user.id': 'a' })
    expect(ended[0]!.droppedAttributesCount).toBe(1)
    api.setUser({ id: 'nobody' })
  })
})

describe('recordError', () => {
  it('makes the active span a failed one, with the attributes given', () => {
    const { api, ended } = started()
    api.trace('a', () => api.recordError(new TypeError('handled'), { 'order.id': 7 }))
    const [span] = ended as [RecordingSpan]
    expect(span.status.code).toBe(SpanStatusCode.ERROR)
    expect(span.attributes).toEqual({ 'error.type': 'TypeError' })
    expect(span.events[0]!.attributes).toMatchObject({
      'exception.type': 'TypeError',
      'exception.message': 'handled',
      'order.id': 7
    })
    expect(() => api.recordError(new Error('nowhere'))).not.toThrow()
  })
})

describe('the own API', () => {
  function fail(): never {
    throw new Error('hostile')
  }
  const hostile: unknown[] = [
    undefined,
    null,
    7,
    10n,
    Symbol('a'),
    'text',
    {},
    [],
    new Proxy({}, { get: fail, ownKeys: fail, getPrototypeOf: fail }),
    { toString: fail },
    Object.defineProperty({}, 'id', { get: fail, enumerable: true }),
    { attributes: Symbol('a'), kind: fail, id: fail, roles: [Symbol('r'), { toString: fail }] }
  ]

  it.each([
    ['started', () => started().api],
    ['switched off', () => createOwnApi(undefined, undefined)]
  ])('takes anything, when %s', (_name, make) => {
    const api = make() as unknown as Record<string, (...args: unknown[]) => unknown>
    for (const first of hostile) {
      for (const second of hostile) {
        api.trace!(first, second)
        api.wrap!(first, second)
        expect(api.trace!(first, second, () => 1)).toBe(1)
        expect((api.wrap!(first, second, () => 2) as () => number)()).toBe(2)
        api.trace!('a', () => {
          api.setUser!(first)
          api.recordError!(first, second)
          return second
        })
        api.setUser!(first)
        api.recordError!(first, second)
      }
    }
  })

  it('runs the code when it is switched off', () => {
    const api = createOwnApi(undefined, undefined)
    const double = (value: number) => value * 2
    expect(api.trace('a', (span) => span.isRecording())).toBe(false)
    expect(api.wrap('a', double)).toBe(double)
    expect(api.activeSpan()).toBeUndefined()
  })
})
