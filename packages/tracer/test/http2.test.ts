/** node:http2 on both sides, loaded in both ways. */
import { describe, expect, it } from 'vitest'
import { tracedApps } from './traced-apps.ts'

const SERVER = 2
const CLIENT = 3

const { sink, start } = tracedApps()

interface Kept {
  readonly answer: { readonly headers: Record<string, string>; readonly active: string }
  readonly isKept: boolean
}

describe.each(['http2.mjs', 'http2.cjs', 'http2-required.cjs'])('%s', (file) => {
  it('makes a span on each side, carries the trace on, and leaves gRPC alone', async () => {
    const app = start(file, {
      env: {
        OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_REQUEST: 'x-other',
        OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST: 'x-other'
      }
    })
    const { port, kept } = JSON.parse((await app.line(/kept (.*)/))[1]!) as {
      port: number
      kept: Record<string, Kept>
    }
    expect(await app.ended()).toMatchObject({ code: 0 })
    await sink.until(() => sink.spans.length >= 13, 'spans')

    const pair = (name: string) => {
      const parent = sink.spans.find((span) => span.name === name)!
      const exit = sink.spans.find((span) => span.parentSpanId === parent.spanId)
      const entry = sink.spans.find((span) => span.parentSpanId === exit?.spanId)
      return { exit, entry }
    }
    const core = pair('core')
    expect(core.exit).toMatchObject({ name: 'GET', kind: CLIENT, status: { code: 0 } })
    expect(core.exit!.attributes).toEqual({
      'http.request.header.x-other': ['kept'],
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'network.protocol.version': '2',
      'server.address': '127.0.0.1',
      'server.port': port,
      'url.full': `http://127.0.0.1:${port}/core?key=REDACTED`
    })
    expect(core.entry).toMatchObject({ name: 'GET', kind: SERVER, status: { code: 0 } })
    expect(core.entry!.attributes).toEqual({
      'client.address': '127.0.0.1',
      'http.request.header.x-other': ['kept'],
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'network.protocol.version': '2',
      'server.address': '127.0.0.1',
      'server.port': port,
      'url.path': '/core',
      'url.query': 'key=REDACTED',
      'url.scheme': 'http'
    })
    const { exit } = core
    expect(kept.core!.answer.headers.traceparent).toBe(`00-${exit!.traceId}-${exit!.spanId}-03`)
    expect(kept.core!.answer.headers['x-other']).toBe('kept')
    expect(kept.core!.answer.active).toBe(core.entry!.spanId)

    const compat = pair('compat')
    expect(compat.entry!.name).toBe('POST')
    expect(kept.compat!.answer.active).toBe(compat.entry!.spanId)

    const failed = pair('failed')
    expect(failed.exit).toMatchObject({ status: { code: 2 } })
    expect(failed.exit!.attributes['error.type']).toBe('503')
    expect(failed.entry!.attributes['error.type']).toBe('503')

    const reset = pair('reset')
    expect(reset.exit!.status.code).toBe(2)
    expect(reset.exit!.attributes['error.type']).toBe('ERR_HTTP2_STREAM_ERROR')
    expect(reset.entry!.attributes['spanloom.http.aborted']).toBe(true)

    expect(pair('grpc').exit).toBeUndefined()
    expect(Object.values(kept).map(({ isKept }) => isKept)).toEqual(Array(5).fill(true))
    expect(sink.spans).toHaveLength(13)
    expect(app.stderr).toBe('')
  })
})
