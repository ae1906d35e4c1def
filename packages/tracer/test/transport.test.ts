/** The ways to a collector: sockets, TLS, compressions, and what it may answer. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Certificates, hasOpenssl, makeCertificates } from './certificates.ts'
import { App, REGISTER } from './child.ts'
import { OtlpSink } from './otlp-sink.ts'

const ALLOW_NET = process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : []
const NO_WORKER = ['--permission', '--allow-fs-read=*', ...ALLOW_NET]

let app: App | undefined
let sink: OtlpSink

afterEach(async () => {
  await app?.stop()
  await sink?.close()
  app = undefined
})

async function start(env: Record<string, string>, nodeArgs: string[] = []): Promise<App> {
  app = new App('spans.mjs', { nodeArgs: [...nodeArgs, '--import', REGISTER], env })
  await app.line(/ready/)
  return app
}

async function makeSpans(running: App, spans: number): Promise<void> {
  running.tell({ spans, flush: true })
  await running.line(/flushed/)
}

describe('a Unix socket', () => {
  it.each([
    ['from the sending thread', []],
    ['from the main thread', NO_WORKER]
  ])('%s', async (_name, nodeArgs) => {
    const folder = mkdtempSync(join(tmpdir(), 'tracer-socket-'))
    try {
      const path = join(folder, 'otlp.sock')
      sink = await new OtlpSink().listen(path)
      const running = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: `unix://${path}` }, nodeArgs)
      await makeSpans(running, 5)
      expect(sink.spans).toHaveLength(5)
      expect(sink.requests[0]).toMatchObject({ path: '/v1/traces', headers: { host: 'localhost' } })
      expect(sink.requests[0]!.headers['content-encoding']).toBe('zstd')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe('compression', () => {
  it.each([
    ['gzip', 'gzip', []],
    ['zstd', 'zstd', []],
    ['none', undefined, []],
    ['zstd', 'zstd', NO_WORKER],
    ['none', undefined, NO_WORKER]
  ])('%s is content-encoding %s (%j)', async (compression, encoding, nodeArgs) => {
    sink = await new OtlpSink().listen()
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
      OTEL_EXPORTER_OTLP_COMPRESSION: compression
    }
    await makeSpans(await start(env, nodeArgs), 5)
    expect(sink.spans).toHaveLength(5)
    expect(sink.requests.map(({ headers }) => headers['content-encoding'])).toEqual([encoding])
  })

  it.each([415, 400])(
    'zstd is gzip from then on where it is refused (%i), and nothing is lost',
    async (status) => {
      sink = await new OtlpSink().listen()
      sink.answer = (index) => ({ status: index === 0 ? status : 200 })
      const running = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: sink.url })
      await makeSpans(running, 5)
      running.tell({ spans: 6 })
      await sink.until(() => sink.spans.length === 11, '11 spans')
      const encodings = sink.requests.map(({ headers }) => headers['content-encoding'])
      expect(encodings).toEqual(['zstd', 'gzip', 'gzip'])
      expect(running.stderr.match(/SEND_ZSTD_REFUSED/g)).toHaveLength(1)
      expect(running.stderr).not.toContain('SEND_DROPPED')
    }
  )

  it('a 400 tells nothing of zstd when the same as gzip has no answer yet', async () => {
    sink = await new OtlpSink().listen()
    const answers = [400, 503, 200]
    sink.answer = (index) => ({ status: answers[index] ?? 200, headers: { 'retry-after': '0' } })
    const running = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: sink.url })
    running.tell({ spans: 5 })
    await sink.until(() => sink.spans.length === 5, '5 spans')
    const encodings = sink.requests.map(({ headers }) => headers['content-encoding'])
    expect(encodings).toEqual(['zstd', 'gzip', 'zstd'])
    expect(running.stderr).not.toContain('SEND_')
  })

  it('a 400 is about what the body holds once zstd was taken', async () => {
    sink = await new OtlpSink().listen()
    sink.answer = (index) => ({ status: index === 1 ? 400 : 200 })
    const running = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: sink.url })
    await makeSpans(running, 5)
    running.tell({ spans: 6 })
    await sink.until(() => sink.requests.length === 2, 'the second request')
    running.tell({ spans: 7 })
    await sink.until(() => sink.spans.length === 12, '12 spans')
    const encodings = sink.requests.map(({ headers }) => headers['content-encoding'])
    expect(encodings).toEqual(['zstd', 'zstd', 'zstd'])
    expect(running.stderr).toContain('SEND_DROPPED')
    expect(running.stderr).not.toContain('SEND_ZSTD_REFUSED')
  })
})

describe.skipIf(!hasOpenssl())('https', () => {
  let certificates: Certificates
  beforeAll(() => {
    certificates = makeCertificates()
  })
  afterAll(() => certificates.remove())

  const server = () => ({
    cert: certificates.text('server.pem'),
    key: certificates.text('server.key')
  })
  const address = () => ({ OTEL_EXPORTER_OTLP_ENDPOINT: `https://127.0.0.1:${sink.port}` })
  const authority = () => ({ OTEL_EXPORTER_OTLP_CERTIFICATE: certificates.file('ca.pem') })

  it.each([
    ['from the sending thread', []],
    ['from the main thread', NO_WORKER]
  ])('of an authority that a file names, %s', async (_name, nodeArgs) => {
    sink = await new OtlpSink().listen(0, server())
    await makeSpans(await start({ ...address(), ...authority() }, nodeArgs), 5)
    expect(sink.spans).toHaveLength(5)
  })

  it('of an authority that nobody knows is refused, and said', async () => {
    sink = await new OtlpSink().listen(0, server())
    const missing = join(tmpdir(), 'no-such-ca.pem')
    const running = await start({ ...address(), OTEL_EXPORTER_OTLP_CERTIFICATE: missing })
    running.tell({ spans: 5 })
    await running.line(/SEND_UNREACHABLE: .*https:.*(SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET)/)
    expect(running.stderr.match(/SEND_TLS_FILE/g)).toHaveLength(1)
    expect(running.stderr).toContain(`${missing} could not be read (ENOENT)`)
    expect(sink.requests).toHaveLength(0)
  })

  it('that asks for a certificate gets the client’s', async () => {
    const ca = certificates.text('ca.pem')
    const names: string[] = []
    sink = await new OtlpSink().listen(0, { ...server(), ca, requestCert: true })
    sink.seen = (socket) => {
      names.push(String((socket as TLSSocket).getPeerCertificate().subject.CN))
    }
    await makeSpans(
      await start({
        ...address(),
        ...authority(),
        OTEL_EXPORTER_OTLP_CLIENT_KEY: certificates.file('client.key'),
        OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: certificates.file('client.pem')
      }),
      5
    )
    expect(sink.spans).toHaveLength(5)
    expect(names).toEqual(['client'])
  })
})

describe('the collector answers', () => {
  it('that it takes a part: what it refused is counted and said once, and not sent again', async () => {
    const message = Buffer.from('too old')
    const partial = Buffer.concat([Buffer.from([0x08, 2, 0x12, message.length]), message])
    const body = Buffer.concat([Buffer.from([0x0a, partial.length]), partial])
    sink = await new OtlpSink().listen()
    sink.answer = () => ({ status: 200, body })
    const running = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: sink.url })
    await makeSpans(running, 5)
    running.tell({ spans: 5 })
    await sink.until(() => sink.spans.length === 10, '10 spans')
    expect(sink.requests).toHaveLength(2)
    expect(running.stderr.match(/SEND_DROPPED.*/g)).toEqual([
      'SEND_DROPPED: 2 spans were dropped: the collector answered 200 too old (said once).'
    ])
  })

  it('503 with a date: it is asked again then, and why is said', async () => {
    sink = await new OtlpSink().listen()
    let askedAgainMs = 0
    const notBeforeMs = Math.ceil(Date.now() / 1_000) * 1_000 + 4_000
    sink.answer = (index) => {
      if (index > 0) askedAgainMs = Date.now()
      const headers = { 'retry-after': new Date(notBeforeMs).toUTCString() }
      return index === 0 ? { status: 503, headers } : { status: 200 }
    }
    const running = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: sink.url })
    running.tell({ spans: 5 })
    await running.line(/SEND_UNREACHABLE: .*\(503 Service Unavailable\)/)
    await sink.until(() => sink.spans.length === 5, '5 spans')
    // Less the millisecond by which a timer may be early.
    expect(askedAgainMs).toBeGreaterThanOrEqual(notBeforeMs - 2)
  })

  it('nothing within the time of the signal: it is asked again', async () => {
    let connections = 0
    const silent = createServer((socket) => {
      connections++
      socket.on('error', () => {})
    })
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as { port: number }
    const running = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '100'
    })
    running.tell({ spans: 5 })
    await running.line(/SEND_UNREACHABLE: .*\(no answer within 100 ms\)/)
    expect(connections).toBeGreaterThanOrEqual(2)
    await running.stop()
    silent.close()
  })
})

describe('no exporter', () => {
  const COUNT_THREADS = `
    import { readdirSync, readFileSync } from 'node:fs'
    import { trace } from '@opentelemetry/api'
    trace.getTracer('t').startSpan('unsent').end()
    setTimeout(() => {
      const names = readdirSync('/proc/self/task').map((id) =>
        readFileSync('/proc/self/task/' + id + '/comm', 'utf8').trim())
      console.log('threads ' + names.length)
    }, 300)`

  async function threads(env: Record<string, string>): Promise<number> {
    const running = new App('--input-type=module', {
      nodeArgs: ['--import', REGISTER],
      args: ['-e', COUNT_THREADS],
      env
    })
    const [, count] = await running.line(/threads (\d+)/)
    await running.stop()
    return Number(count)
  }

  it.skipIf(process.platform !== 'linux')('starts no sending thread', async () => {
    sink = await new OtlpSink().listen()
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url }
    const none = {
      OTEL_TRACES_EXPORTER: 'none',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none'
    }
    const without = await threads({ ...env, ...none })
    expect(await threads(env)).toBe(without + 1)
    expect(sink.requests.length).toBeLessThanOrEqual(1)
  })
})
