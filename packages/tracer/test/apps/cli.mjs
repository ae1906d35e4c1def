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
  case 'burst':
    for (let index = 0; index < 10_000; index++) {
      tracer.startSpan('work', { attributes: { index } }).end()
    }
    process.exit(0)
    break
  case 'reject':
    clearInterval(hold)
    Promise.reject(new Error('rejected by the app'))
    break
  case 'exit':
    process.exit(3)
    break
  case 'listener':
    process.on('exit', () => tracer.startSpan('in exit').end())
    setImmediate(() => process.exit(3))
    break
  case 'ending listener':
    process.on('exit', () => process.exit(4))
    setImmediate(() => process.exit(3))
    break
  case 'natural':
    clearInterval(hold)
    break
  case 'later':
    // Long enough for the sender to have started and delivered before.
    setTimeout(() => {
      tracer.startSpan('last').end()
      clearInterval(hold)
    }, 1_000)
    break
  case 'throw':
    setImmediate(() => {
      throw new Error('uncaught by the app')
    })
    break
  default:
    console.log(`ready ${process.listenerCount('SIGTERM')}`)
}
