import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { end, load, mark, step } from './steps.mjs'

const [how] = process.argv.slice(2)
const { WebSocket, WebSocketServer } = how === 'import' ? await import('ws') : await load('ws', how)

// The app's errors stay the app's.
let left
process.on('uncaughtException', (error) => {
  mark(`uncaught ${error.message}`)
  left?.()
})
process.on('unhandledRejection', (error) => {
  mark(`unhandled ${error.message}`)
  left?.()
})

const server = createServer()
const sockets = new WebSocketServer({
  server,
  path: '/chat',
  verifyClient: ({ req }) => !req.url.includes('nobody')
})
sockets.on('connection', (socket, request) => {
  mark('connected')
  if (request.url.includes('deaf')) return socket.send('deaf')
  socket.on('message', async (data) => {
    const text = String(data)
    mark(`got ${text}`)
    if (text === 'throw') throw new Error('rejected')
    await sleep(5)
    mark(`later ${text}`)
    socket.send(`re ${text}`)
  })
  socket.on('message', function (data, isBinary) {
    if (this !== socket || isBinary) throw new Error('another call')
    if (String(data) === 'throw at once') throw new Error('thrown')
  })
  socket.once('message', () => mark('once'))
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const at = `ws://127.0.0.1:${server.address().port}`

const client = new WebSocket(`${at}/chat?token=secret`)
await step('open', () => once(client, 'open'))
for (const text of ['one', 'two']) {
  client.send(text)
  const [answer] = await once(client, 'message')
  if (String(answer) !== `re ${text}`) throw new Error(`${answer}`)
}
for (const text of ['throw', 'throw at once']) {
  const isLeft = new Promise((resolve) => {
    left = resolve
  })
  client.send(text)
  await isLeft
}
client.terminate()
const deaf = new WebSocket(`${at}/chat?deaf`)
await once(deaf, 'message')
deaf.send('to nobody')
deaf.close()
await once(deaf, 'close')
for (const path of ['/other', '/chat?nobody']) {
  const refused = new WebSocket(at + path)
  const [error] = await once(refused, 'error')
  mark(`client ${error.message}`)
}
sockets.close()
server.close()
server.closeAllConnections()
end()
