import { end, failure, load, step } from './steps.mjs'

const [name, how, port] = process.argv.slice(2)
const { createClient, createClientPool } = await load(name, how)

const client = createClient({ url: `redis://127.0.0.1:${port}/2` })
await client.connect()

await step('set', () => client.set('key of alice', 'secret'))
await step('get', () => client.get('key of alice'))
await step('raw', () => client.sendCommand(['hset', 'hash', 'field', 'secret', 'other', 'secret']))
await step('wrong', () => failure(client.lPush('key of alice', 'secret')))
await step('unknown', () => failure(client.sendCommand(['NOSUCH', 'secret'])))
await step('multi', () => client.multi().set('a', '1').incr('a').get('a').exec())
await step('pipeline', () => client.multi().set('a', '1').set('b', '2').execAsPipeline())
await step('one in multi', () => client.multi().set('a', '1').exec())
await step('failed multi', () =>
  failure(client.multi().set('a', 'x').addCommand(['NOSUCH']).exec())
)
await step('overlap', () =>
  Promise.all([step('left', () => client.get('left')), step('right', () => client.get('right'))])
)
await client.select(3)
await step('selected', () => client.get('key'))
await step('many', () => client.mGet(Array.from({ length: 17 }, (_, index) => `key ${index}`)))

if (createClientPool !== undefined) {
  const pool = await createClientPool(
    { url: `redis://127.0.0.1:${port}` },
    { minimum: 1, maximum: 1 }
  ).connect()
  const waits = ['one', 'two', 'three'].map((each) => step(`pool ${each}`, () => pool.get(each)))
  await Promise.all(waits)
  await pool.close()
}
await client.quit()
end()
