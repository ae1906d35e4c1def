// Executes operations as graphql-yoga does. Arguments: the package, how it is loaded.
import { createRequire } from 'node:module'
import { trace } from '@opentelemetry/api'

const [name, how] = process.argv.slice(2)
const require = createRequire(import.meta.url)
const load = async (name) => (how === 'require' ? require(name) : await import(name))
const { normalizedExecutor } = await load(name)
const { buildSchema, parse } = await load('graphql')
const tracer = trace.getTracer('app')
const schema = buildSchema(
  'type Query { order: String, broken: String } type Subscription { tick: Int }'
)
const rootValue = {
  order: async () => {
    await new Promise(setImmediate)
    tracer.startSpan('in order').end()
    return 'x'
  },
  broken: () => {
    throw new RangeError('no such order')
  },
  async *tick() {
    yield { tick: 1 }
    yield { tick: 2 }
  }
}
const execute = (text) => normalizedExecutor({ schema, document: parse(text), rootValue })
const { data } = await execute('query One { order }')
const { errors } = await execute('query Two { broken }')
const ticks = []
for await (const each of await execute('subscription Ticks { tick }')) ticks.push(each.data.tick)
console.log(`order ${data.order}, errors ${errors.length}, ticks ${ticks}`)
