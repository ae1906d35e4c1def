/** npm's undici; its channels are the same in every major. */
import { describe, expect, it } from 'vitest'
import { librariesAreThere } from './available.ts'
import { runToEnd } from './scenario.ts'

const SERVER = 2

describe.skipIf(!librariesAreThere)('undici', { timeout: 60_000 }, () => {
  it.each([
    ['undici5', 'require'],
    ['undici6', 'import'],
    ['undici7', 'require'],
    ['undici', 'require'],
    ['undici', 'import']
  ])('%s by %s', async (name, how) => {
    const told = await runToEnd('undici.mjs', [name, how])
    const only = (step: string) => {
      const spans = told.under(step)
      expect(spans, step).toHaveLength(1)
      return spans[0]!
    }
    const plain = only('request')
    expect(plain.name).toBe('GET')
    expect(plain.attributes).toMatchObject({
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'server.address': '127.0.0.1'
    })
    expect(plain.attributes['url.full']).toMatch(/\/plain\?key=REDACTED$/)
    for (const step of ['request', 'replaced', 'fetch']) {
      const { spanId } = only(step)
      const servers = told.spans.filter(
        (span) => span.kind === SERVER && span.parentSpanId === spanId
      )
      expect(servers, step).toHaveLength(1)
    }
    const missing = only('fetch')
    expect(missing.attributes['error.type']).toBe('404')
    expect(missing.status.code).toBe(2)
    const upgraded = only('upgrade')
    expect(upgraded.attributes['http.response.status_code']).toBe(101)
    expect(upgraded.status.code).toBe(0)
    const refused = only('refused')
    expect(refused.attributes['error.type']).toBe('ECONNREFUSED')
    expect(refused.status.code).toBe(2)
  })
})
