/** The tracer as its users start it, in real processes, against a collector that decodes what comes. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type App, type AppOptions, REGISTER } from './child.ts'
import { tracedApps } from './traced-apps.ts'

const { sink, start: startApp } = tracedApps()

/** How the tracer is started is up to the test. */
function start(file: string, options: AppOptions = {}): App {
  const env = { OTEL_SERVICE_NAME: 'app', ...options.env }
  return startApp(file, { nodeArgs: [], ...options, env })
}

describe('one line starts it', () => {
  it.each([
    ['--import, an ESM app', 'shop.mjs', { nodeArgs: ['--import', REGISTER] }],
    ['--require, an ESM app', 'shop.mjs', { nodeArgs: ['--require', REGISTER] }],
    ['NODE_OPTIONS', 'shop.mjs', { env: { NODE_OPTIONS: `--import ${REGISTER}` } }],
    ['--import, a CommonJS app', 'express-routes.cjs', importing('express')],
    ['--require, a CommonJS app', 'express-routes.cjs', requiring('express')]
  ])('%s', async (_name, file, options) => {
    const port = await start(file, options).port()

    await fetch(`http://127.0.0.1:${port}/nothing/here`)

    const span = await sink.span('GET')
    expect(span.kind).toBe(2)
    expect(span.attributes['http.response.status_code']).toBe(404)
    expect(span.resource['service.name']).toBe('app')
    expect(span.resource['telemetry.sdk.name']).toBe('spanloom')
    expect(sink.requests[0]!.path).toBe('/v1/traces')
    expect(sink.requests[0]!.headers['content-type']).toBe('application/x-protobuf')
    expect(sink.requests[0]!.headers['content-encoding']).toBe('zstd')
  })

  it.each(['first-line.mjs', 'first-line.cjs'])('as the first line of %s', async (file) => {
    const port = await start(file).port()

    const text = await (await fetch(`http://127.0.0.1:${port}/hello/you`)).text()

    expect(text).toContain('hello you')
    const server = await sink.span('GET /hello/:name')
    const inner = await sink.span('greet')
    expect(inner.parentSpanId).toBe(server.spanId)
    expect(inner.traceId).toBe(server.traceId)
    expect(server.attributes['http.route']).toBe('/hello/:name')
  })

  it('once, however often it is loaded', async () => {
    const nodeArgs = ['--require', REGISTER, '--import', REGISTER]
    const port = await start('first-line.mjs', { nodeArgs }).port()
    await fetch(`http://127.0.0.1:${port}/hello/you`)
    await sink.span('GET /hello/:name')
    await sink.span('greet')
    expect(sink.spans).toHaveLength(2)
  })

  it('by hand, as the environment says', async () => {
    const script = `const { startTracer } = await import('@spanloom/tracer')
      const tracer = startTracer()
      tracer.trace('by hand', () => {})
      await tracer.shutdown()`
    const app = start('--eval', { nodeArgs: ['--input-type=module'], args: [script] })
    expect((await app.ended()).code).toBe(0)
    expect((await sink.span('by hand')).resource['service.name']).toBe('app')
  })

  it('and says what is listed and not traced', async () => {
    const env = { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'express,fs', SPANLOOM_EXIT_WAIT: '100' }
    const app = start('cli.mjs', { nodeArgs: ['--import', REGISTER], args: ['natural'], env })
    await app.ended()
    expect(app.stderr).toMatch(/CONFIG_NO_LIBRARY: .+ not traced here: fs\./)
  })

  it('says so when an older copy of the API was there first', async () => {
    const older = "globalThis[Symbol.for('opentelemetry.js.api.1')] = { version: '1.8.0' }"
    const nodeArgs = ['--import', `data:text/javascript,${encodeURIComponent(older)}`]
    const app = start('first-line.mjs', { nodeArgs })
    const port = await app.port()
    expect(app.stderr).toContain('API_TAKEN')
    const text = await (await fetch(`http://127.0.0.1:${port}/hello/you`)).text()
    expect(text).toContain('hello you')
    await sink.span('GET /hello/:name')
  })

  it('not at all when it is disabled', async () => {
    const app = start('first-line.mjs', { env: { OTEL_SDK_DISABLED: 'true' } })
    const port = await app.port()
    const text = await (await fetch(`http://127.0.0.1:${port}/hello/you`)).text()
    expect(text).toBe('hello you false')
    app.process.kill('SIGTERM')
    await app.ended()
    expect(sink.requests).toHaveLength(0)
  })
})

