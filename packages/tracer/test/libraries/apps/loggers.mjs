// A line of each kind through the logger named by the argument, within a span and without.
import { createRequire } from 'node:module'
import { trace } from '@opentelemetry/api'

const require = createRequire(import.meta.url)
const [, , name, how] = process.argv
const load = async () =>
  how === 'import' ? ((await import(name)).default ?? (await import(name))) : require(name)
const library = await load()

const lines = []
const sink = { write: (line) => void lines.push(JSON.parse(line)) }

async function makeLogger() {
  if (name.startsWith('pino')) return library({}, sink)
  if (name.startsWith('bunyan')) {
    return library.createLogger({ name: 'app', streams: [{ stream: sink }] })
  }
  const { Writable } = await import('node:stream')
  const stream = new Writable({
    write(chunk, _encoding, done) {
      sink.write(String(chunk))
      done()
    }
  })
  const { format, transports } = library
  const all = format.combine(format.errors({ stack: true }), format.splat(), format.json())
  return library.createLogger({ format: all, transports: [new transports.Stream({ stream })] })
}

const logger = await makeLogger()
const isWinston = name.startsWith('winston')
const log = (fields, text) => (isWinston ? logger.info(text, fields) : logger.info(fields, text))

logger.info('outside')
const ids = trace.getTracer('app').startActiveSpan('work', (span) => {
  logger.info('inside')
  log({ order: 7 }, 'with fields')
  log({ trace_id: 'mine' }, 'own')
  logger.child({ part: 'child' }).info('in child')
  logger.child({ trace_id: 'mine' }).info('own in child')
  logger.error(new Error('broken'))
  span.end()
  return span.spanContext()
})
if (isWinston) {
  // An object of the app, logged in two spans.
  const record = { level: 'info', message: 'again' }
  const failure = new Error('failed again')
  for (const _ of [1, 2]) {
    trace.getTracer('app').startActiveSpan('work', (span) => {
      logger.log(record)
      logger.error(failure)
      lines.push({ expected: span.spanContext().spanId })
      span.end()
    })
  }
  lines.push({ unchanged: Object.keys(record) })
}
setImmediate(() => console.log(`result ${JSON.stringify({ ids, lines })}`))
