'use strict'
// Got before the tracer starts, from the copy that a `require` loads.
const { trace } = require('@opentelemetry/api')

const early = trace.getTracer('early')
const tracer = require('@spanloom/tracer/register')
async function main() {
  while (!early.startSpan('probe').isRecording()) await new Promise((done) => setTimeout(done, 5))
  early.startSpan('early', { attributes: { seen: true } }).end()
  await tracer.flush()
}
main()
