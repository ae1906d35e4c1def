// Sends and takes messages. Arguments: how kafkajs is loaded, Kafka's port, a prefix for topics.
import { createRequire } from 'node:module'
import { trace } from '@opentelemetry/api'

const [how, port, prefix] = process.argv.slice(2)
const { Kafka, logLevel } =
  how === 'require' ? createRequire(import.meta.url)('kafkajs') : (await import('kafkajs')).default
const kafka = new Kafka({
  brokers: [`127.0.0.1:${port}`],
  logLevel: logLevel.NOTHING,
  retry: { initialRetryTime: 50, retries: 20 }
})
const tracer = trace.getTracer('app')
const within = (label, fn) =>
  tracer.startActiveSpan(label, async (span) => {
    await fn()
    span.end()
  })
const topics = ['single', 'batch', 'other'].map((each) => prefix + each)
const admin = kafka.admin()
await admin.connect()
await admin.createTopics({ topics: topics.map((topic) => ({ topic })), waitForLeaders: true })
await admin.disconnect()

const producer = kafka.producer()
await producer.connect()
const message = { key: 'k1', value: 'one', headers: { mine: 'x' } }
await within('from single', () => producer.send({ topic: topics[0], messages: [message] }))
console.log(`untouched ${JSON.stringify(message)}`)
await within('from batch', () =>
  producer.sendBatch({
    topicMessages: [
      { topic: topics[1], messages: [{ value: 'a' }, { value: 'b' }] },
      { topic: topics[2], messages: [{ value: 'c' }] }
    ]
  })
)
await producer.disconnect()

const { promise, resolve } = Promise.withResolvers()
let missing = 4
let failed = false
const messages = kafka.consumer({ groupId: `${prefix}messages` })
await messages.connect()
await messages.subscribe({ topics: [topics[0], topics[2]], fromBeginning: true })
await messages.run({
  eachMessage: async ({ topic, message: { value, headers } }) => {
    await new Promise(setImmediate)
    tracer.startSpan(`in ${value}`).end()
    if (topic === topics[0] && String(headers.mine) === 'x' && !failed) {
      failed = true
      throw Object.assign(new Error('not yet'), { name: 'NotYet' })
    }
    if (--missing === 0) resolve()
  }
})
const batches = kafka.consumer({ groupId: `${prefix}batches` })
await batches.connect()
await batches.subscribe({ topics: [topics[1]], fromBeginning: true })
await batches.run({
  eachBatch: async ({ batch }) => {
    tracer.startSpan(`in batch of ${batch.messages.length}`).end()
    missing -= batch.messages.length
    if (missing === 0) resolve()
  }
})
await promise
await Promise.all([messages.disconnect(), batches.disconnect()])
console.log('done')
