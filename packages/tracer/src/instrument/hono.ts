/**
 * hono 4 on node:http (@hono/node-server): the route and the errors of the server span. Hono makes a Context
 * for each request from what its router matched, and keeps in it how far the request has come:
 *
 *   matched   [logger '*'] [auth '/orders/*'] [handler '/orders/:id']
 *                                  ↑ routeIndex: the last that was entered
 *
 * So the Context's class is replaced by one that leaves word with the server's request, which asks at its
 * end. Where only middleware was entered, the route is the one that it stood before, else its own pattern.
 *
 * Errors are kept in the Context as well, by Hono's chain. A request with one handler is answered without
 * the chain: that handler is replaced in the router's entry, once, by one that tells what it threw.
 */
import type { IncomingMessage } from 'node:http'
import { named } from './calls.ts'
import type { Instrumentation } from './registry.ts'
import { NOT_FOUND, serverRequestOf } from './server-request.ts'

interface Route {
  readonly path: string
  readonly method: string
}

type Handler = (context: Context, next: unknown) => unknown
/** What the app registered, as the router holds it. */
type Registered = [handler: Handler, route: Route]

interface Options {
  readonly env?: { readonly incoming?: IncomingMessage }
  readonly matchResult?: readonly [readonly (readonly [Registered, unknown])[]]
}

interface Context {
  readonly env?: { readonly incoming?: IncomingMessage }
  readonly req: { readonly routeIndex: number }
  readonly error?: unknown
}

type ContextClass = new (request: unknown, options?: Options) => Context

const hono: Instrumentation = {
  patches: {
    context: (exports, { guard, usage }) => {
      const holder = exports as { Context: ContextClass }
      const Original = holder.Context

      const recordError = guard.wrap('hono error', ({ env }: Context, error: unknown) => {
        if (env?.incoming !== undefined) serverRequestOf(env.incoming)?.recordError(error)
      })
      const watch = guard.wrap('hono context', (context: Context, options: Options) => {
        const incoming = options.env?.incoming
        const server = incoming === undefined ? undefined : serverRequestOf(incoming)
        if (server === undefined) return
        usage.count++
        const handlers = options.matchResult?.[0]
        if (handlers?.length === 1) tellErrors(handlers[0]![0], recordError)
        server.setRoute((statusCode) => {
          server.recordError(context.error)
          return routeOf(options, context.req.routeIndex, statusCode)
        })
      })

      const Watched = class extends Original {
        constructor(request: unknown, options?: Options) {
          super(request, options)
          if (options !== undefined) watch(this, options)
        }
      }
      Object.defineProperty(Watched, 'name', { value: Original.name, configurable: true })
      holder.Context = Watched
    }
  }
}

export default hono

const telling = new WeakSet<Registered>()

function tellErrors(
  registered: Registered,
  recordError: (context: Context, error: unknown) => void
): void {
  if (telling.has(registered)) return
  telling.add(registered)
  const [handler] = registered
  const told: Handler = (context, next) => {
    const fail = (error: unknown): never => {
      recordError(context, error)
      throw error
    }
    try {
      const result = handler(context, next)
      return result instanceof Promise ? result.then(undefined, fail) : result
    } catch (error) {
      return fail(error)
    }
  }
  registered[0] = named(handler, told)
}

function routeOf(
  { matchResult }: Options,
  entered: number,
  statusCode: number | undefined
): string | undefined {
  const [handlers] = matchResult ?? [[]]
  for (let index = entered; index < handlers.length; index++) {
    const route = handlers[index]?.[0]?.[1]
    if (route !== undefined && !isMiddleware(route)) return route.path
  }
  // `app.all('/trpc/*', …)` looks like middleware. What had nothing behind it and found something answered.
  const path = handlers[entered]?.[0]?.[1].path
  const isFound = statusCode !== undefined && statusCode !== NOT_FOUND
  return isFound && path !== '*' && path !== '/*' ? path : undefined
}

/** `app.use` is `app.all` of a pattern, which ends in a star unless the app says otherwise. */
function isMiddleware({ method, path }: Route): boolean {
  return method === 'ALL' && path.endsWith('*')
}
