// Sends and takes messages. Arguments: the package, with or without serializers, Kafka's port, a prefix for topics.
import { trace } from '@opentelemetry/api'

const [name, how, port, prefix] = process.argv.slice(2)
const { Admin, Consumer, Producer, stringDeserializers, stringSerializers } = await import(name)
const base = {
  clientId: 'test',
  bootstrapBrokers: [`127.0.0.1:${port}`],
  retries: 20,
  retryDelay: 50
}
const isText = how === 'text'
const tracer = trace.getTracer('app')
const within = (label, fn) =>
  tracer.startActiveSpan(label, async (span) => {
    await fn()
    span.end()
  })
const value = (text) => (isText ? text : Buffer.from(text))
const [looped, heard] = [`${prefix}looped`, `${prefix}heard`]

const admin = new Admin(base)
await admin.createTopics({ topics: [looped, heard], partitions: 1, replicas: 1 })
await admin.close()

const producer = new Producer({ ...base, ...(isText ? { serializers: stringSerializers } : {}) })
const headers = isText ? { mine: 'x' } : new Map([[Buffer.from('mine'), Buffer.from('x')]])
const message = { topic: looped, key: value('k1'), value: value('looped'), headers }
await within('from looped', () => producer.send({ messages: [message] }))
await within('from looped', () => producer.send({ messages: [message] }))
console.log(`untouched ${headers instanceof Map ? headers.size : Object.keys(headers).length}`)
await within('from heard', async () => {
  const before = trace.getActiveSpan()
  const kept = await new Promise((resolve) =>
    producer.send(
      { messages: [1, 2].map((each) => ({ topic: heard, value: value(`heard ${each}`) })) },
      () => resolve(trace.getActiveSpan() === before)
    )
  )
  console.log(`kept ${kept}`)
})
await producer.close()

const deserializers = isText ? { deserializers: stringDeserializers } : {}
const consumer = new Consumer({ ...base, groupId: `${prefix}group`, ...deserializers })
const options = {
  autocommit: true,
  mode: 'earliest',
  sessionTimeout: 10_000,
  heartbeatInterval: 500
}
const first = await consumer.consume({ ...options, topics: [looped] })
let taken = 0
for await (const _ of first) {
  taken++
  tracer.startSpan(`begins ${taken}`).end()
  await new Promise((resolve) => setImmediate(resolve))
  tracer.startSpan(`ends ${taken}`).end()
  if (taken === 2) break
}
tracer.startSpan('after the loop').end()
await first.close?.()
const second = await consumer.consume({ ...options, topics: [heard] })
let missing = 2
await new Promise((resolve) =>
  second.on('data', (each) => {
    tracer.startSpan(`in ${each.value}`).end()
    if (--missing === 0) resolve()
  })
)
await consumer.close(true)
console.log('done')
