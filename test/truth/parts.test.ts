/** The measuring tools, measured: a judge that cannot find a lie proves nothing. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { waitFor } from '../lib/wait-for.ts'
import { percentile } from './freshness.ts'
import { startLossyProxy } from './lossy-proxy.ts'
import { parseOpenMetrics } from './openmetrics.ts'
import { differences, metricRows, type Rows, sum } from './rows.ts'

describe('differences', () => {
  const rows = (calls: number, errors: number): Rows => new Map([['service a', { calls, errors }]])

  it('are none when all places agree', () => {
    expect(differences(rows(3, 1), { API: rows(3, 1), '/metrics': rows(3, 1) })).toEqual([])
  })

  it('name the row, the place and both numbers', () => {
    expect(differences(rows(3, 1), { API: rows(3, 1), '/metrics': rows(4, 1) })).toEqual([
      'service a: expected 3 calls, 1 failed; /metrics says 4 calls, 1 failed'
    ])
  })

  it('find a row that is too many, and one that is missing, though the sums are equal', () => {
    const moved: Rows = new Map([['service b', { calls: 3, errors: 1 }]])
    expect(sum(moved, 'service', 'calls')).toBe(sum(rows(3, 1), 'service', 'calls'))
    expect(differences(rows(3, 1), { API: moved })).toHaveLength(2)
  })
})

describe('OpenMetrics', () => {
  it('reads samples, labels with escapes, and exemplars', () => {
    const samples = parseOpenMetrics(
      [
        '# TYPE traces_span_metrics_calls counter',
        'traces_span_metrics_calls_total{service_name="a \\"b\\"",span_kind="SPAN_KIND_SERVER"} 3',
        'd_bucket{le="+Inf"} 7 # {trace_id="ab",span_id="cd"} 0.5 1700000000.123',
        '# EOF',
        ''
      ].join('\n')
    )
    expect(samples).toEqual([
      {
        name: 'traces_span_metrics_calls_total',
        labels: { service_name: 'a "b"', span_kind: 'SPAN_KIND_SERVER' },
        value: 3
      },
      {
        name: 'd_bucket',
        labels: { le: '+Inf' },
        value: 7,
        exemplar: { labels: { trace_id: 'ab', span_id: 'cd' }, value: 0.5 }
      }
    ])
    expect(metricRows(samples)).toEqual(new Map([['service a "b"', { calls: 3, errors: 0 }]]))
  })

  it.each(['no eof 1\n', 'broken{a="b} 1\n# EOF\n', 'x one\n# EOF\n'])('refuses %j', (text) => {
    expect(() => parseOpenMetrics(text)).toThrow()
  })
})

describe('percentile', () => {
  it('is the smallest value that the share does not exceed', () => {
    const values = Array.from({ length: 40 }, (_, index) => 40 - index)
    expect(percentile(values, 0.95)).toBe(38)
    expect(percentile([5], 0.95)).toBe(5)
    expect(percentile([1, Infinity], 0.95)).toBe(Infinity)
  })
})

describe('the lossy proxy', () => {
  const heard: string[] = []
  let server: Server | undefined

  afterEach(async () => {
    heard.length = 0
    server?.close()
    server?.closeAllConnections()
  })

  async function collectorThatAccepts(): Promise<string> {
    server = createServer(async (incoming, response) => {
      let text = ''
      for await (const chunk of incoming) text += chunk
      heard.push(text)
      response.end()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  /** What becomes of one payload, by where the random number falls into the shares. */
  it.each([
    ['loses the answer', 0.01, 503, 1],
    ['cuts the connection', 0.2, undefined, 1],
    ['refuses', 0.29, 503, 0],
    ['passes', 0.9, 200, 1]
  ])('%s', async (_name, random, status, deliveries) => {
    const proxy = await startLossyProxy(await collectorThatAccepts(), () => random)
    const answer = await post(proxy.url, 'payload').catch(() => undefined)
    expect(answer).toBe(status)
    expect(heard).toHaveLength(deliveries)
    expect(proxy.counts().duplicatesDelivered).toBe(0)
    await proxy.close()
  })

  it('counts a payload that was accepted before, and no other', async () => {
    const proxy = await startLossyProxy(await collectorThatAccepts(), () => 0.01)
    await post(proxy.url, 'first')
    await post(proxy.url, 'second')
    proxy.faulty = false
    expect(await post(proxy.url, 'first')).toBe(200)
    expect(proxy.counts()).toMatchObject({ payloads: 3, answersLost: 2, duplicatesDelivered: 1 })
    await proxy.close()
  })

  it('replays a payload later', async () => {
    const proxy = await startLossyProxy(await collectorThatAccepts(), () => 0.4)
    expect(await post(proxy.url, 'again')).toBe(200)
    expect(proxy.pending()).toBe(1)
    await waitFor('the replay', 20_000, () => proxy.counts().replays === 1 || undefined)
    expect(heard).toEqual(['again', 'again'])
    expect(proxy.counts().duplicatesDelivered).toBe(1)
    expect(proxy.pending()).toBe(0)
    await proxy.close()
  })
})

async function post(url: string, body: string): Promise<number> {
  const response = await fetch(`${url}/v1/traces`, { method: 'POST', body })
  await response.arrayBuffer()
  return response.status
}
