// Asks a search engine through the client that its arguments name; the engine is a fake at the HTTP level.
import { called, end, failure, load, mark, step } from './steps.mjs'

const [name, how, node] = process.argv.slice(2)
const { Client } = await load(name, how)
const isElastic = name.startsWith('@elastic')
const client = new Client({ node, maxRetries: 2 })

/** Elastic's client takes the body's fields beside the others. */
const asked = (params, body) => (isElastic ? { ...params, ...body } : { ...params, body })
const query = { bool: { must: [{ match: { mail: 'secret' } }] } }

const found = await step('asked', () => client.search(asked({ index: 'orders' }, { query })))
const { hits } = isElastic ? found : found.body
if (hits.total.value !== 1) throw new Error('nothing found')
mark('after search')
await step('put', () =>
  client.index(
    isElastic
      ? { index: 'orders', id: '17', document: { mail: 'secret' } }
      : { index: 'orders', id: '17', body: { mail: 'secret' } }
  )
)
await step('cat', () => client.cat.indices({ format: 'json' }))
await step('again', () => client.search(asked({ index: 'busy' }, { query })))
await step('failure', () => failure(client.search(asked({ index: 'nowhere' }, { query }))))
if (!isElastic) {
  await step('callback', () =>
    called((done) =>
      client.search({ index: 'orders', body: { query } }, (...outcome) => {
        mark('in callback')
        done(...outcome)
      })
    )
  )
  await step('aborted', () => {
    const request = client.search({ index: 'slow', body: { query } })
    setTimeout(() => request.abort(), 50)
    return failure(request)
  })
}
await client.close()
end()
