/**
 * What is written for OpenTelemetry runs on the tracer as it is: SDK 3 processors and exporters, and contrib's
 * instrumentations, in CommonJS and ES modules. The libraries bring their own copy of the API.
 */
import { describe, expect, it } from 'vitest'
import { tracedApps } from '../traced-apps.ts'
import { LIBRARY_APPS, librariesAreThere } from './available.ts'

const { sink, start } = tracedApps(LIBRARY_APPS)

describe.skipIf(!librariesAreThere)('OpenTelemetry’s', { timeout: 20_000 }, () => {
  it('processors and exporters get every span, once, until the shutdown', async () => {
    const app = start('otel-exporters.mjs')
    const { code } = await app.ended()
    expect(app.stderr).toBe('')
    expect(code).toBe(0)
    const result = JSON.parse(app.stdout.match(/^RESULT (.*)$/m)![1]!)
    const spans = [
      { name: 'inner', ending: true, scope: '@spanloom/tracer/api' },
      { name: 'outer', ending: true, scope: 'app' }
    ]
    expect(result).toEqual({
      attached: 'attached',
      after: null,
      batched: spans,
      simple: spans,
      exported: spans
    })
    // ConsoleSpanExporter prints objects as Node shows them.
    expect(app.stdout.match(/^ {2}name: '.*',$/gm)).toEqual([
      "  name: 'inner',",
      "  name: 'outer',",
      "  name: 'at the end',"
    ])
    expect(sink.spans.map((span) => span.name)).toEqual(['inner', 'outer', 'at the end'])
  })

  it('instrumentations work in CommonJS, registered as everywhere', async () => {
    await start('otel-instrumentations.cjs').ended()
    const acquire = await sink.span('generic-pool.acquire')
    const work = await sink.span('work')
    expect(acquire.parentSpanId).toBe(work.spanId)
    expect(acquire.scope).toBe('@opentelemetry/instrumentation-generic-pool')
  })

  it('instrumentations work in ES modules, and those that double ours make no spans', async () => {
    const app = start('otel-instrumentations.mjs')
    const port = await app.port()
    const answers = await Promise.all(
      [1, 2].map(async () => (await fetch(`http://127.0.0.1:${port}/`)).text())
    )
    await sink.until(() => sink.spans.length >= 7, '7 spans')
    await sink.span('new Hono')
    const servers = sink.spans.filter((span) => span.name === 'GET')
    expect(servers).toHaveLength(2)
    // The memoizer calls both back from one load: each must be in its own request's context.
    expect(answers.toSorted()).toEqual(servers.map((span) => span.traceId).toSorted())
    for (const { spanId } of servers) {
      const below = sink.spans.filter((span) => span.parentSpanId === spanId)
      expect(below.map((span) => span.name).toSorted()).toEqual(['generic-pool.acquire', 'inside'])
    }
    expect(app.stderr.match(/INSTRUMENT_TWICE/g)).toHaveLength(1)
    expect(app.stderr).toContain('OTEL_NODE_DISABLED_INSTRUMENTATIONS=http-server,http-client')
    expect(app.stderr).not.toContain('INSTRUMENT_FAULT')
  })

  it('http instrumentation that the app registered by hand stays quiet below ours', async () => {
    const app = start('otel-instrumentations.mjs', { env: { BY_HAND: '1' } })
    const port = await app.port()
    await (await fetch(`http://127.0.0.1:${port}/`)).text()
    const server = await sink.span('GET')
    const inside = await sink.span('inside')
    expect(inside.parentSpanId).toBe(server.spanId)
    expect(sink.spans.filter((span) => span.kind === 2)).toHaveLength(1)
    expect(app.stderr.match(/INSTRUMENT_TWICE/g)).toHaveLength(1)
  })
})
