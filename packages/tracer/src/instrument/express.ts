/**
 * express 4 and 5: the route and the errors of the server span, and spans of middleware that was slow or
 * failed (middleware.ts).
 *
 * Express knows the pattern of the route that answers, not where its router is mounted. So `use` and
 * `route` are wrapped to note each layer's pattern and router; `handle` of a router, to note the
 * pattern it was reached under; and a layer's handler call, to put the two together:
 *
 *   app.use('/shops/:shop', orders)   orders.get('/orders/:id', …)   →   /shops/:shop/orders/:id
 *
 * The wrapped functions are those of prototypes. A router's prefix is kept from the call of the layer that
 * mounts it to its own `handle`, or to the next layer: a layer may wait before it hands on to a router. Where
 * there is none, as in `use('/graphql', apollo)`, it is the route.
 */
import type { IncomingMessage } from 'node:http'
import { named } from './calls.ts'
import type { Instruments } from './instruments.ts'
import { createLayerSpans } from './middleware.ts'
import type { Instrumentation } from './registry.ts'
import { type LayerSpans, serverRequestOf } from './server-request.ts'

type Done = (error?: unknown) => void
type Handle = (this: Layer, request: Request, response: unknown, next: Done) => unknown
type HandleError = (this: Layer, e: unknown, q: Request, r: unknown, n: Done) => unknown
type Pattern = string | RegExp | readonly Pattern[]

interface Layer {
  readonly name?: string
  route?: { readonly path: Pattern }
  [MOUNT]?: Mount
}

interface Mount {
  readonly router: object
  readonly pattern: string
  /** Of the request before: the prefix it was reached under, and the route that both make. */
  prefix: string
  route: string | undefined
}

interface RouterProto {
  use(...args: unknown[]): unknown
  route(path: Pattern): unknown
  handle(request: Request, response: unknown, done: Done): unknown
}

interface Router extends RouterProto {
  readonly stack: Layer[]
}

interface RouterFrame {
  readonly router: object
  readonly prefix: string
  readonly outer: RouterFrame | undefined
}

interface Request extends IncomingMessage {
  [FRAME]?: RouterFrame
}

const MOUNT = Symbol('spanloom.mount')
const FRAME = Symbol('spanloom.routerFrame')

const express: Instrumentation = {
  patches: {
    express: (exports, instruments) => patchRouter(exports as { Router: unknown }, instruments)
  }
}

export default express

function patchRouter(exports: { Router: unknown }, instruments: Instruments): void {
  // Express 4's routers have the function `Router` itself as their prototype.
  const router = exports.Router as RouterProto & { prototype?: RouterProto }
  const prototype = typeof router.prototype?.handle === 'function' ? router.prototype : router
  const layers = new WeakSet<object>()
  const { use, route, handle } = prototype

  function noteLayers(router: Router, from: number, pattern: string): void {
    for (let index = from; index < router.stack.length; index++) {
      const layer = router.stack[index]!
      layer[MOUNT] = { router, pattern, prefix: '', route: undefined }
      const layerPrototype = Object.getPrototypeOf(layer) as object
      if (layers.has(layerPrototype)) continue
      layers.add(layerPrototype)
      patchLayer(layerPrototype as Record<string, unknown>, instruments)
    }
  }

  prototype.use = named(use, function (this: Router, ...args: unknown[]) {
    const before = this.stack?.length ?? 0
    const result = use.apply(this, args)
    instruments.guard.wrap('express use', () => noteLayers(this, before, mountPattern(args[0])))()
    return result
  })

  prototype.route = named(route, function (this: Router, path: Pattern) {
    const before = this.stack?.length ?? 0
    const result = route.call(this, path)
    instruments.guard.wrap('express route', () => noteLayers(this, before, ''))()
    return result
  })

  prototype.handle = named(
    handle,
    function (this: Router, request: Request, response: unknown, done: Done) {
      const server = serverRequestOf(request)
      if (server === undefined) return handle.call(this, request, response, done)
      const outer = request[FRAME]
      if (outer === undefined) instruments.usage.count++
      request[FRAME] = { router: this, prefix: server.mountPath ?? '', outer }
      if (outer !== undefined) return handle.call(this, request, response, done)
      // The outermost router's way out: an error that no handler of the app took.
      return handle.call(this, request, response, (error?: unknown) => {
        if (isError(error)) {
          server.leaveLayer(error)
          server.recordError(error)
        } else {
          server.leaveLayer()
        }
        done(error)
      })
    }
  )
}

