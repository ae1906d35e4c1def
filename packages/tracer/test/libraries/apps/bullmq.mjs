// Sends and works jobs. Arguments: the package, how it is loaded, redis' port.
import { createRequire } from 'node:module'
import { trace } from '@opentelemetry/api'

const [name, how, port] = process.argv.slice(2)
const require = createRequire(import.meta.url)
const { Queue, Worker, FlowProducer } = how === 'require' ? require(name) : await import(name)
const connection = { host: '127.0.0.1', port: Number(port) }
const tracer = trace.getTracer('app')
const within = (label, fn) =>
  tracer.startActiveSpan(label, async (span) => {
    const result = await fn()
    span.end()
    return result
  })

const queue = new Queue('mail', { connection })
const repeated = new Queue('tick', { connection })
const silent = {
  startSpan: () => ({
    setAttributes() {},
    end() {},
    recordException() {},
    addEvent() {},
    setSpanOnContext: (context) => context
  })
}
const own = {
  tracer: silent,
  contextManager: {
    active: () => ({}),
    with: (_, fn) => fn(),
    getMetadata: () => 'theirs',
    fromMetadata: () => ({})
  }
}
const theirs = new Queue('theirs', { connection, telemetry: own })
const flows = new FlowProducer({ connection })

const counts = {}
const done = Promise.withResolvers()
function arrived(what) {
  counts[what] = (counts[what] ?? 0) + 1
  if (
    counts.plain &&
    counts.bulk === 2 &&
    counts['fail 2'] &&
    counts.child &&
    counts.parent &&
    counts.tick &&
    counts.theirs
  )
    done.resolve()
}
const work = async (job) => {
  await new Promise(setImmediate)
  tracer.startSpan(`in ${job.name}`).end()
  if (job.name === 'fail' && job.attemptsMade === 0) throw new RangeError('mailbox full')
}
const workers = ['mail', 'tick'].map((each) => new Worker(each, work, { connection }))
workers.push(new Worker('theirs', work, { connection, telemetry: own }))
for (const worker of workers) {
  worker.on('completed', (job) => {
    tracer.startSpan(`completed ${job.name}`).end()
    arrived(job.name === 'fail' ? `fail ${job.attemptsMade}` : job.name)
  })
}

const options = { removeOnComplete: true }
await within('from plain', () => queue.add('plain', { to: 'x' }, options))
console.log(`untouched ${JSON.stringify(options)}`)
await within('from bulk', () =>
  queue.addBulk([
    { name: 'bulk', data: {} },
    { name: 'bulk', data: {} }
  ])
)
await within('from fail', () => queue.add('fail', {}, { attempts: 2 }))
await within('from flow', () =>
  flows.add({ name: 'parent', queueName: 'mail', children: [{ name: 'child', queueName: 'mail' }] })
)
await within('from tick', () => repeated.add('tick', {}, { repeat: { every: 100, limit: 1 } }))
await within('from theirs', () => theirs.add('theirs', {}))
await done.promise
for (const each of [...workers, queue, repeated, theirs, flows]) await each.close()
console.log('done')
