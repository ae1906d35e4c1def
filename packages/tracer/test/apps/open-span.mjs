// A request that waits for ever, and one that blocks the event loop until it is killed.
import { createServer } from 'node:http'

createServer((request, response) => {
  if (request.url === '/answers') response.end()
  if (request.url === '/blocks') for (;;);
}).listen(0, '127.0.0.1', function () {
  console.log(`listening ${this.address().port}`)
})