describe('where it cannot be at work the app runs as without it', () => {
  const hello = async (app: App) => {
    const port = await app.port()
    const text = await (await fetch(`http://127.0.0.1:${port}/hello/you`)).text()
    app.process.kill('SIGTERM')
    await app.ended()
    return text
  }

  it.each([
    ['first-line.mjs', 'import'],
    ['first-line.cjs', 'require']
  ])('on a Node that is too old, which one line says: %s', async (file) => {
    const older =
      "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } })"
    const nodeArgs = ['--import', `data:text/javascript,${encodeURIComponent(older)}`]
    const app = start(file, { nodeArgs })
    expect(await hello(app)).toBe('hello you false')
    expect(app.stderr).toMatch(/^\[spanloom\] NODE_TOO_OLD: This is Node 20\.20\.2, .+\n$/)
    expect(sink.requests).toHaveLength(0)
  })

  const jest = "process.argv[1] = '/app/node_modules/.bin/jest'"
  const underJest = ['--import', `data:text/javascript,${encodeURIComponent(jest)}`]

  it.each([
    ['first-line.mjs', [], /^\[spanloom\] NODE_NO_REQUIRE: .+\n$/],
    ['first-line.cjs', [], /^\[spanloom\] NODE_NO_REQUIRE: .+\n$/],
    ['first-line.cjs', underJest, /^$/]
  ])('where no ES module can be required: %s %j', async (file, more, said) => {
    const app = start(file, { nodeArgs: ['--no-experimental-require-module', ...more] })
    expect(await hello(app)).toBe('hello you false')
    expect(app.stderr).toMatch(said)
  })

  it('in what Jest runs itself, and not in what its tests start', async () => {
    const env = { JEST_WORKER_ID: '1' }
    const nodeArgs = underJest
    expect(await hello(start('first-line.mjs', { nodeArgs, env }))).toBe('hello you false')
    expect(await hello(start('first-line.mjs', { env }))).toBe('hello you true')
    await sink.span('GET /hello/:name')
  })
})

describe('where little is allowed', () => {
  /** Node 25 and later forbid the network too. */
  const net = process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : []

  it('it starts without the files that it may not read', async () => {
    const root = fileURLToPath(new URL('../../..', import.meta.url))
    const nodeArgs = ['--permission', `--allow-fs-read=${root}`, ...net, '--import', REGISTER]
    const port = await start('shop.mjs', { nodeArgs }).port()
    await fetch(`http://127.0.0.1:${port}/nothing/here`)
    await sink.span('GET')
  })

  it('the app starts also when the tracer cannot', async () => {
    const broken =
      "process.getBuiltinModule('node:os').hostname = () => { throw new Error('no host') }"
    const nodeArgs = ['--import', `data:text/javascript,${encodeURIComponent(broken)}`]
    const app = start('first-line.mjs', { nodeArgs })
    const port = await app.port()
    const text = await (await fetch(`http://127.0.0.1:${port}/hello/you`)).text()
    expect(text).toBe('hello you false')
    expect(app.stderr).toMatch(/START_FAILED: .+ Error: no host/)
  })
})

