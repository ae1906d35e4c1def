// node:http alone: bodies read by events, requests that overlap, clients that go away.
import { AsyncLocalStorage } from 'node:async_hooks'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import { duplexPair } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { trace } from '@opentelemetry/api'
import { request as undiciRequest } from 'undici'

const traceId = () => trace.getActiveSpan()?.spanContext().traceId ?? 'none'

const own = new AsyncLocalStorage()

const UPGRADE = { connection: 'upgrade', upgrade: 'echo' }
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** A connection that is no socket: the parser runs below whoever writes to it. */
async function overStream() {
  const outer = traceId()
  const [near, far] = duplexPair()
  server.emit('connection', far)
  near.setEncoding('utf8')
  const answered = once(near, 'data')
  near.write('GET /inner HTTP/1.1\r\nHost: a\r\n\r\n')
  const after = [traceId(), own.getStore()]
  await new Promise((resolve) => process.nextTick(resolve))
  after.push(traceId(), own.getStore())
  const [answer] = await answered
  after.push(traceId(), own.getStore())
  near.destroy()
  return { outer, after, inner: answer.split('\r\n\r\n')[1] }
}

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
    case '/over-stream':
      response.end(JSON.stringify(await own.run('mine', overStream)))
      break
    case '/inner':
      response.end(traceId())
      break
    case '/never':
      console.log('never reached')
      break
    case '/undici': {
      // Passes all headers on, as proxies do: the caller's traceparent is among them.
      const { traceparent, baggage } = request.headers
      const headers = { ...(traceparent ? { traceparent } : {}), ...(baggage ? { baggage } : {}) }
      const answer = await undiciRequest(url.searchParams.get('to'), { headers })
      response.end(await answer.body.text())
      break
    }
    case '/passed-on': {
      const { port } = server.address()
      const headers = { host: 'shop.example' }
      const passed = http.get({ host: '127.0.0.1', port, path: '/ok?id=1', headers })
      const [answer] = await once(passed, 'response')
      answer.pipe(response)
      break
    }
    case '/switch': {
      const { port } = server.address()
      const upgraded = http.get({ port, path: '/upgraded', headers: UPGRADE })
      const [, socket] = await once(upgraded, 'upgrade')
      socket.destroy()
      const tunnel = http.request({ port, path: 'shop.example:443', method: 'CONNECT' }).end()
      const [, through] = await once(tunnel, 'connect')
      through.destroy()
      const websocket = new WebSocket(`ws://localhost:${port}/websocket`)
      await once(websocket, 'open')
      response.end()
      break
    }
    case '/detached':
      request.socket = null
      response.end()
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
server.on('upgrade', ({ headers }, socket) => {
  const key = `${headers['sec-websocket-key']}${WEBSOCKET_GUID}`
  const accept = createHash('sha1').update(key).digest('base64')
  const name = headers.upgrade
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${name}\r\n` +
      `Sec-WebSocket-Accept: ${accept}\r\n\r\n`
  )
})
server.on('connect', (_request, socket) => socket.write('HTTP/1.1 200 OK\r\n\r\n'))
server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`))
