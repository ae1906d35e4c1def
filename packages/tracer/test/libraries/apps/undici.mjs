// Requests by npm's undici to a server of this process, which answers with the headers that it got.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { end, failure, load, step } from './steps.mjs'

const [name, how] = process.argv.slice(2)
const { Client, fetch, request } = await load(name, how)
const server = createServer((incoming, response) => {
  response.statusCode = incoming.url === '/missing' ? 404 : 200
  response.end(JSON.stringify(incoming.headers))
})
server.on('upgrade', (_request, socket) => {
  socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
})
await once(server.listen(0, '127.0.0.1'), 'listening')
const url = `http://127.0.0.1:${server.address().port}`
const own = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }

await step('request', async () => {
  const answer = await request(`${url}/plain?key=secret`)
  await answer.body.dump()
})
await step('replaced', async () => {
  const answer = await request(`${url}/plain`, { headers: own })
  await answer.body.dump()
})
await step('fetch', async () => {
  await (await fetch(`${url}/missing`)).text()
})
await step('upgrade', async () => {
  const { socket } = await new Client(url).upgrade({ path: '/upgraded', protocol: 'echo' })
  socket.destroy()
})
await step('refused', () => failure(request('http://127.0.0.1:1/closed')))
end()
server.close()
server.closeAllConnections()
