// CommonJS, and OpenTelemetry's own way to register: the tracer is found through the global API.
const { trace } = require('@opentelemetry/api')
const { registerInstrumentations } = require('@opentelemetry/instrumentation')
const { GenericPoolInstrumentation } = require('@opentelemetry/instrumentation-generic-pool')

registerInstrumentations({ instrumentations: [new GenericPoolInstrumentation()] })
const { createPool } = require('generic-pool')

const pool = createPool({ create: async () => ({}), destroy: async () => {} })
trace.getTracer('app').startActiveSpan('work', async (span) => {
  await pool.release(await pool.acquire())
  span.end()
})
