import { describe, expect, it } from 'vitest'
import { DEFAULT_WINDOW } from './time-window.ts'
import { decodeRoute, EMPTY_SEARCH, encodeRoute, type Route } from './url.ts'

const window = DEFAULT_WINDOW

function roundTrip(route: Route): Route {
  const url = new URL(encodeRoute(route), 'http://collector')
  return decodeRoute(url.pathname, url.search)
}

describe('routes', () => {
  const routes: readonly Route[] = [
    { view: 'services', window },
    { view: 'services', window: { last: '24h' }, sort: '-p95' },
    { view: 'service', service: 'storefront', window: { fromUnixMs: 5_000, toUnixMs: 9_000 } },
    { view: 'service', service: 'a/b c?d#e&f=g%20ü', window, sort: 'errors' },
    { view: 'map', window, select: 'service:a->database:b' },
    { view: 'open-spans', window: { last: '1h' } },
    { view: 'traces', window, search: EMPTY_SEARCH },
    {
      view: 'traces',
      window: { last: '5m' },
      search: {
        service: 'orders & co',
        operation: 'GET /x?y=1',
        minDurationMs: 0.5,
        maxDurationMs: 2_000,
        status: 'error',
        attributes: ['user.id=a=b', 'path=/ü?&#', 'empty=']
      }
    },
    { view: 'trace', traceId: 'ab'.repeat(16), window, spanId: '0011223344556677', find: 'a=b c' }
  ]

  it.each(routes.map((route) => [encodeRoute(route), route] as const))(
    '%s comes back as it was',
    (_url, route) => {
      expect(roundTrip(route)).toEqual(route)
    }
  )

  it('leaves out what is the default', () => {
    expect(encodeRoute({ view: 'services', window })).toBe('/')
    expect(encodeRoute({ view: 'traces', window, search: EMPTY_SEARCH })).toBe('/traces')
    expect(encodeRoute({ view: 'map', window: { last: '1h' } })).toBe('/map?last=1h')
  })

  it('takes the default for what it does not understand', () => {
    expect(decodeRoute('/', '?last=3w')).toEqual({ view: 'services', window })
    expect(decodeRoute('/', '?from=9&to=5')).toEqual({ view: 'services', window })
    expect(decodeRoute('/traces', '?min=-3&max=x&status=odd&attribute=nope&attribute==v')).toEqual({
      view: 'traces',
      window,
      search: EMPTY_SEARCH
    })
  })

  it('survives a path that is no valid escape sequence', () => {
    expect(decodeRoute('/services/%E0%A4%A', '')).toMatchObject({ service: '%E0%A4%A' })
  })

  it('writes trace ids in lower case, as they are stored', () => {
    expect(decodeRoute(`/traces/${'AB'.repeat(16)}`, '')).toMatchObject({
      traceId: 'ab'.repeat(16)
    })
  })

  it('says what it does not know', () => {
    expect(decodeRoute('/admin', '')).toEqual({ view: 'unknown', path: '/admin', window })
  })
})
