/**
 * koa 2 and 3 with @koa/router or koa-router: the route and the errors of the server span, and spans of
 * middleware that was slow or failed (middleware.ts).
 *
 *   Application.use       each middleware notes that the request has come to it, and the error it ends with
 *   context.onerror       the errors that koa answers
 *   Router.middleware     the dispatcher of a router notes whose request it looks up, and
 *   Router.match          puts the pattern of the route that was found on it; both are synchronous
 *   Router.register       what is in front of a handler is middleware as the app's own; the handler ends it, and
 *                         notes its own pattern: of several that match, the first that goes no further answers
 *
 * An error passes all the layers on its way out; the innermost that it comes from is the one that threw it:
 *
 *   app.use(answers) ── next ──► app.use(guard) throws          `guard` makes a failed span, `answers` none
 *
 * What a handler throws is on the server span alone, whoever answers it. A layer that fails after its `next` has returned has no time
 * of its own: its span has no length. Looking for errors costs a promise a layer, so it is done only in requests
 * that are recorded, and at a handler only behind middleware of its router.
 */
import type { IncomingMessage } from 'node:http'
import { RecordingSpan } from '../trace/span.ts'
import { type AnyFunction, named, wrapMethod } from './calls.ts'
import type { Instruments } from './instruments.ts'
import { createLayerSpans } from './middleware.ts'
import type { Instrumentation } from './registry.ts'
import { type LayerSpans, type ServerRequest, serverRequestOf } from './server-request.ts'

interface Context {
  readonly req: IncomingMessage
  /** The pattern of the router's layer that the request is in, of routes and middleware alike. */
  readonly routerPath?: unknown
  [LAYER]?: object | undefined
}

interface Middleware {
  (this: unknown, context: Context, next: unknown): unknown
  readonly [DISPATCHES]?: true
  readonly [WATCHED]?: true
}

/** The middleware that the request has come to, undefined once it has come to its route. */
const LAYER = Symbol('spanloom.koaLayer')
/** Marks the dispatcher of a router. */
const DISPATCHES = Symbol('spanloom.koaDispatches')
/** Marks what is a layer or a handler of ours: a router registers a list of paths one by one. */
const WATCHED = Symbol('spanloom.koaWatched')

interface Application {
  readonly middleware: unknown[]
}

interface Match {
  readonly route: boolean
  readonly pathAndMethod: readonly { readonly path: unknown; readonly methods: unknown[] }[]
}

const koa: Instrumentation = {
  patches: {
    application: (exports, instruments) =>
      patchUse((exports as { prototype: Record<string, AnyFunction> }).prototype, instruments),
    context: (exports, instruments) =>
      patchOnError(exports as Record<string, AnyFunction>, instruments),
    router: (exports, instruments) => {
      const classes = exports as {
        prototype?: object
        RouterImplementation?: { prototype: object }
      }
      const prototype = classes.prototype ?? classes.RouterImplementation?.prototype
      patchRouter(prototype as Record<string, AnyFunction>, instruments)
    }
  }
}

export default koa

function patchUse(prototype: Record<string, AnyFunction>, instruments: Instruments): void {
  const spans = createLayerSpans(instruments)
  const use = prototype.use!
  prototype.use = named(use, function (this: Application, ...args: unknown[]) {
    const result = use.apply(this, args)
    try {
      const { middleware } = this
      const added = middleware.at(-1)
      if (typeof added === 'function')
        middleware[middleware.length - 1] = layerOf(added as never, spans, instruments)
    } catch (fault) {
      instruments.guard.report('koa use', fault)
    }
    return result
  })
}

function layerOf(middleware: Middleware, spans: LayerSpans, instruments: Instruments): Middleware {
  const { guard, middlewareSpans = true } = instruments

  function noteFailure(context: Context, server: ServerRequest, error: unknown): void {
    try {
      const isCurrent = context[LAYER] === middleware
      context[LAYER] = undefined
      if (wasThrownBelow(server, error)) return
      const now = performance.now()
      if (middleware[DISPATCHES]) server.recordError(error)
      else if (isCurrent) server.leaveLayer(error)
      else spans.make(server, middleware, now, now, error)
    } catch (fault) {
      guard.report('koa failure', fault)
    }
  }

  /** @hot Once per layer that a request passes. */
  const layer: Middleware = function (context, next) {
    const server = serverRequestOf(context.req)
    if (server === undefined) return middleware.call(this, context, next)
    server.enterLayer(middleware, spans)
    const isWatched = middlewareSpans || middleware[DISPATCHES] === true
    if (!isWatched || !(server.span instanceof RecordingSpan)) {
      return middleware.call(this, context, next)
    }
    context[LAYER] = middleware
    let result: unknown
    try {
      result = middleware.call(this, context, next)
    } catch (error) {
      noteFailure(context, server, error)
      throw error
    }
    if (!(result instanceof Promise)) return result
    return result.then(undefined, (error) => {
      noteFailure(context, server, error)
      throw error
    })
  }
  return replacing(middleware, layer)
}

