/** Settings from the outside: real processes, started with environment variables. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { tracedApps } from './traced-apps.ts'

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url))
const CALLER = '0af7651916cd43dd8448eb211c80319c'
const CALLERS = `00-${CALLER}-b7ad6b7169203331-01`

const { sink, start } = tracedApps()

async function get(env: Record<string, string>, headers: Record<string, string> = {}) {
  const app = start('shop.mjs', { env })
  await fetch(`http://127.0.0.1:${await app.port()}/`, { headers })
  return app
}

describe('a request from elsewhere', () => {
  const datadog = {
    'x-datadog-trace-id': BigInt(`0x${CALLER.slice(16)}`).toString(),
    'x-datadog-parent-id': '42',
    'x-datadog-sampling-priority': '1',
    'x-datadog-tags': `_dd.p.tid=${CALLER.slice(0, 16)}`
  }

  it('goes on in Datadog’s trace', async () => {
    await get({ DD_TRACE_PROPAGATION_STYLE: 'datadog,tracecontext' }, datadog)
    const span = await sink.span('GET /')
    expect(span.traceId).toBe(CALLER)
    expect(span.parentSpanId).toBe('000000000000002a')
  })

  it('is linked to the caller’s trace when a new one is asked for', async () => {
    const headers = { traceparent: CALLERS }
    await get({ DD_TRACE_PROPAGATION_BEHAVIOR_EXTRACT: 'restart' }, headers)
    const span = await sink.span('GET /')
    expect(span.traceId).not.toBe(CALLER)
    expect(span.parentSpanId).toBe('')
    expect(span.links).toMatchObject([{ traceId: CALLER, spanId: 'b7ad6b7169203331' }])
  })
})

describe('a library that is switched off', () => {
  it.each([
    ['OTEL_NODE_DISABLED_INSTRUMENTATIONS', 'express'],
    ['OTEL_NODE_ENABLED_INSTRUMENTATIONS', 'http'],
    ['DD_TRACE_EXPRESS_ENABLED', 'false']
  ])('by %s=%s is left alone', async (name, value) => {
    await get({ [name]: value })
    // The name has no route, because express is who knows it.
    expect((await sink.span('GET')).attributes['http.route']).toBeUndefined()
  })
})

describe('headers that are named', () => {
  it.each([
    ['node:http', 'relay'],
    ['undici', 'undici']
  ])('are on the spans of server and client: %s', async (_library, path) => {
    const app = start('http-plain.mjs', {
      env: {
        DD_TRACE_HEADER_TAGS: 'X-Asked:tag,connection',
        OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_REQUEST: 'host,traceparent',
        OTEL_INSTRUMENTATION_HTTP_CLIENT_CAPTURE_RESPONSE_HEADERS: 'Connection'
      }
    })
    const base = `http://127.0.0.1:${await app.port()}`
    const headers = { 'x-asked': 'yes', 'x-other': 'no', traceparent: CALLERS }
    await fetch(`${base}/${path}?to=${encodeURIComponent(`${base}/headers`)}`, { headers })

    const client = await sink.span((span) => span.kind === 3)
    const server = await sink.span((span) => span.spanId === client.parentSpanId)
    expect(client.attributes['http.response.header.connection']).toEqual(['keep-alive'])
    expect(server.attributes['http.request.header.x-asked']).toEqual(['yes'])
    expect(server.attributes['http.request.header.connection']).toEqual(['keep-alive'])
    expect(Object.keys(server.attributes).join()).not.toContain('x-other')
  })
})

describe('OTEL_TRACES_EXPORTER', () => {
  it.each([
    ['console', 0],
    ['console,otlp', 1]
  ])('%s writes spans to stdout', async (exporters, requests) => {
    const app = await get({ OTEL_TRACES_EXPORTER: exporters })
    const [line] = await app.line(/^\{"traceId".*\}$/m)
    expect(JSON.parse(line)).toMatchObject({ name: 'GET /', kind: 1 })
    app.process.kill('SIGTERM')
    await app.ended()
    expect(sink.requests).toHaveLength(requests)
  })
})

describe('the resource of a process', () => {
  it('has what its detectors find', async () => {
    await get({ RENDER_GIT_COMMIT: 'a'.repeat(40), DD_TAGS: 'team:shop' })
    expect((await sink.span('GET /')).resource).toMatchObject({
      'os.type': process.platform === 'win32' ? 'windows' : process.platform,
      'vcs.ref.head.revision': 'a'.repeat(40),
      team: 'shop'
    })
  })
})

describe('what the tracer says', () => {
  it('is what is in effect, when asked to', async () => {
    const app = await get({ SPANLOOM_STARTUP_LOG: 'true', DD_SERVICE: 'shop' })
    const [line] = await app.line(/CONFIG_IN_EFFECT.*/)
    expect(line).toContain(`traces to ${sink.url}/v1/traces`)
    expect(line).toContain('DD_SERVICE=shop')
  })
})

describe('the command', () => {
  const env = {
    PATH: process.env.PATH,
    DD_SERVICE: 'shop',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=secret-token',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://user:secret-token@collector:4318',
    OTEL_BSP_MAX_QUEUE_SIZE: '9',
    OTEL_METRICS_EXPORTER: 'none'
  }
  const run = (...args: string[]) => promisify(execFile)(process.execPath, [CLI, ...args], { env })

  it('config prints what is in effect and where it comes from', async () => {
    const { stdout, stderr } = await run('config')
    expect(stdout).toMatch(/traces +to http:\/\/…@collector:4318\/v1\/traces/)
    expect(stdout).toMatch(/metrics +not sent/)
    expect(stdout).toMatch(/DD_SERVICE +shop {2}\(set\)/)
    expect(stdout).toMatch(/OTEL_EXPORTER_OTLP_HEADERS +… {2}\(set\)/)
    expect(stdout).toMatch(/OTEL_BSP_SCHEDULE_DELAY +500$/m)
    expect(stdout).toMatch(/OTEL_BSP_MAX_QUEUE_SIZE +no effect {2}What waits is bounded in bytes/)
    expect(stderr).toContain('CONFIG_NO_EFFECT')
    expect(stdout + stderr).not.toContain('secret-token')
  })

  it('--help lists every setting, and an unknown command is refused', async () => {
    expect((await run('--help')).stdout).toContain('SPANLOOM_QUEUE_BYTES')
    expect((await run()).stdout).toContain('Usage')
    await expect(run('nope')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('config')
    })
  })
})
