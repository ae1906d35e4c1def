/**
 * An app that counts itself what its tracer should count: it serves requests, makes them, and runs jobs.
 * Told `{ stop: true }` it says what it has counted and exits at once.
 */
import { createServer } from 'node:http'
import tracer from '@spanloom/tracer/register'

const counts = { served: 0, failed: 0, called: 0, calledFailed: 0, jobs: 0 }
const EVERY_MS = 5
const FLUSH_EVERY_MS = 300

const server = createServer((request, response) => {
  counts.served++
  response.statusCode = request.url === '/fail' ? 500 : 200
  if (response.statusCode === 500) counts.failed++
  response.end('done')
})
server.listen(0, '127.0.0.1', run)

let stopping = false
process.on('message', ({ stop }) => {
  stopping = stop
})

async function run() {
  const url = `http://127.0.0.1:${server.address().port}`
  // Many small payloads, so that many of them meet a bad network.
  const flushes = setInterval(() => void tracer.flush(), FLUSH_EVERY_MS)
  for (let round = 0; !stopping; round++) {
    const response = await fetch(`${url}/${round % 7 === 0 ? 'fail' : 'ok'}`)
    await response.text()
    counts.called++
    if (response.status === 500) counts.calledFailed++
    tracer.trace('job', () => {
      counts.jobs++
    })
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
  }
  clearInterval(flushes)
  process.send(counts, () => process.exit(0))
}
