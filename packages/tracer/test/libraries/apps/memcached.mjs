import { called, end, failure, load, mark, step } from './steps.mjs'

const [name, how, port] = process.argv.slice(2)
const Memcached = await load(name, how)
const client = new Memcached(`127.0.0.1:${port}`)

await called((done) => client.flush(done))
await step('put', () => called((done) => client.set('secret', 'secret', 10, done)))
await step('ask', () =>
  called((done) =>
    client.get('secret', (...outcome) => {
      mark('in callback')
      done(...outcome)
    })
  )
)
await step('miss', () => called((done) => client.get('secret2', done)))
await step('several', () => called((done) => client.getMulti(['secret', 'secret2'], done)))
await step('there already', () =>
  failure(called((done) => client.add('secret', 'secret', 10, done)))
)
await step('no number', () => failure(called((done) => client.incr('secret', 1, done))))
client.end()

const two = new Memcached([`127.0.0.1:${port}`, `localhost:${port}`])
await step('two servers', () => called((done) => two.get('secret', done)))
two.end()
end()
