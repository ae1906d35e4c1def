/** @grpc/grpc-js, client and server. */
import { describe, expect, it } from 'vitest'
import { tracedApps } from '../traced-apps.ts'
import { LIBRARY_APPS, librariesAreThere } from './available.ts'

const SERVER = 2
const CLIENT = 3

describe.skipIf(!librariesAreThere)('@grpc/grpc-js', { timeout: 30_000 }, () => {
  const { sink, start } = tracedApps(LIBRARY_APPS)

  it.each(['require', 'import'])('by %s', async (how) => {
    const app = start('grpc.mjs', { args: [how] })
    const port = Number((await app.line(/port (\d+)/))[1])
    expect(await app.ended()).toMatchObject({ code: 0 })
    expect(app.stderr).toBe('')
    expect(app.stdout).toContain('kept true, untouched mine')

    const pairOf = (work: string) => {
      const { spanId } = sink.only(`from ${work}`)
      const client = sink.only((span) => span.kind === CLIENT && span.parentSpanId === spanId, work)
      const server = sink.only(
        (span) => span.kind === SERVER && span.parentSpanId === client.spanId,
        work
      )
      expect(server.name).toBe(client.name)
      return [client, server] as const
    }

    const [client, server] = pairOf('get')
    expect(client.name).toBe('shop.Orders/Get')
    const words = { 'rpc.system': 'grpc', 'rpc.service': 'shop.Orders', 'rpc.method': 'Get' }
    expect(client.attributes).toEqual({
      ...words,
      'server.address': '127.0.0.1',
      'server.port': port,
      'rpc.grpc.status_code': 0
    })
    expect(server.attributes).toEqual({ ...words, 'rpc.grpc.status_code': 0 })
    expect(sink.only('in get').parentSpanId).toBe(server.spanId)
    expect(sink.only('in get x').parentSpanId).toBe(pairOf('metadata')[1].spanId)

    for (const work of ['collect', 'list', 'chat']) {
      const pair = pairOf(work)
      expect(sink.only(`in ${work}`).parentSpanId).toBe(pair[1].spanId)
      for (const span of pair) {
        expect(span.attributes['rpc.grpc.status_code']).toBe(0)
        expect(span.status.code).toBe(0)
      }
    }
    const failed = { code: 2, message: 'out of stock' }
    expect(pairOf('fail').map((span) => span.status)).toEqual([failed, failed])
    // A caller's mistake is an error of the caller alone.
    const missing = pairOf('missing')
    expect(missing.map((span) => span.attributes['rpc.grpc.status_code'])).toEqual([5, 5])
    expect(missing.map((span) => span.status.code)).toEqual([2, 0])
    expect(pairOf('broken').map((span) => span.attributes['error.type'])).toEqual(['15', '15'])
  })
})
