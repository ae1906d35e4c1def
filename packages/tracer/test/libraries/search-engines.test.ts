/** @opensearch-project/opensearch and @elastic/elasticsearch, against a fake of their servers at the HTTP level. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SinkSpan } from '../otlp-sink.ts'
import { librariesAreThere } from './available.ts'
import { CLIENT, expectNoValue, names, runToEnd, type Told } from './scenario.ts'

const FOUND = { took: 1, timed_out: false, hits: { total: { value: 1, relation: 'eq' }, hits: [] } }
const NOT_FOUND = {
  error: {
    type: 'index_not_found_exception',
    reason: 'no such index [secret]',
    root_cause: [{ type: 'index_not_found_exception', reason: 'no such index [secret]' }]
  },
  status: 404
}

/** Busy at first where the index is called so, and silent where it is slow. */
function fakeEngine(): Server {
  let refusals = 0
  return createServer((request, response) => {
    request.resume()
    request.on('end', () => {
      const url = request.url!
      if (url.startsWith('/slow')) return
      const isElastic = request.headers.accept?.includes('vnd.elasticsearch')
      const answer = (status: number, body: unknown) => {
        response.writeHead(status, {
          'x-elastic-product': 'Elasticsearch',
          'content-type': isElastic
            ? request.headers.accept!.split(',')[0]
            : 'application/json; charset=UTF-8'
        })
        response.end(JSON.stringify(body))
      }
      if (url.startsWith('/nowhere')) answer(404, NOT_FOUND)
      else if (url.startsWith('/busy') && refusals++ === 0) answer(503, {})
      else if (url.includes('_search')) answer(200, FOUND)
      else if (url.startsWith('/_cat')) answer(200, [])
      else answer(200, { result: 'created', version: { number: '9.5.0' } })
    })
  })
}

describe.skipIf(!librariesAreThere)('search engines', { timeout: 60_000 }, () => {
  let server: Server
  let port: number
  beforeEach(async () => {
    server = fakeEngine().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    port = (server.address() as AddressInfo).port
  })
  afterEach(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  const below = (told: Told, span: SinkSpan) =>
    told.spans.filter(({ parentSpanId }) => parentSpanId === span.spanId)

  it.each([
    ['@opensearch-project/opensearch-2', 'opensearch', 'require'],
    ['@opensearch-project/opensearch', 'opensearch', 'require'],
    ['@opensearch-project/opensearch', 'opensearch', 'import'],
    ['@elastic/elasticsearch-8.0', 'elasticsearch', 'require'],
    ['@elastic/elasticsearch-8.0', 'elasticsearch', 'import']
  ])('%s: ours, as %s, by %s', async (name, system, how) => {
    const told = await runToEnd('search-engines.mjs', [name, how, `http://127.0.0.1:${port}`])
    const { step } = told
    const [search, ...more] = told.under('asked')
    expect(more).toEqual([])
    expect(search!.name).toBe('search orders')
    expect(search!.attributes).toEqual({
      'db.system.name': system,
      'db.operation.name': 'search',
      'db.collection.name': 'orders',
      'db.query.text': '{"query":{"bool":{"must":[{"match":{"mail":"?"}}]}}}',
      'db.response.status_code': '200',
      'http.request.method': 'POST',
      'server.address': '127.0.0.1',
      'server.port': port
    })
    expect(below(told, search!).map(({ name, kind }) => [name, kind])).toEqual([['POST', CLIENT]])
    expect(step('after search').parentSpanId).toBe('')
    const [index] = told.under('put')
    expect(index!.name).toBe('index orders')
    expect(index!.attributes['db.query.text']).toBeUndefined()
    expect(names(told.under('cat'))).toEqual(['cat.indices'])
    const [again] = told.under('again')
    expect(names(below(told, again!))).toEqual(['POST', 'POST'])
    const [failed] = told.under('failure')
    expect(failed!.status.code).toBe(2)
    expect(failed!.attributes).toMatchObject({
      'db.response.status_code': '404',
      'error.type': 'index_not_found_exception',
      'server.port': port
    })
    if (system === 'opensearch') {
      expect(names(told.under('callback'))).toEqual(['search orders'])
      expect(step('in callback').parentSpanId).toBe(step('callback').spanId)
      expect(told.under('aborted').map(({ attributes }) => attributes['error.type'])).toEqual([
        'RequestAbortedError'
      ])
    }
    expectNoValue(told)
  })

  it.each([
    ['@elastic/elasticsearch-8', 'require'],
    ['@elastic/elasticsearch', 'require'],
    ['@elastic/elasticsearch', 'import']
  ])('%s: its own, and no other, by %s', async (name, how) => {
    const told = await runToEnd('search-engines.mjs', [name, how, `http://127.0.0.1:${port}`])
    const [search, ...more] = told.under('asked')
    expect(more).toEqual([])
    expect(search).toMatchObject({ name: 'search', scope: '@elastic/transport' })
    expect(search!.attributes).toMatchObject({
      'db.system': 'elasticsearch',
      'db.operation.name': 'search',
      'db.collection.name': 'orders',
      'server.port': port
    })
    expect(names(below(told, search!))).toEqual(['POST'])
    const [again] = told.under('again')
    expect(names(below(told, again!))).toEqual(['POST', 'POST'])
    expect(told.under('failure')[0]!.status.code).toBe(2)
  })
})
