/**
 * Where all tracers send to, a process of its own. It answers each as its own collector or agent would, at
 * once and with success, so that none is slowed by retries, and counts the spans that arrive. It counts when
 * it is asked, after the load: two cores are few, and what is measured must not wait for what measures.
 *
 *   /v1/traces               OTLP, scanned             /v1/metrics, /v1/logs   taken
 *   /v0.4/traces (and kin)   Datadog's msgpack         /info, /telemetry/…, /v0.7/config   as its agent
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { createScanner, SpanKind, StringTable } from '@spanloom/otlp'

const KIND_KEY = Buffer.from('span.kind')
/** In these bytes after the key stands the value, whatever header msgpack gave it. */
const KIND_BYTES = 12

const strings = new StringTable({ stringsMax: 100_000, bytesMax: 16 << 20, stringBytesMax: 1024 })
const scanner = createScanner([], strings)
const counts = { spans: 0, serverSpans: 0, clientSpans: 0 }
/** Payloads that are not counted yet. */
let waiting: (() => void)[] = []
let waitingBytes = 0
/** More than a run of any tracer sends. */
const WAITING_BYTES_MAX = 512 << 20

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => answer(request, response, Buffer.concat(chunks)))
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  process.send!({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
})

process.on('message', (message) => {
  countWaiting()
  if (message === 'reset') Object.assign(counts, { spans: 0, serverSpans: 0, clientSpans: 0 })
  process.send!(counts)
})
process.on('disconnect', () => process.exit())

function answer(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const path = request.url ?? ''
  if (path.startsWith('/v1/')) {
    if (path === '/v1/traces') countLater(body, () => countOtlp(inflated(request, body)))
    response.setHeader('content-type', 'application/x-protobuf').end()
  } else if (/^\/v0\.\d\/traces$/.test(path)) {
    countLater(body, () => countMsgpack(body))
    json(response, 200, { rate_by_service: {} })
  } else if (path === '/info') {
    const endpoints = ['/v0.4/traces', '/v0.7/config', '/telemetry/proxy/']
    json(response, 200, { version: '7.70.0', endpoints, client_drop_p0s: false })
  } else {
    json(response, path.startsWith('/telemetry/') ? 202 : 200, {})
  }
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

function countLater(body: Buffer, count: () => void): void {
  waiting.push(count)
  waitingBytes += body.length
  if (waitingBytes > WAITING_BYTES_MAX) countWaiting()
}

function countWaiting(): void {
  const counted = waiting
  waiting = []
  waitingBytes = 0
  for (const count of counted) count()
}

function inflated(request: IncomingMessage, body: Buffer): Buffer {
  const encoding = request.headers['content-encoding']
  if (encoding === 'zstd') return zstdDecompressSync(body)
  return encoding === 'gzip' ? gunzipSync(body) : body
}

function countOtlp(payload: Buffer): void {
  const rows = scanner.scan(payload)
  for (let row = 0; row < rows.count; row++) {
    counts.spans++
    if (rows.kind[row] === SpanKind.SERVER) counts.serverSpans++
    if (rows.kind[row] === SpanKind.CLIENT) counts.clientSpans++
  }
}

/** Servers and clients say their kind; of the others only the number of all spans would tell. */
function countMsgpack(payload: Buffer): void {
  for (let at = payload.indexOf(KIND_KEY); at >= 0; at = payload.indexOf(KIND_KEY, at + 1)) {
    const from = at + KIND_KEY.length
    const value = payload.toString('latin1', from, from + KIND_BYTES)
    counts.spans++
    if (value.includes('server')) counts.serverSpans++
    if (value.includes('client')) counts.clientSpans++
  }
}
