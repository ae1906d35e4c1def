import { called, end, failure, load, mark, step } from './steps.mjs'

const [name, how, port] = process.argv.slice(2)
const { Client } = await load(name, how)
const options = { logger: { log() {} }, retry_delay: 0.01 }
const client = Client.create(`127.0.0.1:${port}`, options)

await step('put', () => client.set('secret', 'secret', { expires: 10 }))
await step('ask', () =>
  called((done) =>
    client.get('secret', (...outcome) => {
      mark('in callback')
      done(...outcome)
    })
  )
)
await step('miss', () => client.get('secret2'))
await step('there already', () => client.add('secret', 'secret', {}))
await step('no number', () => failure(called((done) => client.increment('secret', 1, {}, done))))
client.close()

const nowhere = Client.create('127.0.0.1:1', options)
await step('refused', () => failure(called((done) => nowhere.get('secret', done))))
nowhere.close()
end()
