// node:http alone: bodies read by events, requests that overlap, clients that go away.
import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { trace } from '@opentelemetry/api'

const traceId = () => trace.getActiveSpan()?.spanContext().traceId ?? 'none'

const server = http.createServer(async (request, response) => {
  const url = new URL(request.url, 'http://localhost')
  switch (url.pathname) {
    case '/body': {
      const seen = [traceId()]
      request.on('data', () => seen.push(traceId()))
      request.on('end', () => {
        seen.push(traceId())
        response.end(JSON.stringify(seen))
      })
      break
    }
    case '/relay':
      http
        .get(url.searchParams.get('to'), (answer) => {
          answer.resume()
          answer.on('end', () => response.end(String(answer.statusCode)))
        })
        .on('error', (error) => response.end(error.code))
      break
    case '/overlap': {
      const before = traceId()
      for (let round = 0; round < 5; round++) await sleep(Math.random() * 10)
      await new Promise((resolve) => setImmediate(resolve))
      response.end(JSON.stringify([before, traceId()]))
      break
    }
    case '/never':
      console.log('never reached')
      break
    case '/headers':
      response.end(JSON.stringify(request.headers))
      break
    case '/status':
      response.statusCode = Number(url.searchParams.get('code'))
      response.end()
      break
    default:
      response.end('ok')
  }
})
server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`))
