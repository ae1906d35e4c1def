/**
 * The tracer's own API, for code that wants less to type than OpenTelemetry's asks for. Each function does
 * nothing but run the app's code where tracing is switched off, and none of them throws: what the app's own
 * function throws is the app's, and is thrown on.
 */
import {
  type Attributes,
  INVALID_SPAN_CONTEXT,
  type Span,
  type SpanOptions,
  SpanStatusCode,
  trace as traceApi
} from '@opentelemetry/api'
import {
  ERROR_TYPE,
  EXCEPTION_EVENT,
  USER_EMAIL,
  USER_ID,
  USER_NAME,
  USER_ROLES
} from '@spanloom/otlp'
import { SPAN_KEY } from './context/frame.ts'
import type { SpanloomContextManager } from './context/manager.ts'
import { textOf } from './lib/text.ts'
import { eachAttribute, type FlatAttributes } from './trace/attributes.ts'
import { exceptionAttributes, exceptionMessage, exceptionType } from './trace/exception.ts'
import { RecordingSpan } from './trace/span.ts'
import { type ApiTracer, contextWithSpan } from './trace/tracer.ts'

/** Who a request is for. What is left out is not recorded. */
export interface User {
  readonly id?: string | number
  readonly name?: string
  readonly email?: string
  readonly roles?: readonly string[]
}

// biome-ignore lint/suspicious/noExplicitAny: any function can be wrapped
type AnyFunction = (...args: any[]) => any

/** Ends the span; once, whatever it is called with. */
export type Done = (error?: unknown) => void

/** Options for every call, or what makes them of a call's arguments. */
export type WrapOptions<Fn extends AnyFunction> =
  | SpanOptions
  | ((...args: Parameters<Fn>) => SpanOptions)

export interface OwnApi {
  /**
   * Runs `fn` in a new span, which ends when `fn` returns or its promise settles. What `fn` throws is
   * recorded on the span and thrown on. Of a `fn` with a second parameter the span ends when that is called,
   * with the error if there is one: for code with callbacks.
   */
  trace<Result>(name: string, fn: (span: Span, done: Done) => Result): Result
  trace<Result>(name: string, options: SpanOptions, fn: (span: Span, done: Done) => Result): Result
  /** A function like `fn`, by name, length and what it returns, each call of which is a span. */
  wrap<Fn extends AnyFunction>(name: string, fn: Fn): Fn
  wrap<Fn extends AnyFunction>(name: string, options: WrapOptions<Fn>, fn: Fn): Fn
  /** The span that is active here, if one is. */
  activeSpan(): Span | undefined
  /** Says who the request is for: on its first span in this service, the active one, and all that follow. */
  setUser(user: User): void
  /** Records an error that the app has handled: on the active span, which becomes a failed one. */
  recordError(error: unknown, attributes?: Attributes): void
}

/** Without a tracer, the same API for a process in which tracing is switched off. */
export function createOwnApi(
  tracer: ApiTracer | undefined,
  contexts: SpanloomContextManager | undefined
): OwnApi {
  function inSpan<Result>(
    name: string,
    options: SpanOptions | undefined,
    fn: (span: Span, done: Done) => Result
  ): Result {
    if (tracer === undefined || contexts === undefined) {
      return fn(traceApi.wrapSpanContext(INVALID_SPAN_CONTEXT), () => {})
    }
    const parent = contexts.active()
    const span = tracer.startSpan(name, options, parent)
    return contexts.run(contextWithSpan(parent, span), () => runInSpan(span, fn))
  }

  function activeSpan(): Span | undefined {
    try {
      return contexts?.storage.getStore()?.getValue(SPAN_KEY) as Span | undefined
    } catch {
      // A context of the app's own making.
      return undefined
    }
  }

  return {
    activeSpan,
    trace<Result>(name: string, ...rest: unknown[]): Result {
      const [options, fn] = optionsAndFunction(rest)
      // Without a function there is nothing to run and nothing to trace.
      return fn === undefined ? (undefined as Result) : inSpan(name, optionsOf(options, []), fn)
    },
    wrap<Fn extends AnyFunction>(name: string, ...rest: unknown[]): Fn {
      const [options, fn] = optionsAndFunction(rest)
      if (fn === undefined) return rest.at(-1) as Fn
      if (tracer === undefined) return fn as Fn
      return wrapped(fn as Fn, (args, call) => inSpan(name, optionsOf(options, args), call))
    },
    setUser(user) {
      const span = activeSpan()
      if (span instanceof RecordingSpan) span.setOnRequest(userAttributes(user))
    },
    recordError(error, attributes) {
      const span = activeSpan()
      if (span?.isRecording() === true) recordFailure(span, error, attributes)
    }
  }
}

