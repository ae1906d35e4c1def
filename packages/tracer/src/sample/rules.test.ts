import { readFileSync } from 'node:fs'
import type { Attributes } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { compileGlob } from './glob.ts'
import { RateLimiter } from './rate-limiter.ts'
import { parseRules } from './rules.ts'
import type { HeadRequest } from './sampling-result.ts'

function rulesOf(rules: unknown, serviceName = 'shop') {
  return parseRules(JSON.stringify(rules), serviceName, () => 0)
}

function request(attributes: Attributes, name = 'GET'): HeadRequest {
  return { name, attributes } as unknown as HeadRequest
}

const get = (path: string) => request({ 'http.request.method': 'GET', 'url.path': path })

describe('patterns', () => {
  it.each([
    ['/orders/:id', '/orders/7', true],
    ['/orders/:id', '/orders/', false],
    ['/orders/:id', '/orders/7/items', false],
    ['/orders/:id/*', '/orders/7/items/3', true],
    ['*/:id/items', '/a/b/7/items', true],
    ['*/:id/items', '/a/b/7/item', false],
    ['/ORDERS', '/orders', true],
    ['/health*', '/healthz', true],
    ['/a?c', '/abc', true],
    ['/a?c', '/ac', false],
    ['*', '', true],
    ['', '', true],
    ['', 'a', false],
    ['**a', 'bba', true],
    ['*ab*ab', 'abab', true],
    ['*ab*ab', 'ab', false],
    ['a.c', 'abc', false],
    ['http://:host', 'http://x', true],
    ['a:b', 'a:b', true],
    ['/a:b', '/axb', false]
  ])('%s and "%s"', (pattern, text, fits) => {
    expect(compileGlob(pattern)(text)).toBe(fits)
  })

  it('agree with a regular expression on what chance makes of few letters', () => {
    const letters = 'ab/*?'
    let seed = 1
    const next = (max: number) => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed % max
    }
    const word = (alphabet: number, length: number) =>
      Array.from({ length }, () => letters[next(alphabet)]).join('')
    for (let round = 0; round < 5_000; round++) {
      const pattern = word(5, next(7))
      const text = word(3, next(8))
      const source = pattern.replaceAll('*', '.*').replaceAll('?', '.')
      expect([pattern, text, compileGlob(pattern)(text)]).toEqual([
        pattern,
        text,
        new RegExp(`^${source}$`).test(text)
      ])
    }
  })

  it('do not let a path cost more than its length', () => {
    // A backtracking expression would need some 10^15 steps for this.
    expect(compileGlob('*a*a*a*a*a*a*a*a*b')('a'.repeat(100_000))).toBe(false)
  })
})

describe('rules', () => {
  it('of the documentation are as they are read here', () => {
    const page = readFileSync(new URL('../../docs/sampling.md', import.meta.url), 'utf8')
    const json = page.match(/```json\n([\s\S]*?)```/)![1]!
    const { rules, problem } = parseRules(json, 'shop', () => 0)
    expect(problem).toBeUndefined()
    const first = (asked: HeadRequest) => rules.find((rule) => rule.fits(asked))?.probability
    expect(first(get('/healthz'))).toBe(0)
    expect(first(get('/orders/7'))).toBe(0.1)
    const bot = { 'url.path': '/', 'user_agent.original': 'some Bot/1' }
    expect(first(request(bot))).toBe(0.01)
    expect(first(request({ 'url.path': '/checkout' }, 'POST'))).toBe(1)
    expect(first(get('/else'))).toBeUndefined()
  })

  it('fit by service, name, resource, route and tags; the first that fits decides', () => {
    const { rules } = rulesOf([
      { service: 'cart', sample_rate: 0.1 },
      { service: 'sh?p', name: 'job*', sample_rate: 0.2 },
      { resource: 'POST /orders/*', sample_rate: 0.3 },
      { route: '/orders/:id', sample_rate: 0.4 },
      { tags: { retry: '2', beta: true, 'server.address': 'a*' }, sample_rate: 0.5 },
      { sample_rate: 0.6 }
    ])
    expect(rules).toHaveLength(5)
    const rate = (asked: HeadRequest) => rules.find((rule) => rule.fits(asked))?.probability
    expect(rate(request({}, 'job 7'))).toBe(0.2)
    const post = { 'http.request.method': 'POST', 'url.path': '/orders/7' }
    expect(rate(request(post))).toBe(0.3)
    expect(rate(get('/orders/7'))).toBe(0.4)
    expect(rate(request({ retry: 2, beta: true, 'server.address': 'ab' }))).toBe(0.5)
    expect(rate(request({ retry: 2, beta: false, 'server.address': 'ab' }))).toBe(0.6)
    expect(rate(request({ retry: 2 }))).toBe(0.6)
    expect(rate(request({}, '/orders/9'))).toBe(0.4)
    expect(rules.map((rule) => rule.readsFacts)).toEqual([false, true, true, true, false])
  })

  it.each([
    ['{}', 'no list'],
    ['[', 'JSON'],
    ['[1]', 'rule 1: it is no object'],
    ['[{},{"sample_rate":1.01}]', 'rule 2: "sample_rate" is no number from 0 to 1'],
    ['[{"sample_rate":"1"}]', '"sample_rate"'],
    ['[{"max_per_second":-1}]', '"max_per_second"'],
    ['[{"servcie":"a"}]', '"servcie" is unknown'],
    ['[{"tags":[]}]', '"tags"'],
    ['[{"tags":{"a":{}}}]', '"a" is no text'],
    [`[{"name":"${'x'.repeat(257)}"}]`, '256'],
    [`[${Array(101).fill('{}').join()}]`, '100']
  ])('with a mistake are none, and it is said which: %s', (json, says) => {
    const { rules, problem } = parseRules(json, 'shop', () => 0)
    expect(rules).toEqual([])
    expect(problem).toContain(says)
  })

  it('are taken up to their bounds', () => {
    expect(parseRules(`[${Array(100).fill('{}').join()}]`, 'a', () => 0).rules).toHaveLength(100)
    expect(rulesOf([{ name: 'x'.repeat(256) }]).problem).toBeUndefined()
    const tags = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 'v']))
    expect(rulesOf([{ tags: tags(16) }]).problem).toBeUndefined()
    expect(rulesOf([{ tags: tags(17) }]).problem).toContain('16')
  })
})

describe('the rate limiter', () => {
  it('gives what a second has, at once and then as time goes', () => {
    let nowMs = 0
    const limiter = new RateLimiter(3, () => nowMs)
    const takes = (count: number) => Array.from({ length: count }, () => limiter.take())
    expect(takes(4)).toEqual([true, true, true, false])
    nowMs = 333
    expect(limiter.take()).toBe(false)
    nowMs = 334
    expect(takes(2)).toEqual([true, false])
    nowMs = 1_000_000
    expect(takes(4)).toEqual([true, true, true, false])
  })

  it('knows less than one a second, none, and a clock that runs back', () => {
    let nowMs = 0
    const slow = new RateLimiter(0.5, () => nowMs)
    const none = new RateLimiter(0, () => nowMs)
    expect([slow.take(), slow.take(), none.take()]).toEqual([true, false, false])
    nowMs = 1_999
    expect(slow.take()).toBe(false)
    nowMs = -5_000
    expect(slow.take()).toBe(false)
    nowMs = 2_000
    expect([slow.take(), none.take()]).toEqual([true, false])
  })
})
