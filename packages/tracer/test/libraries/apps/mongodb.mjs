import { end, failure, load, step } from './steps.mjs'

const [name, how, port] = process.argv.slice(2)
const { MongoClient } = await load(name, how)

const client = new MongoClient(`mongodb://127.0.0.1:${port}/`, { maxPoolSize: 1 })
await client.connect()
const orders = client.db('shop').collection(`orders-${name.replace(/\W/g, '')}-${how}`)

await step('insert', () => orders.insertOne({ _id: 1, mail: 'secret', age: 7 }))
await step('insert many', () =>
  orders.insertMany([2, 3, 4, 5].map((_id) => ({ _id, mail: 'other', age: _id })))
)
await step('find one', () => orders.findOne({ mail: 'secret', age: { $gt: 5 } }))
await step('cursor', async () => {
  const seen = []
  for await (const { _id } of orders.find({}, { batchSize: 2 })) {
    await step(`seen ${_id}`, async () => seen.push(_id))
  }
  if (seen.length !== 5) throw new Error(`saw ${seen}`)
})
await step('update', () =>
  orders.updateOne({ mail: 'secret' }, { $set: { mail: 'secret too', tags: ['secret'] } })
)
await step('aggregate', () =>
  orders.aggregate([{ $match: { mail: { $in: ['secret', 'other'] } } }]).toArray()
)
await step('bulk', () =>
  orders.bulkWrite([{ deleteOne: { filter: { age: 7 } } }, { deleteOne: { filter: { age: 4 } } }])
)
await step('duplicate', () => failure(orders.insertOne({ _id: 2, mail: 'secret' })))
await step('no such command', () => failure(client.db('shop').command({ nosuch: 'secret' })))
// One connection: each but the first has to wait for it.
await Promise.all(
  ['one', 'two', 'three'].map((each) => step(`wait ${each}`, () => orders.findOne({ _id: 3 })))
)
await client.close()
end()
