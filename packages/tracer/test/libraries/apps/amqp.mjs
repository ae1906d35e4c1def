// Sends and takes messages in every form that amqplib has. Arguments: the package, how it is loaded.
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import { trace } from '@opentelemetry/api'

process.on('unhandledRejection', (error) => console.log(`unhandled ${error.message}`))
const [name, how, port] = process.argv.slice(2)
const require = createRequire(import.meta.url)
const load = async (path) => {
  if (how === 'require') return require(path)
  const loaded = await import(path)
  return loaded.default ?? loaded
}
const url = `amqp://guest:guest@127.0.0.1:${port}`
const tracer = trace.getTracer('app')
const active = () => trace.getActiveSpan()?.spanContext().spanId ?? 'none'
const within = (label, fn) =>
  tracer.startActiveSpan(label, async (span) => {
    const result = await fn()
    span.end()
    return result
  })
const text = (message) => message.content.toString()

/** Resolves with the first message, after `handle` has had it. */
function consumed(channel, queue, handle, options) {
  return new Promise((resolve) => {
    channel.consume(
      queue,
      (message) => {
        tracer.startSpan(`in ${text(message)}`).end()
        resolve(message)
        return handle(message)
      },
      options
    )
  })
}

const amqp = await load(name)
const connection = await amqp.connect(url)
const channel = await connection.createChannel()
for (const queue of ['acked', 'noack', 'async', 'got', 'confirmed', 'routed']) {
  await channel.assertQueue(queue, { exclusive: true })
}
await channel.assertExchange('news', 'topic', { autoDelete: true, durable: false })
await channel.bindQueue('routed', 'news', 'uk.*')

const options = { headers: { mine: 1 }, messageId: 'm1' }
await within('from acked', () => channel.sendToQueue('acked', Buffer.from('acked'), options))
console.log(`untouched ${JSON.stringify(options)}`)
await within('from noack', () => channel.sendToQueue('noack', Buffer.from('noack')))
await within('from async', () => channel.sendToQueue('async', Buffer.from('async')))
await within('from routed', () => channel.publish('news', 'uk.london', Buffer.from('routed')))
const message = await consumed(channel, 'acked', () => {})
console.log(`mine ${message.properties.headers.mine}`)
await consumed(channel, 'noack', () => {}, { noAck: true })
await consumed(channel, 'async', async (each) => {
  await new Promise(setImmediate)
  tracer.startSpan('later').end()
  channel.ack(each)
  throw new TypeError('no such order')
})
await consumed(channel, 'routed', (each) => channel.ack(each))
console.log('unacknowledged')
await new Promise((resolve) => process.once('message', resolve))
channel.ack(message)

await within('from got', () => channel.sendToQueue('got', Buffer.from('got')))
await within('get', async () => {
  let got = false
  while (got === false) got = await channel.get('got', { noAck: true })
})

const confirming = await connection.createConfirmChannel()
await within('from confirmed', async () => {
  const before = active()
  const after = await new Promise((resolve) =>
    confirming.sendToQueue('confirmed', Buffer.from('confirmed'), {}, () => resolve(active()))
  )
  confirming.publish('', 'confirmed', Buffer.from('waited'))
  await confirming.waitForConfirms()
  console.log(`kept ${before === after}`)
})
await connection.close()

const callbacks = await load(
  name === 'amqplib' ? 'amqplib/callback_api' : `${name}/callback_api.js`
)
const second = await promisify(callbacks.connect)(url)
const own = await promisify(second.createConfirmChannel.bind(second))()
await promisify(own.assertQueue.bind(own))('called', { exclusive: true })
await within('from called', () =>
  promisify(own.sendToQueue.bind(own))('called', Buffer.from('called'), {})
)
await consumed(own, 'called', (each) => own.ack(each))
await within('from called back', () =>
  promisify(own.sendToQueue.bind(own))('called', Buffer.from('again'), {})
)
await promisify(second.close.bind(second))()
console.log('done')
process.disconnect()
