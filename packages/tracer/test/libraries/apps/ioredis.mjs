import { called, end, failure, forgotten, load, mark, step } from './steps.mjs'

const [name, how, port] = process.argv.slice(2)
const { Redis } = await load(name, how)

// Begun before the connection stands: queued by the client, and sent again once it is ready.
const client = new Redis({ host: '127.0.0.1', port: Number(port), db: 2 })
await step('early', () => client.set('key of alice', 'secret'))
await step('get', () => client.get('key of alice'))
await step('callback', () =>
  called((done) =>
    client.get('key of alice', (error, value) => {
      mark('in callback')
      done(error, value)
    })
  )
)
await step('raw', () => client.call('HSET', 'hash', 'field', 'secret'))
await step('wrong', () => failure(client.lpush('key of alice', 'secret')))
await step('multi', () => client.multi().set('a', '1').incr('a').get('a').exec())
await step('pipeline', () => client.pipeline().set('a', '1').set('b', '2').exec())
await step('empty', () => client.pipeline().exec())
await step('failed multi', () => failure(client.multi().set('a', '1').call('nosuch').exec()))
await client.select(3)
await step('selected', () => client.get('key'))
await step('overlap', () =>
  Promise.all([step('left', () => client.get('left')), step('right', () => client.get('right'))])
)
const automatic = new Redis({ port: Number(port), host: '127.0.0.1', enableAutoPipelining: true })
await Promise.all(
  ['one', 'two'].map((each) => step(`automatic ${each}`, () => automatic.get(`${each} of alice`)))
)
await step('no batch', () => automatic.pipeline().get('a').get('b').exec())
await automatic.quit()
const lost = new Redis({ host: '127.0.0.1', port: 1, retryStrategy: () => null, lazyConnect: true })
lost.on('error', () => {})
await step('lost', () => failure(lost.get('key')))
await step('forgotten', () =>
  forgotten(async () => {
    await client.set('word', 'x')
    client.incr('word')
    await client.ping()
  })
)
await client.quit()
end()