type Options = SpanOptions | AnyFunction | undefined

function optionsAndFunction(rest: unknown[]): [Options, AnyFunction | undefined] {
  const [first, second] = rest
  if (typeof second === 'function') {
    const isGiven = (typeof first === 'object' && first !== null) || typeof first === 'function'
    return [isGiven ? (first as Options) : undefined, second as AnyFunction]
  }
  return [undefined, typeof first === 'function' ? (first as AnyFunction) : undefined]
}

/** Of a function that makes them: what it throws is no reason not to make the call. */
function optionsOf(options: Options, args: readonly unknown[]): SpanOptions | undefined {
  if (typeof options !== 'function') return options
  try {
    const made: unknown = options(...args)
    return typeof made === 'object' && made !== null ? made : undefined
  } catch {
    return undefined
  }
}

function runInSpan<Result>(span: Span, fn: (span: Span, done: Done) => Result): Result {
  const done: Done = (error) => {
    if (error === undefined || error === null) span.end()
    else fail(span, error)
  }
  let result: Result
  try {
    result = fn(span, done)
  } catch (error) {
    fail(span, error)
    throw error
  }
  if (!isThenable(result)) {
    // Who takes `done` calls it.
    if (fn.length < 2) span.end()
    return result
  }
  // What the caller gets has passed by here, so that a rejection nobody handles stays one.
  return result.then(
    (value) => {
      span.end()
      return value
    },
    (error) => {
      fail(span, error)
      throw error
    }
  ) as Result
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  try {
    return typeof (value as { then?: unknown }).then === 'function'
  } catch {
    return false
  }
}

function fail(span: Span, error: unknown): void {
  recordFailure(span, error, undefined)
  span.end()
}

function recordFailure(span: Span, error: unknown, more: Attributes | undefined): void {
  if (more === undefined) span.recordException(error as Error)
  else {
    const attributes = exceptionAttributes(error) ?? {}
    eachAttribute(more, (key, value) => {
      attributes[key] = value as string
    })
    span.addEvent(EXCEPTION_EVENT, attributes)
  }
  const type = exceptionType(error)
  if (type !== '') span.setAttribute(ERROR_TYPE, type)
  const message = exceptionMessage(error)
  span.setStatus({ code: SpanStatusCode.ERROR, ...(message === '' ? {} : { message }) })
}

function userAttributes(user: User): FlatAttributes {
  const flat: FlatAttributes = []
  eachAttribute(user as Attributes, (field, value) => {
    const isText = typeof value === 'string' || typeof value === 'number'
    if (field === 'id' && isText) flat.push(USER_ID, textOf(value))
    else if (field === 'name' && isText) flat.push(USER_NAME, textOf(value))
    else if (field === 'email' && isText) flat.push(USER_EMAIL, textOf(value))
    else if (field === 'roles' && Array.isArray(value)) flat.push(USER_ROLES, value.map(textOf))
  })
  return flat
}

const AsyncFunction = (async () => {}).constructor

/** As like the original as can be: `this`, `new`, name, length, own properties, and whether it is async. */
function wrapped<Fn extends AnyFunction>(
  original: Fn,
  run: (args: readonly unknown[], call: () => unknown) => unknown
): Fn {
  const stand =
    original instanceof AsyncFunction
      ? async function (this: unknown, ...args: unknown[]) {
          return run(args, () => Reflect.apply(original, this, args))
        }
      : function (this: unknown, ...args: unknown[]) {
          const target = new.target
          return run(args, () =>
            target === undefined
              ? Reflect.apply(original, this, args)
              : Reflect.construct(original, args, target as AnyFunction)
          )
        }
  try {
    for (const key of Reflect.ownKeys(original)) {
      const descriptor = Object.getOwnPropertyDescriptor(original, key)!
      if (Object.getOwnPropertyDescriptor(stand, key)?.configurable !== false) {
        Object.defineProperty(stand, key, descriptor)
      } else if (key === 'prototype') {
        ;(stand as { prototype?: unknown }).prototype = original.prototype
      }
    }
  } catch {
    // A Proxy that does not tell its properties: the call is what matters.
  }
  return stand as unknown as Fn
}
