/**
 * NestJS: the exceptions that its filters answer, on the server span. Its routes are those of express or
 * fastify beneath, which never see an exception: Nest takes them first.
 */
import type { IncomingMessage } from 'node:http'
import { type AnyFunction, named } from './calls.ts'
import type { Instrumentation } from './registry.ts'
import { serverRequestOf } from './server-request.ts'

interface Arguments {
  getArgByIndex(index: number): unknown
}

const nest: Instrumentation = {
  patches: {
    exceptions: (exports, { guard, usage }) => {
      const { prototype } = (exports as { ExceptionsHandler: { prototype: Handler } })
        .ExceptionsHandler
      const { next } = prototype
      const record = guard.wrap('nest exception', (exception: unknown, host: Arguments) => {
        const request = host.getArgByIndex(0)
        if (typeof request !== 'object' || request === null) return
        // Fastify's request has node's inside.
        const { raw } = request as { raw?: IncomingMessage }
        const server = serverRequestOf(raw ?? request)
        if (server === undefined) return
        usage.count++
        server.recordError(exception)
      })
      prototype.next = named(next, function (this: unknown, exception: unknown, host: Arguments) {
        record(exception, host)
        return next.call(this, exception, host)
      })
    }
  }
}

interface Handler {
  next: AnyFunction
}

export default nest
