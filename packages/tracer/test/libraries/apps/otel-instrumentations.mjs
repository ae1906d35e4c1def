// An ES module: OpenTelemetry's own instrumentations on the tracer, one that adds something and one that doubles.
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { trace } from '@opentelemetry/api'
import {
  InstrumentationBase,
  InstrumentationNodeModuleDefinition,
  registerInstrumentations
} from '@opentelemetry/instrumentation'
import { GenericPoolInstrumentation } from '@opentelemetry/instrumentation-generic-pool'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { LruMemoizerInstrumentation } from '@opentelemetry/instrumentation-lru-memoizer'
import tracer from '@spanloom/tracer/register'

/** Of a library that is an ES module through and through: no `require` ever sees it. */
class HonoInstrumentation extends InstrumentationBase {
  constructor() {
    super('hono-instrumentation', '1.0.0', {})
  }

  init() {
    return new InstrumentationNodeModuleDefinition('hono', ['>=4'], (exports) => {
      const { Hono } = exports
      exports.Hono = class extends Hono {
        constructor() {
          super()
          trace.getTracer('hono-instrumentation').startSpan('new Hono').end()
        }
      }
      return exports
    })
  }
}

if (process.env.BY_HAND) {
  // As an app does that knows nothing of the tracer's own function.
  registerInstrumentations({ instrumentations: [new HttpInstrumentation()] })
} else {
  tracer.registerInstrumentations([
    new GenericPoolInstrumentation(),
    [new HttpInstrumentation(), new LruMemoizerInstrumentation(), new HonoInstrumentation()]
  ])
}
const { Hono } = await import('hono')
new Hono()
const { createPool } = await import('generic-pool')
// Its instrumentation cannot patch an ES module's default export.
const memoizer = createRequire(import.meta.url)('lru-memoizer')

const pool = createPool({ create: async () => ({}), destroy: async () => {} })
let loads = 0
const load = memoizer({
  load: (id, done) => setTimeout(() => done(undefined, `${id} ${++loads}`), 20),
  hash: (id) => id,
  max: 10
})

const server = createServer(async (_request, response) => {
  await pool.release(await pool.acquire())
  await tracer.trace('inside', async () => {})
  const traceIds = await new Promise((resolve) => {
    load('a', () => resolve(tracer.activeSpan()?.spanContext().traceId))
  })
  response.end(traceIds)
})
server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`))
