/**
 * fastify 5: no span of its own, but the route and the errors of the server span. Fastify publishes
 * each instance on a channel, and hooks of the root instance reach all its plugins: nothing is patched.
 */
import type { IncomingMessage } from 'node:http'
import type { Instrumentation } from './registry.ts'
import { serverRequestOf } from './server-request.ts'

interface FastifyRequest {
  readonly raw: IncomingMessage
  readonly is404?: boolean
  readonly routeOptions?: { readonly url?: string }
}

type Hook = (request: FastifyRequest, reply: unknown, ...rest: unknown[]) => void

interface FastifyInstance {
  addHook(name: string, hook: Hook): unknown
}

const fastify: Instrumentation = {
  channels: ({ guard, usage }) => ({
    'fastify.initialization': (message) => {
      const { fastify: instance } = message as { fastify: FastifyInstance }

      const setRoute = guard.wrap('fastify onRequest', (request: FastifyRequest) => {
        usage.count++
        const route = request.is404 ? undefined : request.routeOptions?.url
        if (route !== undefined) serverRequestOf(request.raw)?.setRoute(route === '' ? '/' : route)
      })
      instance.addHook('onRequest', (request, _reply, done) => {
        setRoute(request)
        ;(done as () => void)()
      })

      const recordError = guard.wrap('fastify onError', (request: FastifyRequest, error: unknown) =>
        serverRequestOf(request.raw)?.recordError(error)
      )
      instance.addHook('onError', (request, _reply, error, done) => {
        recordError(request, error)
        ;(done as () => void)()
      })
    }
  })
}

export default fastify
