/**
 * The context manager: one AsyncLocalStorage for the whole tracer, entered with `run`, so that a context
 * ends where the code that opened it ends.
 *
 * The API's `attach` is an exception, because it has no function to run: the caller says when it is
 * over. It is for code between two callbacks that `with` cannot enclose; nothing in the tracer uses it. A
 * server's request and the body of a loop are the others (`beginCallback`): there the runtime says when it is over.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import {
  type Context,
  type ContextManagementToken,
  type ContextManager,
  ROOT_CONTEXT
} from '@opentelemetry/api'

type Listener = (...args: unknown[]) => unknown
const ADDING = ['addListener', 'on', 'prependListener'] as const
const ADDING_ONCE = { once: 'on', prependOnceListener: 'prependListener' } as const

/**
 * Whether a context is what V8 itself carries from a callback to what it begins (Node 24 and later), and not
 * a property of the asynchronous resource.
 */
export const CARRIED_BY_V8 = !('_propagate' in AsyncLocalStorage.prototype)

/** What only newer versions of Node have. */
type Attachable = AsyncLocalStorage<Context> & {
  withScope?(context: Context): ContextManagementToken
}

export class SpanloomContextManager implements ContextManager {
  readonly storage = new AsyncLocalStorage<Context>()
  /** Emitters that are bound → the context that their next listeners get. */
  readonly #emitters = new WeakMap<EventEmitter, { context: Context }>()

  active(): Context {
    return this.storage.getStore() ?? ROOT_CONTEXT
  }

  /** @hot */
  run<Result>(context: Context, fn: () => Result): Result {
    return this.storage.run(context, fn)
  }

  /**
   * @hot Makes the context that of the runtime's callback that is running, to its end. Only where the runtime
   * puts back what was there before (`CARRIED_BY_V8`), and only at the top of a callback that is ours
   * alone to give a context: the parser's, which hands a server one request. `run` would put it back too,
   * and copies a Map for that as for the beginning: 0.5 µs a request. Or in what follows an `await`, right
   * before the next one (message-loop.ts): there every version puts it back.
   */
  beginCallback(context: Context): void {
    this.storage.enterWith(context)
  }

  /**
   * Node 25.9 and later have a scope for it, which also ends with the asynchronous operation. Before, the
   * store is set and set back by `enterWith`: what else could begin a context that no function encloses?
   */
  attach(context: Context): ContextManagementToken {
    const storage: Attachable = this.storage
    const entered = usable(context)
    if (storage.withScope !== undefined) return disposedOnce(storage.withScope(entered))
    const before = storage.getStore()
    storage.enterWith(entered)
    // Without a store before, undefined is entered: `getStore` then answers as it did.
    return disposedOnce({ dispose: () => storage.enterWith(before as Context) })
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.storage.run(usable(context), () => fn.apply(thisArg, args))
  }

  /** A function runs in the context; an emitter's listeners added from now on do. */
  bind<T>(context: Context, target: T): T {
    if (typeof target === 'function') return this.#boundFunction(usable(context), target) as T
    if (target instanceof EventEmitter) this.#bindEmitter(usable(context), target)
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

  /** Once for each emitter; bound again, it has another context. One that is frozen stays as it is. */
  #bindEmitter(context: Context, emitter: EventEmitter): void {
    const known = this.#emitters.get(emitter)
    if (known !== undefined) {
      known.context = context
      return
    }
    if (!Object.isExtensible(emitter)) return
    const current = { context }
    this.#emitters.set(emitter, current)
    const bound = (listener: Listener) => this.#boundFunction(current.context, listener) as Listener
    const add = Object.fromEntries(
      ADDING.map((method) => [method, emitter[method].bind(emitter)])
    ) as Pick<EventEmitter, (typeof ADDING)[number]>
    for (const method of ADDING) {
      emitter[method] = (event: string | symbol, listener: Listener) =>
        add[method](
          event,
          typeof listener === 'function' ? standingFor(listener, bound(listener)) : listener
        )
    }
    for (const [method, plain] of Object.entries(ADDING_ONCE)) {
      emitter[method as keyof typeof ADDING_ONCE] = (
        event: string | symbol,
        listener: Listener
      ) => {
        if (typeof listener !== 'function') return add[plain](event, listener)
        // The emitter's own would put a listener of its own between, which nobody could remove.
        const inContext = bound(listener)
        const once = standingFor(listener, (...args) => {
          emitter.removeListener(event, once)
          return Reflect.apply(inContext, emitter, args)
        })
        return add[plain](event, once)
      }
    }
  }
}

/** EventEmitter finds a wrapped listener by this property when it is to be removed. */
function standingFor(listener: Listener, stand: Listener): Listener {
  return Object.defineProperty(stand, 'listener', { value: listener })
}

/** What is no context would make every later question fail; the root takes its place. */
function usable(context: Context): Context {
  try {
    return typeof context.getValue === 'function' ? context : ROOT_CONTEXT
  } catch {
    return ROOT_CONTEXT
  }
}

/** A second `dispose` would end somebody else's context. */
function disposedOnce(token: ContextManagementToken): ContextManagementToken {
  let disposed = false
  return {
    dispose() {
      if (disposed) return
      disposed = true
      token.dispose()
    }
  }
}