/** What ends the middleware before it. What it throws is none of theirs, and the server span's. */
function handlerOf(handler: Middleware, { guard }: Instruments): Middleware {
  const noteFailure = guard.wrap('koa failure', (server: ServerRequest, error: unknown) => {
    if (!wasThrownBelow(server, error)) server.recordError(error)
  })

  /** @hot Once a request. */
  const ending: Middleware = function (context, next) {
    const server = serverRequestOf(context.req)
    if (server === undefined) return handler.call(this, context, next)
    server.leaveLayer()
    setRoute(server, context.routerPath)
    if (context[LAYER] === undefined) return handler.call(this, context, next)
    context[LAYER] = undefined
    let result: unknown
    try {
      result = handler.call(this, context, next)
    } catch (error) {
      noteFailure(server, error)
      throw error
    }
    if (!(result instanceof Promise)) return result
    return result.then(undefined, (error) => {
      noteFailure(server, error)
      throw error
    })
  }
  return replacing(handler, ending)
}

function setRoute(server: ServerRequest, path: unknown): void {
  if (path !== undefined) server.setRoute(path === '' ? '/' : String(path))
}

/** A router's dispatcher, for one, is known by its properties. */
function replacing(original: Middleware, wrapper: Middleware): Middleware {
  return named(original, Object.assign(wrapper, original, { [WATCHED]: true }))
}

/** The error that each request is passing on; errors need not be objects. */
const passing = new WeakMap<ServerRequest, { readonly error: unknown }>()

/** Whether a layer below has passed on the same error; notes that this one does. */
function wasThrownBelow(server: ServerRequest, error: unknown): boolean {
  const known = passing.get(server)
  if (known !== undefined && known.error === error) return true
  passing.set(server, { error })
  return false
}

function patchOnError(prototype: Record<string, AnyFunction>, { guard }: Instruments): void {
  const onError = prototype.onerror!
  const record = guard.wrap('koa onerror', ({ req }: Context, error: unknown) =>
    serverRequestOf(req)?.recordError(error)
  )
  prototype.onerror = named(onError, function (this: Context, error: unknown) {
    record(this, error)
    return onError.call(this, error)
  })
}

function patchRegister(prototype: Record<string, AnyFunction>, instruments: Instruments): void {
  const spans = createLayerSpans(instruments)
  const wrapped = (given: unknown, isRoute: boolean) => {
    const stack = Array.isArray(given) ? given : [given]
    return stack.map((each: unknown, index) => {
      if (typeof each !== 'function' || (each as Middleware)[WATCHED]) return each
      const isHandler = isRoute && index === stack.length - 1
      const middleware = each as Middleware
      return isHandler
        ? handlerOf(middleware, instruments)
        : layerOf(middleware, spans, instruments)
    })
  }
  wrapMethod(
    prototype,
    'register',
    (register) =>
      function (this: unknown, path, methods, given, ...rest) {
        let middleware = given
        try {
          middleware = wrapped(given, methods.length > 0)
        } catch (fault) {
          instruments.guard.report('koa register', fault)
        }
        return register.call(this, path, methods, middleware, ...rest)
      }
  )
}

/** Of the dispatcher that is about to look up its route. */
let lookedUp: Context | undefined

function patchRouter(prototype: Record<string, AnyFunction>, instruments: Instruments): void {
  const { middleware, routes, match } = prototype
  if (middleware === undefined || match === undefined) throw new Error('no router')

  const patched = named(middleware, function (this: unknown, ...args: unknown[]) {
    const dispatch = middleware.apply(this, args) as Middleware
    const noting: Middleware = function (context, next) {
      lookedUp = context
      try {
        return dispatch.call(this, context, next)
      } finally {
        lookedUp = undefined
      }
    }
    return named(dispatch, Object.assign(noting, dispatch, { [DISPATCHES]: true }))
  })
  prototype.middleware = patched
  if (routes === middleware) prototype.routes = patched

  patchRegister(prototype, instruments)

  const noteRoute = instruments.guard.wrap('koa route', (context: Context, found: Match) => {
    const server = serverRequestOf(context.req)
    if (server === undefined || !found.route) return
    const layer = found.pathAndMethod.find(({ methods }) => methods.length > 0)
    if (layer === undefined) return
    instruments.usage.count++
    context[LAYER] = undefined
    server.leaveLayer()
    setRoute(server, layer.path)
  })
  prototype.match = named(match, function (this: unknown, ...args: unknown[]) {
    const found = match.apply(this, args)
    const context = lookedUp
    lookedUp = undefined
    if (context !== undefined) noteRoute(context, found)
    return found
  })
}
