import { end, load, mark, step } from './steps.mjs'

const [name, how, port] = process.argv.slice(2)
const mongoose = await load(name, how)

const schema = new mongoose.Schema({ mail: String, age: Number }, { autoIndex: false })
schema.pre('save', async () => mark('in hook'))
const collection = `users-${name}-${how}`
const User = mongoose.model('User', schema, collection)
User.schema.set('autoCreate', false)

// Begun before there is a connection: they wait in the collection's queue.
const early = [
  step('early find', () => User.findOne({ mail: 'secret' })),
  step('early insert', () => User.create({ mail: 'secret', age: 7 })),
  step('early raw', () => User.collection.insertOne({ mail: 'direct', age: 1 }))
]
await mongoose.connect(`mongodb://127.0.0.1:${port}/shop`, { maxPoolSize: 1 })
await Promise.all(early)

await step('save', () => new User({ mail: 'other', age: 8 }).save())
const built = User.find({ age: { $gt: 5 } })
await step('thenable', async () => {
  const users = await built.sort({ age: 1 })
  if (users.length < 2) throw new Error(`found ${users.length}`)
})
await step('exec', () => User.findOne({ mail: 'other' }).exec())
await step('update', () => User.updateOne({ mail: 'other' }, { $set: { age: 9 } }))
await step('aggregate', () => User.aggregate([{ $match: { age: 9 } }]))
await step('cursor', async () => {
  for await (const user of User.find().cursor({ batchSize: 1 })) mark(`user ${user.mail.length}`)
})
await Promise.all(['one', 'two'].map((each) => step(`wait ${each}`, () => User.findOne())))
await mongoose.disconnect()
end()