describe('the process ends', () => {
  it.each([
    ['process.exit()', 'exit', 3],
    ['by itself', 'natural', 0],
    ['by an uncaught error', 'throw', 1],
    ['by a rejection that nobody handles', 'reject', 1]
  ])('%s: its last span is delivered', async (_name, how, code) => {
    const app = start('cli.mjs', { nodeArgs: ['--import', REGISTER], args: [how] })
    expect((await app.ended()).code).toBe(code)
    expect(sink.spans.map((span) => span.name)).toEqual([`cli ${how}`])
    if (how === 'throw') expect(app.stderr).toContain('uncaught by the app')
  })

  it.each([
    ['listener', 3, ['cli listener', 'in exit']],
    ['ending listener', 4, ['cli ending listener']]
  ])('with a listener of the app for that: %s', async (how, code, names) => {
    const app = start('cli.mjs', { nodeArgs: ['--import', REGISTER], args: [how] })
    expect((await app.ended()).code).toBe(code)
    expect(sink.spans.map((span) => span.name)).toEqual(names)
  })

  it('right after 10,000 spans in one go: all of them are delivered', {
    timeout: 30_000
  }, async () => {
    // As long as the sink, which decodes them with care, may take on a busy machine.
    const env = { SPANLOOM_EXIT_WAIT: '20000' }
    const app = start('cli.mjs', { nodeArgs: ['--import', REGISTER], args: ['burst'], env })
    expect((await app.ended()).code).toBe(0)
    const indexes = sink.spans.filter((span) => span.name === 'work').map((s) => s.attributes.index)
    expect(indexes).toHaveLength(10_000)
    expect(new Set(indexes).size).toBe(10_000)
    expect(app.stderr).toBe('')
  })

  it('by itself after a while: the sender does not keep it alive', async () => {
    const app = start('cli.mjs', { nodeArgs: ['--import', REGISTER], args: ['later'] })
    expect((await app.ended()).code).toBe(0)
    expect(sink.spans.map((span) => span.name)).toEqual(['cli later', 'last'])
  })

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'by %s that nobody handles: delivered, and dead by that signal',
    async (signal) => {
      const app = start('cli.mjs', { nodeArgs: ['--import', REGISTER], args: ['wait'] })
      await app.line(/ready/)
      app.process.kill(signal)
      expect((await app.ended()).signal).toBe(signal)
      expect(sink.spans.map((span) => span.name)).toEqual(['cli wait'])
    }
  )

  it('by a signal that the app handles: the app decides, and sees no listener but its own', async () => {
    const app = start('cli.mjs', { nodeArgs: ['--import', REGISTER], args: ['handler'] })
    await app.line(/ready/)
    app.process.kill('SIGTERM')
    expect(await app.ended()).toEqual({ code: 7, signal: null })
    expect(sink.spans.map((span) => span.name)).toEqual(['cli handler', 'in handler'])
  })

  it('while the collector takes the request and never answers: it is not waited for longer', async () => {
    const silent = createServer((socket) => void socket.on('error', () => {})).listen(
      0,
      '127.0.0.1'
    )
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      SPANLOOM_EXIT_WAIT: '300'
    }
    const app = start('cli.mjs', { nodeArgs: ['--import', REGISTER], args: ['exit'], env })
    expect(await app.ended()).toEqual({ code: 3, signal: null })
    silent.close()
    expect(app.stderr).toContain('SEND_EXIT: 1 spans were not delivered')
  })

  it('while no collector answers: soon, and it says what was lost', async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', SPANLOOM_EXIT_WAIT: '200' }
    const app = start('cli.mjs', { nodeArgs: ['--import', REGISTER], args: ['natural'], env })
    expect((await app.ended()).code).toBe(0)
    expect(app.stderr).toContain('SEND_EXIT: 1 spans were not delivered')
  })
})

function importing(...args: string[]): AppOptions {
  return { nodeArgs: ['--import', REGISTER], args }
}

function requiring(...args: string[]): AppOptions {
  return { nodeArgs: ['--require', REGISTER], args }
}
