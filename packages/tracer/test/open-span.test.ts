/** Spans that stay open are reported while they run, also by a process whose event loop is blocked. */
import http from 'node:http'
import { zstdDecompressSync } from 'node:zlib'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { App, REGISTER } from './child.ts'
import { OtlpSink } from './otlp-sink.ts'

let sink: OtlpSink
let app: App

beforeEach(async () => {
  sink = await new OtlpSink().listen()
  app = new App('open-span.mjs', {
    nodeArgs: ['--import', REGISTER],
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, OTEL_SERVICE_NAME: 'app' }
  })
})
afterEach(async () => {
  await app.stop()
  await sink.close()
})

it.each(['/waits', '/blocks'])(
  'a request to %s that is open for ten seconds',
  { timeout: 60_000 },
  async (path) => {
    const port = await app.port()
    // Once a span has arrived, the thread that reports is there: it is started by the event loop.
    await fetch(`http://127.0.0.1:${port}/answers`)
    await sink.span('GET')
    http.get({ port, host: '127.0.0.1', path }).on('error', () => {})
    const reports = () => sink.requests.filter((request) => request.path === '/v1/logs')
    await sink.until(() => reports().length > 0, 'a report', 40_000)

    const text = zstdDecompressSync(reports()[0]!.body).toString('latin1')
    expect(text).toMatch(/GET is still open after 1\d s/)
    expect(text).toContain('spanloom.span.open')
    expect(text.includes('spanloom.event_loop.blocked_ms')).toBe(path === '/blocks')
    expect(sink.spans).toHaveLength(1)
  }
)
