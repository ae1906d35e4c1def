/**
 * Minutes of load on a traced app with failing and aborted requests and leaked timers; then its heap, after
 * garbage collection, must be within 5 % of what it was at the start of the second minute.
 *
 *   npm run -s soak                          10 minutes
 *   npm run -s soak -- --minutes 3 --json
 *
 * Prints the heap twice a minute, and at the end one line of JSON. Exit code 1 when it has grown.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'

const REQUESTS_PER_SECOND = 200
const SAMPLES_PER_MINUTE = 2
const GROWTH_MAX = 0.05
const PATHS = ['ok', 'fails', 'rejects', 'slow', 'leaks', 'calls', 'ok', 'ok']
/** Of the slow ones every other is left by its client. */
const ABORT_AFTER_MS = 50

const argv = process.argv.slice(2)
const minutesAt = argv.indexOf('--minutes')
const minutes = minutesAt < 0 ? 10 : Number(argv[minutesAt + 1])
if (!(minutes >= 2)) throw new Error('--minutes takes a number from 2 on')

/** Takes whatever it is sent: what is soaked is the tracer, delivery included. */
async function startSink(): Promise<{ url: string; payloads: () => number; close: () => void }> {
  let payloads = 0
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => {
      payloads++
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    payloads: () => payloads,
    close() {
      server.closeAllConnections()
      server.close()
    }
  }
}

function startApp(endpoint: string): ChildProcess {
  const register = new URL('../../packages/tracer/dist/register.js', import.meta.url)
  return fork(fileURLToPath(new URL('./app.mjs', import.meta.url)), {
    execArgv: ['--expose-gc', '--import', pathToFileURL(fileURLToPath(register)).href],
    env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SERVICE_NAME: 'soak' }
  })
}

const sink = await startSink()
const app = startApp(sink.url)
const [{ port }] = (await once(app, 'message')) as [{ port: number }]
const agent = new Agent({ keepAlive: true, maxSockets: 64 })
let sent = 0
let answered = 0
let aborted = 0

function sendOne(): void {
  const kind = PATHS[sent % PATHS.length]!
  const leaves = kind === 'slow' && sent % (PATHS.length * 2) < PATHS.length
  const request = get({ port, host: '127.0.0.1', agent, path: `/${kind}/${sent++}` })
  request.on('response', (response) => {
    answered++
    response.resume()
    response.on('error', () => {})
  })
  request.on('error', () => aborted++)
  if (leaves) setTimeout(() => request.destroy(), ABORT_AFTER_MS)
}

async function heapBytes(): Promise<number> {
  app.send('heap')
  const [{ heapBytes: bytes }] = (await once(app, 'message')) as [{ heapBytes: number }]
  return bytes
}

const startedMs = performance.now()
const load = setInterval(() => {
  const due = ((performance.now() - startedMs) / 1_000) * REQUESTS_PER_SECOND
  while (sent < due) sendOne()
}, 10)

const samples: number[] = []
const sampleMs = 60_000 / SAMPLES_PER_MINUTE
for (let count = 1; count <= minutes * SAMPLES_PER_MINUTE; count++) {
  await sleep(Math.max(0, startedMs + count * sampleMs - performance.now()))
  const bytes = await heapBytes()
  samples.push(bytes)
  process.stderr.write(`${(count / SAMPLES_PER_MINUTE).toFixed(1)} min  ${bytes} bytes of heap\n`)
}
clearInterval(load)
agent.destroy()
app.kill('SIGTERM')
await once(app, 'exit')
sink.close()

/** The sample at the end of the first minute is the start of the second. */
const startBytes = samples[SAMPLES_PER_MINUTE - 1]!
const endBytes = samples.at(-1)!
const growth = endBytes / startBytes - 1
const result = {
  minutes,
  requests: sent,
  answered,
  aborted,
  payloads: sink.payloads(),
  heapStartBytes: startBytes,
  heapEndBytes: endBytes,
  growth: Number(growth.toFixed(4)),
  holds: growth <= GROWTH_MAX
}
console.log(JSON.stringify(result))
process.exitCode = result.holds ? 0 : 1
