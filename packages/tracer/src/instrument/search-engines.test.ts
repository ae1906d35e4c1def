import { describe, expect, it } from 'vitest'
import { statementOf } from './search-engines.ts'

describe('a request to a search engine', () => {
  it.each([
    ['POST', '/orders/_search', 'search orders'],
    ['POST', '/_search', 'search'],
    ['GET', '/orders/_doc/17', 'get orders'],
    ['HEAD', '/orders/_doc/17', 'exists orders'],
    ['PUT', '/orders/_doc/17', 'index orders'],
    ['DELETE', '/orders/_doc/17', 'delete orders'],
    ['POST', '/orders/_update/17', 'update orders'],
    ['POST', '/_bulk', 'bulk'],
    ['GET', '/_cat/indices', 'cat.indices'],
    ['GET', '/_cluster/health/orders', 'cluster.health'],
    ['GET', '/_tasks/node:17', 'tasks'],
    ['PUT', '/orders', 'indices.create orders'],
    ['GET', '/%3Corders-%7Bnow%2Fd%7D%3E/_count', 'count <orders-{now/d}>'],
    ['GET', '/%E0%A4%A/_count', 'count %E0%A4%A'],
    ['GET', '/', 'info']
  ])('%s %s is %s', (method, path, name) => {
    expect(statementOf({ method, path }).spanName).toBe(name)
  })

  it('shows the shape of a question, and nothing of a document', () => {
    const body = { query: { term: { mail: 'secret' } }, size: 10 }
    expect(statementOf({ method: 'POST', path: '/orders/_search', body }).text).toBe(
      '{"query":{"term":{"mail":"?"}},"size":"?"}'
    )
    expect(statementOf({ method: 'PUT', path: '/orders/_doc/17', body }).text).toBeUndefined()
    const text = JSON.stringify(body)
    expect(statementOf({ method: 'POST', path: '/orders/_search', body: text }).text).toBe(
      undefined
    )
  })
})
