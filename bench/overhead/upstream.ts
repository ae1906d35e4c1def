/** What the app's `fetch` asks, a process of its own. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const server = createServer((_request, response) => {
  response.setHeader('content-type', 'application/json')
  response.end('{"inStock":12}')
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  process.send!({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/stock` })
})
process.on('disconnect', () => process.exit())
