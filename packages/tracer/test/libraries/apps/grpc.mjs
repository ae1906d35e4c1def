// A server and a client in one process, with every kind of call. Argument: how the library is loaded.
import { EventEmitter, once } from 'node:events'
import { createRequire } from 'node:module'
import { trace } from '@opentelemetry/api'

const [how] = process.argv.slice(2)
const grpc =
  how === 'require'
    ? createRequire(import.meta.url)('@grpc/grpc-js')
    : (await import('@grpc/grpc-js')).default
const tracer = trace.getTracer('app')
const within = (label, fn) =>
  tracer.startActiveSpan(label, async (span) => {
    await fn()
    span.end()
  })

const json = {
  serialize: (value) => Buffer.from(JSON.stringify(value)),
  deserialize: (bytes) => JSON.parse(bytes.toString())
}
const method = (name, requestStream, responseStream) => ({
  path: `/shop.Orders/${name}`,
  requestStream,
  responseStream,
  requestSerialize: json.serialize,
  requestDeserialize: json.deserialize,
  responseSerialize: json.serialize,
  responseDeserialize: json.deserialize
})
const service = {
  get: method('Get', false, false),
  fail: method('Fail', false, false),
  missing: method('Missing', false, false),
  collect: method('Collect', true, false),
  list: method('List', false, true),
  chat: method('Chat', true, true),
  broken: method('Broken', false, true),
  wait: method('Wait', false, false)
}
const note = (name) => tracer.startSpan(`in ${name}`).end()

const waiting = new EventEmitter()
const server = new grpc.Server()
server.addService(service, {
  get(call, callback) {
    // What the library calls with is the app's to look at.
    if (callback.length !== 4 || call.listenerCount('cancelled') !== 0) throw new Error('changed')
    setImmediate(() => {
      note(`get ${call.metadata.get('mine')[0] ?? ''}`.trim())
      callback(null, { id: call.request.id })
    })
  },
  fail: (_, callback) => callback({ code: grpc.status.INTERNAL, details: 'out of stock' }),
  missing: (_, callback) => callback({ code: grpc.status.NOT_FOUND, details: 'no such order' }),
  collect(call, callback) {
    let count = 0
    call.on('data', () => count++)
    call.on('end', () => {
      note('collect')
      callback(null, { count })
    })
  },
  list(call) {
    note('list')
    call.write({ id: 1 })
    call.write({ id: 2 })
    call.end()
  },
  chat(call) {
    call.on('data', (message) => {
      note('chat')
      call.write(message)
    })
    call.on('end', () => call.end())
  },
  broken: (call) =>
    call.emit('error', Object.assign(new Error('lost'), { code: grpc.status.DATA_LOSS })),
  wait: () => waiting.emit('begun')
})
const insecure = grpc.ServerCredentials.createInsecure()
const port = await new Promise((resolve, reject) =>
  server.bindAsync('127.0.0.1:0', insecure, (error, bound) =>
    error ? reject(error) : resolve(bound)
  )
)
const Orders = grpc.makeGenericClientConstructor(service, 'shop.Orders')
const client = new Orders(`127.0.0.1:${port}`, grpc.credentials.createInsecure())
const call = (name, ...args) =>
  new Promise((resolve) => client[name](...args, (error, value) => resolve(error?.code ?? value)))
const ended = (stream) =>
  new Promise((resolve) =>
    stream
      .on('data', () => {})
      .on('error', () => {})
      .on('status', resolve)
  )

let kept
await within('from get', async () => {
  const before = trace.getActiveSpan()
  kept = await new Promise((resolve) =>
    client.get({ id: 7 }, () => resolve(trace.getActiveSpan() === before))
  )
})
const metadata = new grpc.Metadata()
metadata.set('mine', 'x')
await within('from metadata', () => call('get', { id: 8 }, metadata, {}))
console.log(`kept ${kept}, untouched ${Object.keys(metadata.getMap())}`)
await within('from fail', () => call('fail', {}))
await within('from missing', () => call('missing', {}))
await within('from collect', async () => {
  await new Promise((resolve) => {
    const stream = client.collect(resolve)
    stream.write({})
    stream.write({})
    stream.end()
  })
})
await within('from list', () => ended(client.list({})))
await within('from chat', async () => {
  const stream = client.chat()
  stream.write({ text: 'hello' })
  stream.end()
  await ended(stream)
})
await within('from broken', () => ended(client.broken({})))
await within('from wait', async () => {
  const call = client.wait({}, () => {})
  await once(waiting, 'begun')
  call.cancel()
  await ended(call)
})
client.close()
await new Promise((resolve) => server.tryShutdown(resolve))
console.log(`port ${port}`)
console.log('done')
