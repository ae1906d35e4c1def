/**
 * Somebody else's service: runs without the tracer. It answers 503 for p13, and hangs up without
 * an answer for p27.
 */
import { createServer } from 'node:http'
import { answerJson } from './lib/body.ts'
import { Counter } from './lib/counter.ts'
import { runService } from './lib/run-service.ts'

const counter = new Counter()

const server = createServer((request, response) => {
  const productId = (request.url ?? '').split('/').at(-1) ?? ''
  if (productId === 'p27') {
    counter.served('GET', '/ratings/:productId', 0)
    request.socket.destroy()
    return
  }
  const status = productId === 'p13' ? 503 : 200
  counter.served('GET', '/ratings/:productId', status)
  answerJson(response, status, { productId, stars: 1 + (productId.length % 5) })
})

runService(server, counter)
