/** An app whose collector is away, busy or full: the app goes on, and nothing is lost that there is room for. */
import { afterEach, describe, expect, it } from 'vitest'
import { App, REGISTER } from './child.ts'
import { freePort } from './libraries/servers.ts'
import { OtlpSink } from './otlp-sink.ts'

/** Node 25 and later forbid the network too. */
const ALLOW_NET = process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : []

let app: App | undefined
let sink: OtlpSink | undefined

afterEach(async () => {
  await app?.stop()
  await sink?.close()
  app = undefined
  sink = undefined
})

function start(port: number, env: Record<string, string> = {}): App {
  app = new App('spans.mjs', {
    nodeArgs: ['--import', REGISTER],
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, ...env }
  })
  return app
}

describe('the collector is away', () => {
  it('and comes back: all of it arrives, once, and the outage was said once', async () => {
    const port = await freePort()
    const running = start(port)
    await running.line(/ready/)
    for (let batch = 0; batch < 3; batch++) {
      running.tell({ spans: 500, flush: false })
      await running.line(new RegExp(`made ${(batch + 1) * 500}\\b`))
    }
    await running.line(/SEND_UNREACHABLE/)
    sink = await new OtlpSink().listen(port)
    await sink.until(() => sink!.spans.length >= 1_500, '1,500 spans')

    expect(sink.spans).toHaveLength(1_500)
    expect(new Set(sink.spans.map((span) => span.spanId)).size).toBe(1_500)
    expect(running.stderr.match(/SEND_UNREACHABLE/g)).toHaveLength(1)
    expect(running.stderr).not.toContain('SEND_DROPPED')
  })

  it('for longer than there is room: the oldest are dropped, counted, and said once', async () => {
    const port = await freePort()
    const running = start(port, { SPANLOOM_QUEUE_BYTES: '60000' })
    await running.line(/ready/)
    for (let made = 0; made < 20_000; made += 4_000) {
      running.tell({ spans: 4_000, noise: true })
      await running.line(new RegExp(`made ${made + 4_000}\\b`))
    }
    await running.line(/SEND_UNREACHABLE/)
    sink = await new OtlpSink().listen(port)
    const [, dropped] = await running.line(/SEND_DROPPED: (\d+) spans/)
    await sink.until(() => sink!.spans.length + Number(dropped) >= 20_000, 'the rest')

    expect(Number(dropped)).toBeGreaterThan(0)
    expect(sink.spans.length + Number(dropped)).toBe(20_000)
    expect(sink.spans.some((span) => span.attributes.index === 19_999)).toBe(true)
    expect(running.stderr.match(/SEND_DROPPED/g)).toHaveLength(1)
  })
})

describe('the collector is busy', () => {
  it('gets the very same bytes again after 503', async () => {
    sink = await new OtlpSink().listen()
    sink.answer = (index) =>
      index < 2 ? { status: 503, headers: { 'retry-after': '0' } } : { status: 200 }
    const running = start(sink.port)
    await running.line(/ready/)
    running.tell({ spans: 10 })
    await sink.until(() => sink!.spans.length === 10, '10 spans')
    expect(sink.requests).toHaveLength(3)
    expect(sink.requests[1]!.body.equals(sink.requests[0]!.body)).toBe(true)
    expect(sink.requests[2]!.body.equals(sink.requests[0]!.body)).toBe(true)
  })

  it('gets them again after a proxy has answered with a page of its own', async () => {
    sink = await new OtlpSink().listen()
    const page = { status: 200, headers: { 'content-type': 'text/html' }, body: '<p>Log in' }
    sink.answer = (index) => (index < 1 ? page : { status: 200 })
    const running = start(sink.port)
    await running.line(/ready/)
    running.tell({ spans: 10 })
    await sink.until(() => sink!.requests.length === 2, 'a second request')
    expect(sink.requests[1]!.body.equals(sink.requests[0]!.body)).toBe(true)
  })

  it('is not asked again after 400, and the headers of the configuration go along', async () => {
    sink = await new OtlpSink().listen()
    // The first may be about the encoding, so the same is asked once more as gzip.
    sink.answer = (index) => (index < 2 ? { status: 400, body: 'malformed' } : { status: 200 })
    const running = start(sink.port, { OTEL_EXPORTER_OTLP_HEADERS: 'x-api-key=a%20b' })
    await running.line(/ready/)
    running.tell({ spans: 3, flush: true })
    await running.line(/flushed/)
    running.tell({ spans: 4 })
    await sink.until(() => sink!.spans.length > 0, 'the second batch')
    expect(sink.spans).toHaveLength(4)
    expect(sink.requests).toHaveLength(3)
    expect(running.stderr).toContain(
      'SEND_DROPPED: 3 spans were dropped: the collector answered 400'
    )
    expect(sink.requests[0]!.headers['x-api-key']).toBe('a b')
  })
})

describe('there can be no worker', () => {
  it('sends from the main thread, says so, and does not trace itself', async () => {
    sink = await new OtlpSink().listen()
    app = new App('spans.mjs', {
      nodeArgs: ['--permission', '--allow-fs-read=*', ...ALLOW_NET, '--import', REGISTER],
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url }
    })
    await app.line(/ready/)
    app.tell({ spans: 5, flush: true })
    await app.line(/flushed/)
    expect(app.stderr).toContain('SEND_NO_WORKER')
    expect(sink.spans.map((span) => span.name)).toEqual(Array.from({ length: 5 }, () => 'work'))
  })
})
