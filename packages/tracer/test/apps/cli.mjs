// A short program that makes one span and ends in the way its argument names.
import { trace } from '@opentelemetry/api'

const tracer = trace.getTracer('cli')
const [how] = process.argv.slice(2)
const hold = setInterval(() => {}, 1_000)

if (how === 'handler') {
  process.once('SIGTERM', () => {
    tracer.startSpan('in handler').end()
    clearInterval(hold)
    process.exitCode = 7
  })
}
tracer.startSpan(`cli ${how}`).end()

switch (how) {
  case 'exit':
    process.exit(3)
    break
  case 'natural':
    clearInterval(hold)
    break
  case 'throw':
    setImmediate(() => {
      throw new Error('uncaught by the app')
    })
    break
  default:
    console.log(`ready ${process.listenerCount('SIGTERM')}`)
}
