/**
 * koa 2 and 3 with @koa/router or koa-router: the route and the errors of the server span, and spans of
 * middleware that was slow (middleware.ts).
 *
 *   Application.use       each middleware notes that the request has come to it
 *   context.onerror       the errors that koa answers
 *   Router.middleware     the dispatcher of a router notes whose request it looks up, and
 *   Router.match          puts the pattern of the route that was found on it; both are synchronous
 *
 * A middleware that fails makes no span: an error passes all the layers on its way out, and which of them threw
 * it only its stack tells, which is on the server span.
 */
import type { IncomingMessage } from 'node:http'
import { type AnyFunction, named } from './calls.ts'
import type { Instruments } from './instruments.ts'
import { createLayerSpans } from './middleware.ts'
import type { Instrumentation } from './registry.ts'
import { type LayerSpans, type ServerRequest, serverRequestOf } from './server-request.ts'

interface Context {
  readonly req: IncomingMessage
}

type Middleware = (this: unknown, context: Context, next: unknown) => unknown

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
        middleware[middleware.length - 1] = layerOf(added as never, spans)
    } catch (fault) {
      instruments.guard.report('koa use', fault)
    }
    return result
  })
}

function layerOf(middleware: Middleware, spans: LayerSpans): Middleware {
  const layer: Middleware = function (context, next) {
    serverRequestOf(context.req)?.enterLayer(middleware, spans)
    return middleware.call(this, context, next)
  }
  // A router's dispatcher, for one, is known by its properties.
  return named(middleware, Object.assign(layer, middleware))
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

/** The request of the dispatcher that is about to look up its route. */
let lookedUp: ServerRequest | undefined

function patchRouter(prototype: Record<string, AnyFunction>, instruments: Instruments): void {
  const { middleware, routes, match } = prototype
  if (middleware === undefined || match === undefined) throw new Error('no router')

  const patched = named(middleware, function (this: unknown, ...args: unknown[]) {
    const dispatch = middleware.apply(this, args) as Middleware
    const noting: Middleware = function (context, next) {
      lookedUp = serverRequestOf(context.req)
      try {
        return dispatch.call(this, context, next)
      } finally {
        lookedUp = undefined
      }
    }
    return named(dispatch, Object.assign(noting, dispatch))
  })
  prototype.middleware = patched
  if (routes === middleware) prototype.routes = patched

  const noteRoute = instruments.guard.wrap('koa route', (server: ServerRequest, found: Match) => {
    if (!found.route) return
    const layer = found.pathAndMethod.findLast(({ methods }) => methods.length > 0)
    if (layer === undefined) return
    instruments.usage.count++
    server.leaveLayer()
    server.setRoute(layer.path === '' ? '/' : String(layer.path))
  })
  prototype.match = named(match, function (this: unknown, ...args: unknown[]) {
    const found = match.apply(this, args)
    const server = lookedUp
    lookedUp = undefined
    if (server !== undefined) noteRoute(server, found)
    return found
  })
}
