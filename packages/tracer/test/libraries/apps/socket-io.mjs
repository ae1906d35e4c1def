import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { io } from 'socket.io-client'
import { end, load, mark } from './steps.mjs'

const [how, transport] = process.argv.slice(2)
const { Server } = await load('socket.io', how)
const server = createServer()
const sockets = new Server(server, { transports: [transport] })
const EVENTS = 101

process.on('unhandledRejection', (error) => mark(`unhandled ${error.message}`))

const serve = (socket) => {
  socket.use((_event, next) => setTimeout(next, 1))
  socket.on('order', async (order, done) => {
    mark(`got ${order}`)
    await sleep(5)
    mark(`later ${order}`)
    done(`re ${order}`)
  })
  socket.on('failing', async (done) => {
    setTimeout(done, 10)
    throw new Error('rejected')
  })
  for (let index = 0; index < EVENTS; index++) {
    socket.on(`event ${index}`, (done) => done())
  }
}
sockets.on('connection', serve)
sockets.of('/shop').on('connection', serve)
server.listen(0, '127.0.0.1')
await once(server, 'listening')

const at = `http://127.0.0.1:${server.address().port}`
const clients = ['', '/shop'].map((namespace) => io(at + namespace, { transports: [transport] }))
const [root, shop] = clients
for (const client of clients) {
  const answer = await client.emitWithAck('order', client === root ? 'one' : 'two')
  mark(answer)
}
root.emit('nobody listens', 'secret')
await shop.emitWithAck('failing')
for (let index = 0; index < EVENTS; index++) await root.emitWithAck(`event ${index}`)
for (const client of clients) client.disconnect()
await sockets.close()
end()
