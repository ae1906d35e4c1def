// Executes operations. Arguments: the package, how it is loaded.
import { createRequire } from 'node:module'
import { trace } from '@opentelemetry/api'

const [name, how] = process.argv.slice(2)
const { buildSchema, execute, graphql, parse, validate } =
  how === 'require' ? createRequire(import.meta.url)(name) : await import(name)
const tracer = trace.getTracer('app')
const note = (label) => tracer.startSpan(label).end()
const schema = buildSchema(
  'type Query { order(id: Int, note: String): String, broken: String, now: String }'
)
const rootValue = {
  order: async () => {
    await new Promise(setImmediate)
    note('in order')
    return 'x'
  },
  broken: () => {
    throw new RangeError('no such order')
  },
  now: () => {
    note('in now')
    return 'now'
  }
}
const source = 'query One { order(id: 7, note: "secret # 1") } # of 42\nquery Two { broken now }'
await tracer.startActiveSpan('from one', async (span) => {
  await graphql({ schema, source, rootValue, operationName: 'One' })
  span.end()
})
const { errors } = await graphql({ schema, source, rootValue, operationName: 'Two' })
console.log(`errors ${errors.length}`)
execute({ schema, document: parse('{ now }'), rootValue })
await tracer.startActiveSpan('from refused', async (span) => {
  const refused = 'query Refused { order(id: "secret", note: 7) ordr }'
  await graphql({ schema, source: refused, rootValue })
  span.end()
})
await tracer.startActiveSpan('from garbled', async (span) => {
  await graphql({ schema, source: '{ order(note: ) "secret" }', rootValue })
  try {
    parse('query Garbled { now "secret" }')
  } catch (error) {
    console.log(error.message)
  }
  span.end()
})
await tracer.startActiveSpan('from slow', async (span) => {
  const document = parse(`query Slow { now ${'now '.repeat(100_000)} }`)
  const slow = () => {
    const until = performance.now() + 6
    while (performance.now() < until);
    return {}
  }
  validate(schema, document, [slow])
  span.end()
})
console.log('done')