function patchLayer(prototype: Record<string, unknown>, instruments: Instruments): void {
  const { guard } = instruments
  const spans = createLayerSpans(instruments)
  const handleName = 'handleRequest' in prototype ? 'handleRequest' : 'handle_request'
  const errorName = 'handleError' in prototype ? 'handleError' : 'handle_error'
  const handle = prototype[handleName] as Handle
  const handleError = prototype[errorName] as HandleError

  prototype[handleName] = named(handle, function (this: Layer, request, response, next) {
    const mount = this[MOUNT]
    if (mount === undefined) return handle.call(this, request, response, next)
    try {
      enterLayer(this, mount, request, spans)
    } catch (fault) {
      guard.report('express layer', fault)
    }
    return handle.call(this, request, response, next)
  } satisfies Handle)

  prototype[errorName] = named(handleError, function (this: Layer, error, request, response, next) {
    if (isError(error)) {
      const server = serverRequestOf(request)
      server?.leaveLayer(error)
      server?.recordError(error)
    }
    return handleError.call(this, error, request, response, next)
  } satisfies HandleError)
}

/** @hot Once per layer that a request passes. */
function enterLayer(layer: Layer, mount: Mount, request: Request, spans: LayerSpans): void {
  const server = serverRequestOf(request)
  if (server === undefined) return
  const prefix = prefixOf(mount.router, request)
  if (layer.route !== undefined) {
    server.mountPath = undefined
    server.leaveLayer()
    server.setRoute(routeOf(mount, prefix, layer.route.path))
    return
  }
  server.enterLayer(layer, spans)
  server.mountPath = mount.pattern === '' ? prefix || undefined : prefix + mount.pattern
}

/** One router is mostly mounted once: the same text again has neither to be joined nor to be hashed. */
function routeOf(mount: Mount, prefix: string, path: Pattern): string {
  if (mount.route === undefined || mount.prefix !== prefix) {
    mount.prefix = prefix
    mount.route = prefix + patternText(path) || '/'
  }
  return mount.route
}

/** The newest frame of the router: one router may be entered twice, by two mounts. */
function prefixOf(router: object, request: Request): string {
  let frame = request[FRAME]
  while (frame !== undefined && frame.router !== router) frame = frame.outer
  return frame?.prefix ?? ''
}

/** The pattern given to `use`, or '' when there is none or it is '/'. */
function mountPattern(first: unknown): string {
  let path = first
  while (Array.isArray(path) && typeof path[0] === 'function') path = path[0]
  if (typeof path === 'function' || path === undefined) return ''
  return patternText(path as Pattern)
}

/** A pattern as text that can be joined: `/orders/` → `/orders`, `/` → ''; expressions as they read. */
function patternText(pattern: Pattern): string {
  if (Array.isArray(pattern)) {
    const texts = pattern.map((each) => patternText(each))
    return texts.length === 1 ? texts[0]! : `(${texts.join('|')})`
  }
  if (typeof pattern !== 'string') return String(pattern)
  const text = pattern.endsWith('/') ? pattern.slice(0, -1) : pattern
  return text === '' || text.startsWith('/') || text.startsWith('*') ? text : `/${text}`
}

/** 'route' and 'router' are express's words for "go on elsewhere", not errors. */
function isError(error: unknown): boolean {
  return error !== undefined && error !== null && error !== 'route' && error !== 'router'
}
