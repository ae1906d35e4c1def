/**
 * Next.js 15 and 16: the route and the errors of the server span. Next makes spans of its own through
 * OpenTelemetry's API, which lie below it; their route is known to them only after the response has gone.
 *
 *   renderToResponseWithComponents   what Next renders a request with, and the pattern of its route
 *   renderErrorToResponse            the error that it shows instead
 *   runApi                           what runs an API route of the pages folder; its errors are on Next's own span
 *
 * What a route handler of the app folder throws is answered in code that Next has bundled: it is on Next's
 * own span.
 */
import type { IncomingMessage } from 'node:http'
import { wrapMethod } from './calls.ts'
import type { Instrumentation } from './registry.ts'
import { type ServerRequest, serverRequestOf } from './server-request.ts'

interface RenderContext {
  readonly pathname?: string
  readonly req: { readonly originalRequest?: IncomingMessage }
}

/** The pages that Next shows instead: they are no routes. */
const ERROR_PAGES: ReadonlySet<string> = new Set(['/_error', '/_not-found', '/404', '/500'])

interface ApiRoute {
  readonly definition?: { readonly pathname?: string }
}

function serverOf({ req }: RenderContext): ServerRequest | undefined {
  return req.originalRequest === undefined ? undefined : serverRequestOf(req.originalRequest)
}

const next: Instrumentation = {
  patches: {
    api: (exports, { guard, usage }) => {
      const { prototype } = (exports as { default: { prototype: object } }).default
      const noteRoute = guard.wrap(
        'next api route',
        (req: RenderContext['req'], route: ApiRoute) => {
          const server = serverOf({ req })
          const pathname = route.definition?.pathname
          if (server === undefined || pathname === undefined) return
          usage.count++
          server.setRoute(pathname)
        }
      )
      wrapMethod(prototype, 'runApi', (run) => {
        return function (this: unknown, ...args: unknown[]) {
          noteRoute(args[0] as RenderContext['req'], args[3] as ApiRoute)
          return run.apply(this, args)
        }
      })
    },
    server: (exports, { guard, usage }) => {
      const { prototype } = (exports as { default: { prototype: object } }).default
      const noteRoute = guard.wrap('next route', (context: RenderContext) => {
        const server = serverOf(context)
        const { pathname } = context
        if (server === undefined || pathname === undefined || ERROR_PAGES.has(pathname)) return
        usage.count++
        server.setRoute(pathname)
      })
      wrapMethod(prototype, 'renderToResponseWithComponents', (render) => {
        return function (this: unknown, context: RenderContext, ...rest: unknown[]) {
          noteRoute(context)
          return render.call(this, context, ...rest)
        }
      })

      const noteError = guard.wrap('next error', (context: RenderContext, error: unknown) =>
        serverOf(context)?.recordError(error)
      )
      wrapMethod(prototype, 'renderErrorToResponse', (render) => {
        return function (
          this: unknown,
          context: RenderContext,
          error: unknown,
          ...rest: unknown[]
        ) {
          noteError(context, error)
          return render.call(this, context, error, ...rest)
        }
      })
    }
  }
}

export default next
