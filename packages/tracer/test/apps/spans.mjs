// Makes spans when it is told to, and nothing else.
import { randomBytes } from 'node:crypto'
import { trace } from '@opentelemetry/api'
import tracer from '@spanloom/tracer/register'

let made = 0
process.on('message', async ({ spans, flush, noise }) => {
  for (let count = 0; count < spans; count++) {
    const span = trace.getTracer('spans').startSpan('work', { attributes: { index: made++ } })
    if (noise) span.setAttribute('noise', randomBytes(16).toString('hex'))
    span.end()
  }
  console.log(`made ${made}`)
  if (flush) {
    await tracer.flush()
    console.log('flushed')
  }
})
console.log('ready')
