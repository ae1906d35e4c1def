/**
 * hono 4 on node:http (@hono/node-server): the route and the errors of the server span. Hono makes a Context
 * for each request from what its router matched, and keeps in it how far the request has come:
 *
 *   matched   [logger '*'] [auth '/orders/*'] [handler '/orders/:id']
 *                                  ↑ routeIndex: the last that was entered
 *
 * So the Context's class is replaced by one that leaves word with the server's request, which asks at its
 * end. Where only middleware was entered, the route is the one that it stood before, if any.
 *
 * An error is known when at least one middleware has matched, because a request with one handler is
 * answered without Hono's chain, which is what keeps the error.
 */
import type { IncomingMessage } from 'node:http'
import type { Instrumentation } from './registry.ts'
import { serverRequestOf } from './server-request.ts'

interface Route {
  readonly path: string
  readonly method: string
}

interface Options {
  readonly env?: { readonly incoming?: IncomingMessage }
  readonly matchResult?: readonly [readonly (readonly [readonly [unknown, Route], unknown])[]]
}

interface Context {
  readonly req: { readonly routeIndex: number }
  readonly error?: unknown
}

type ContextClass = new (request: unknown, options?: Options) => Context

const hono: Instrumentation = {
  patches: {
    context: (exports, { guard, usage }) => {
      const holder = exports as { Context: ContextClass }
      const Original = holder.Context

      const watch = guard.wrap('hono context', (context: Context, options: Options) => {
        const incoming = options.env?.incoming
        const server = incoming === undefined ? undefined : serverRequestOf(incoming)
        if (server === undefined) return
        usage.count++
        server.setRoute(() => {
          server.recordError(context.error)
          return routeOf(options, context.req.routeIndex)
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

function routeOf({ matchResult }: Options, entered: number): string | undefined {
  const [handlers] = matchResult ?? [[]]
  for (let index = entered; index < handlers.length; index++) {
    const route = handlers[index]?.[0]?.[1]
    if (route !== undefined && !isMiddleware(route)) return route.path
  }
  return undefined
}

/** `app.use` is `app.all` of a pattern, which ends in a star unless the app says otherwise. */
function isMiddleware({ method, path }: Route): boolean {
  return method === 'ALL' && path.endsWith('*')
}
