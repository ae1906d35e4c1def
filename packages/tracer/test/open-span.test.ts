/** Spans that stay open are reported while they run, also by a process whose event loop is blocked. */
import http from 'node:http'
import { zstdDecompressSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { tracedApps } from './traced-apps.ts'

const { sink, start } = tracedApps()

it.each(['/waits', '/blocks'])(
  'a request to %s that is open for ten seconds',
  { timeout: 60_000 },
  async (path) => {
    const port = await start('open-span.mjs', { env: { OTEL_SERVICE_NAME: 'app' } }).port()
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
