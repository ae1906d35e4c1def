import { end, forgotten, load, step } from './steps.mjs'

const [name, port] = process.argv.slice(2)
const library = await load(name, 'require')

if (name.startsWith('ioredis')) {
  const cluster = new library.Cluster([{ host: '127.0.0.1', port: Number(port) }])
  await step('early', () => cluster.set('a', '1'))
  await step('get', () => cluster.get('a'))
  await step('pipeline', () => cluster.pipeline().get('a').get('a').exec())
  await step('multi', () => cluster.multi().get('a').get('a').exec())
  await step('forgotten', () =>
    forgotten(async () => {
      await cluster.set('a', 'x')
      cluster.incr('a')
      await cluster.get('a')
    })
  )
  await cluster.quit()
} else {
  const cluster = library.createCluster({ rootNodes: [{ url: `redis://127.0.0.1:${port}` }] })
  await cluster.connect()
  await step('early', () => cluster.set('a', '1'))
  await step('get', () => cluster.get('a'))
  await step('pipeline', () => cluster.multi().get('a').get('a').execAsPipeline())
  await step('multi', () => cluster.multi().get('a').get('a').exec())
  await cluster.disconnect?.()
  cluster.destroy?.()
}
end()
