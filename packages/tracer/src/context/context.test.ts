import { EventEmitter } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Context,
  createContextKey,
  propagation,
  ROOT_CONTEXT,
  trace
} from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { testTracer } from '../tracer.testkit.ts'
import { isSuppressed, ROOT_FRAME, SUPPRESS_KEY } from './frame.ts'
import { SpanloomContextManager } from './manager.ts'

describe('a frame', () => {
  it('is immutable and keeps what it does not change', () => {
    const { tracer } = testTracer()
    const key = createContextKey('app')
    const span = tracer.startSpan('a')
    const baggage = propagation.createBaggage({ k: { value: 'v' } })
    const full = propagation.setBaggage(trace.setSpan(ROOT_FRAME.setValue(key, 1), span), baggage)
    expect(full.getValue(key)).toBe(1)
    expect(trace.getSpan(full)).toBe(span)
    expect(propagation.getBaggage(full)).toBe(baggage)
    expect(full.deleteValue(key).getValue(key)).toBeUndefined()
    expect(trace.getSpan(trace.deleteSpan(full))).toBeUndefined()
    expect(propagation.getBaggage(trace.deleteSpan(full))).toBe(baggage)
    expect(trace.getSpan(ROOT_FRAME)).toBeUndefined()
    expect(full.getValue(key)).toBe(1)
  })

  it('holds spans of other SDKs as they are', () => {
    const foreign = trace.wrapSpanContext({
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      traceFlags: 1
    })
    expect(trace.getSpan(trace.setSpan(ROOT_FRAME, foreign))).toBe(foreign)
  })

  it('suppresses tracing by the SDK’s key, in frames and in the API’s contexts', () => {
    expect(isSuppressed(ROOT_FRAME.setValue(SUPPRESS_KEY, true))).toBe(true)
    expect(isSuppressed(ROOT_CONTEXT.setValue(SUPPRESS_KEY, true))).toBe(true)
    expect(isSuppressed(ROOT_FRAME)).toBe(false)
    const { tracer } = testTracer()
    const span = tracer.startSpan('a', {}, ROOT_FRAME.setValue(SUPPRESS_KEY, true))
    expect(span.isRecording()).toBe(false)
    expect(trace.isSpanContextValid(span.spanContext())).toBe(false)
  })
})

describe('the context manager', () => {
  it('has the API’s root outside, and what was given inside, also after waiting', async () => {
    const manager = new SpanloomContextManager()
    const inside = ROOT_CONTEXT.setValue(createContextKey('k'), 1)
    expect(manager.active()).toBe(ROOT_CONTEXT)
    const result = await manager.with(
      inside,
      async function (this: unknown, add: number) {
        await sleep(1)
        expect(manager.active()).toBe(inside)
        return (this as { base: number }).base + add
      },
      { base: 1 },
      2
    )
    expect(result).toBe(3)
    expect(manager.active()).toBe(ROOT_CONTEXT)
  })

  it('binds functions, and emitters so that listeners can be removed again', () => {
    const manager = new SpanloomContextManager()
    const inside = ROOT_CONTEXT.setValue(createContextKey('k'), 1)
    const bound = manager.bind(inside, (_a: number, _b: number) => manager.active())
    expect(bound(1, 2)).toBe(inside)
    expect(bound.length).toBe(2)

    const emitter = manager.bind(inside, new EventEmitter())
    const seen: unknown[] = []
    const listener = () => seen.push(manager.active())
    emitter.on('event', listener)
    emitter.once('event', listener)
    emitter.emit('event')
    emitter.removeListener('event', listener)
    emitter.emit('event')
    expect(seen).toEqual([inside, inside])
    expect(manager.bind(inside, 7)).toBe(7)
    expect(manager.bind(inside, Object.freeze(new EventEmitter())).listenerCount('event')).toBe(0)
    expect(() => emitter.on('event', 7 as never)).toThrow(/listener/)
  })

  it('binds an emitter once, to the newest context, and removes listeners of once', () => {
    const manager = new SpanloomContextManager()
    const [first, second] = [1, 2].map((value) =>
      ROOT_CONTEXT.setValue(createContextKey('k'), value)
    ) as [Context, Context]
    const emitter = manager.bind(first, new EventEmitter())
    const seen: unknown[] = []
    const listener = () => seen.push(manager.active())
    emitter.on('event', listener)
    manager.bind(second, emitter)
    emitter.prependOnceListener('event', listener)
    emitter.emit('event')
    expect(seen.splice(0)).toEqual([second, first])
    emitter.once('event', listener)
    emitter.on('event', listener)
    expect(emitter.listeners('event')).toEqual([listener, listener, listener])
    for (let index = 0; index < 3; index++) emitter.off('event', listener)
    emitter.emit('event')
    expect(seen).toEqual([])
    expect(emitter.listenerCount('event')).toBe(0)
  })

  it('attaches until the token is disposed of, once, in the order of a stack', async () => {
    const manager = new SpanloomContextManager()
    const key = createContextKey('k')
    const outer = ROOT_CONTEXT.setValue(key, 1)
    const inner = ROOT_CONTEXT.setValue(key, 2)
    const first = manager.attach(outer)
    expect(manager.active()).toBe(outer)
    const second = manager.attach(inner)
    await sleep(1)
    expect(manager.active()).toBe(inner)
    second.dispose()
    expect(manager.active()).toBe(outer)
    second.dispose()
    expect(manager.active()).toBe(outer)
    first.dispose()
    expect(manager.active()).toBe(ROOT_CONTEXT)
    manager.attach(undefined as never).dispose()
    expect(manager.active()).toBe(ROOT_CONTEXT)
  })

  it('attaches with Node’s own scope where there is one', () => {
    const manager = new SpanloomContextManager()
    const storage = manager.storage as unknown as Record<string, unknown>
    let disposals = 0
    storage.withScope = () => ({ dispose: () => disposals++ })
    storage.enterWith = () => {
      throw new Error('not where there is a scope')
    }
    const token = manager.attach(ROOT_CONTEXT)
    token.dispose()
    token.dispose()
    expect(disposals).toBe(1)
  })
})
