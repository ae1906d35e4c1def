/**
 * The context manager: one AsyncLocalStorage for the whole tracer, entered with `run` and never with
 * `enterWith`, so that a context ends where the code that opened it ends.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { type Context, type ContextManager, ROOT_CONTEXT } from '@opentelemetry/api'

type Listener = (...args: unknown[]) => void
type Method = 'addListener' | 'on' | 'once' | 'prependListener' | 'prependOnceListener'

const ADDING: readonly Method[] = [
  'addListener',
  'on',
  'once',
  'prependListener',
  'prependOnceListener'
]

export class SpanloomContextManager implements ContextManager {
  readonly storage = new AsyncLocalStorage<Context>()

  active(): Context {
    return this.storage.getStore() ?? ROOT_CONTEXT
  }

  /** @hot */
  run<Result>(context: Context, fn: () => Result): Result {
    return this.storage.run(context, fn)
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.storage.run(context, () => fn.apply(thisArg, args))
  }

  /** A function runs in the context; an emitter's listeners added from now on do. */
  bind<T>(context: Context, target: T): T {
    if (typeof target === 'function') return this.#boundFunction(context, target) as T
    if (target instanceof EventEmitter) this.#bindEmitter(context, target)
    return target
  }

  enable(): this {
    return this
  }

  disable(): this {
    this.storage.disable()
    return this
  }

  // biome-ignore lint/complexity/noBannedTypes: the API binds any function
  #boundFunction(context: Context, target: Function): Function {
    const storage = this.storage
    const bound = function (this: unknown, ...args: unknown[]) {
      return storage.run(context, () => target.apply(this, args))
    }
    Object.defineProperty(bound, 'length', { value: target.length, configurable: true })
    return bound
  }

  #bindEmitter(context: Context, emitter: EventEmitter): void {
    const bound = new WeakMap<Listener, Listener>()
    for (const method of ADDING) {
      const original = emitter[method]
      emitter[method] = (event: string | symbol, listener: Listener) => {
        let inContext = bound.get(listener)
        if (inContext === undefined) {
          inContext = this.#boundFunction(context, listener) as Listener
          // EventEmitter finds a wrapped listener by this property when it is to be removed.
          Object.defineProperty(inContext, 'listener', { value: listener })
          bound.set(listener, inContext)
        }
        return original.call(emitter, event, inContext)
      }
    }
  }
}
