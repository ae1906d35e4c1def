import { end, failure, load, mark, step } from './steps.mjs'

const [name, how, port] = process.argv.slice(2)
const { connect, headers } = await load(name, how)
const connection = await connect({ servers: `127.0.0.1:${port}` })
const bytes = (text) => new TextEncoder().encode(text)

const received = (subject, options = {}) =>
  new Promise((resolve, reject) => {
    connection.subscribe(subject, {
      max: 1,
      ...options,
      callback: async (error, message) => {
        if (error) return reject(error)
        await null
        mark(`got ${subject}`)
        setTimeout(resolve, 20, message)
        return message
      }
    })
  })

const plain = received('orders.*', { queue: 'workers' })
await step('publish', async () => connection.publish('orders.new', bytes('secret')))
await plain

const kept = headers()
kept.set('app', 'kept')
const withHeaders = received('headers')
await step('headers', async () => connection.publish('headers', bytes('x'), { headers: kept }))
const message = await withHeaders
if (message.headers.get('app') !== 'kept') throw new Error('lost a header')
if (kept.keys().join() !== 'app') throw new Error('changed the headers of the app')
// Passed on with its headers: whoever gets it is a child of who passed it on.
const passed = received('passed')
await step('pass on', async () =>
  connection.publish('passed', message.data, { headers: message.headers })
)
await passed

connection.subscribe('answers', {
  callback: (_error, request) => {
    mark('in answer')
    request.respond(bytes('answer'))
  }
})
await step('request', async () => {
  await connection.request('answers', bytes('x'), { timeout: 2_000 })
  mark('after request')
})
await step('request alone', () =>
  connection.request('answers', bytes('x'), { timeout: 2_000, noMux: true })
)
await step('many', async () => {
  const all = await connection.requestMany('answers', bytes('x'), {
    maxWait: 2_000,
    maxMessages: 1,
    strategy: 'count'
  })
  for await (const _answer of all) mark('one of many')
})
await step('nobody', () => failure(connection.request('nobody', bytes('x'), { timeout: 2_000 })))

const loop = connection.subscribe('loop', { max: 2 })
await step('loop', async () => {
  connection.publish('loop', bytes('1'))
  connection.publish('loop', bytes('2'))
})
let count = 0
for await (const _message of loop) {
  count++
  mark('in loop')
  await new Promise(setImmediate)
  mark('later in loop')
}
mark('after loop')
if (count !== 2) throw new Error(`${count} messages`)

// The first releases have no pull consumers.
if (name !== 'nats-2.7') {
  const stored = name === 'nats' ? undefined : await load('@nats-io/jetstream', how)
  const manager = await (stored?.jetstreamManager(connection) ?? connection.jetstreamManager())
  await manager.streams.add({ name: 'STORED', subjects: ['stored.*'], storage: 'memory' })
  await manager.consumers.add('STORED', { durable_name: 'reader', ack_policy: 'explicit' })
  const js = stored?.jetstream(connection) ?? connection.jetstream()
  await step('store', async () => {
    await js.publish('stored.1', bytes('secret'))
    await js.publish('stored.2', bytes('secret'))
  })
  const consumer = await js.consumers.get('STORED', 'reader')
  for await (const each of await consumer.fetch({ max_messages: 1, expires: 5_000 })) {
    each.ack()
    mark('in fetch')
  }
  mark('after fetch')
  let consuming
  await new Promise((resolve) => {
    consuming = consumer.consume({
      max_messages: 1,
      callback: (each) => {
        mark('in consumer')
        each.ack()
        resolve()
      }
    })
  })
  await (await consuming).close()
  await manager.streams.delete('STORED')
}
await connection.close()
end()
