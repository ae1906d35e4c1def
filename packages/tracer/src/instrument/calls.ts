/**
 * The life of a call to a library: its span's end, its outcome, and the context of what the library calls
 * back. What every instrumentation of a client or a consumer is made of.
 */
import type { AsyncLocalStorage } from 'node:async_hooks'
import { type Context, SpanStatusCode } from '@opentelemetry/api'
import { ERROR_TYPE } from '@spanloom/otlp'
import { RecordingSpan } from '../trace/span.ts'
import { type AnySpan, contextWithSpan } from '../trace/tracer.ts'
import type { Instruments } from './instruments.ts'

// biome-ignore lint/suspicious/noExplicitAny: any function of any library
export type AnyFunction = (this: any, ...args: any[]) => any

/** What an error says of itself in few words: its code where it has one, else its class. */
export function errorTypeOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown }
  if (typeof code === 'string' && code !== '') return code
  return typeof name === 'string' && name !== '' ? name : 'Error'
}

/** Notes a failure without ending the span; null and undefined are none. */
export function failSpan(span: AnySpan, error: unknown): void {
  if (error === undefined || error === null || !(span instanceof RecordingSpan)) return
  span.put(ERROR_TYPE, errorTypeOf(error))
  const { message } = error as { message?: unknown }
  span.setStatus({
    code: SpanStatusCode.ERROR,
    ...(typeof message === 'string' && message !== '' ? { message } : {})
  })
}

/** Ends the span with what the call came to. Ending twice is ending once. */
export function endSpan(span: AnySpan, error?: unknown): void {
  failSpan(span, error)
  span.end()
}

/** Runs `fn` with the span active. */
export function runWithSpan<Result>(
  { contexts }: Instruments,
  span: AnySpan,
  fn: () => Result
): Result {
  return contexts.run(contextWithSpan(contexts.active(), span), fn)
}

/**
 * Calls `fn`, and ends the span when it throws, returns, or its promise settles. The caller gets the very
 * promise that `fn` made where it can have observers beside it, so that libraries that return promises with
 * methods of their own keep them; its rejection stays the caller's to handle.
 */
export function endWithResult<Result>(
  span: AnySpan,
  fn: () => Result,
  onValue?: (value: unknown) => void
): Result {
  let result: Result
  try {
    result = fn()
  } catch (error) {
    endSpan(span, error)
    throw error
  }
  if (typeof (result as PromiseLike<unknown> | undefined)?.then !== 'function') {
    onValue?.(result)
    span.end()
    return result
  }
  if (result instanceof Promise) {
    // Observing marks the rejection as handled only on the branch, so it is watched through both ends.
    return observed(result, span, onValue) as Result
  }
  return (result as PromiseLike<unknown>).then(
    (value) => {
      onValue?.(value)
      span.end()
      return value
    },
    (error) => {
      endSpan(span, error)
      throw error
    }
  ) as Result
}

function observed(
  promise: Promise<unknown>,
  span: AnySpan,
  onValue: ((value: unknown) => void) | undefined
): Promise<unknown> {
  const settled = Promise.prototype.then.call(
    promise,
    (value) => {
      onValue?.(value)
      span.end()
      return value
    },
    (error) => {
      endSpan(span, error)
      throw error
    }
  )
  // A subclass (a query builder, an APIPromise) has methods that the caller will want.
  if (promise.constructor === Promise) return settled
  settled.catch(() => {})
  return promise
}

/**
 * The callback in the context in which this is called: libraries call back from their sockets, and pools from
 * whoever gave a connection back. No context is one too: a background job is of no request.
 */
export function inContext<Fn extends AnyFunction>(
  storage: AsyncLocalStorage<Context>,
  callback: Fn
): Fn {
  const context = storage.getStore() as Context
  return function (this: unknown, ...args: unknown[]) {
    return storage.run(context, () => callback.apply(this, args))
  } as Fn
}

/** Wraps a method so that the functions it is given are called in the context of who gave them. */
export function bindCallbacks(
  owner: object,
  name: string,
  { storage }: Instruments['contexts']
): void {
  wrapMethod(
    owner,
    name,
    (original) =>
      function (this: unknown, ...args: unknown[]) {
        const bound = args.map((each) =>
          typeof each === 'function' ? inContext(storage, each as AnyFunction) : each
        )
        return original.apply(this, bound)
      }
  )
}

/**
 * Replaces a method, keeping the name and length that libraries tell functions apart by. False when there is
 * none. A faulty wrapper must not reach the app: wrappers guard what they do before and after the call.
 */
export function wrapMethod(
  owner: object,
  name: string,
  wrap: (original: AnyFunction) => AnyFunction
): boolean {
  const holder = owner as Record<string, AnyFunction>
  const original = holder[name]
  if (typeof original !== 'function') return false
  holder[name] = named(original, wrap(original))
  return true
}

export function named<Fn extends AnyFunction>(original: AnyFunction, wrapper: Fn): Fn {
  Object.defineProperty(wrapper, 'name', { value: original.name, configurable: true })
  Object.defineProperty(wrapper, 'length', { value: original.length, configurable: true })
  return wrapper
}
