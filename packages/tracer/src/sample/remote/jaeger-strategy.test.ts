import { describe, expect, it } from 'vitest'
import { DROP, RECORD_AND_SAMPLE } from '../sampling-result.ts'
import { samplingUrl } from './jaeger.ts'
import { JaegerStrategy } from './jaeger-strategy.ts'
import { OPERATIONS_MAX, ROUTES_MAX } from './operations.ts'
import { keptOf, request, testParts } from './remote.testkit.ts'

function strategyOf(initialRate = 0) {
  const { parts, said, time } = testParts()
  const strategy = new JaegerStrategy(initialRate, parts)
  const decide = (...asked: Parameters<typeof request>) => strategy.decide(request(...asked))
  return { strategy, decide, said, time }
}

const rate = (samplingRate: number) => ({
  strategyType: 'PROBABILISTIC',
  probabilisticSampling: { samplingRate }
})
const limit = (maxTracesPerSecond: number) => ({
  strategyType: 'RATE_LIMITING',
  rateLimitingSampling: { maxTracesPerSecond }
})
const operations = (rates: Record<string, number>, more: object = {}) => ({
  strategyType: 'PROBABILISTIC',
  operationSampling: {
    defaultSamplingProbability: 0,
    defaultLowerBoundTracesPerSecond: 0,
    perOperationStrategies: Object.entries(rates).map(([operation, samplingRate]) => ({
      operation,
      probabilisticSampling: { samplingRate }
    })),
    ...more
  }
})

describe('a probability', () => {
  it('is the initial one, and then the service’s, with its threshold', () => {
    const { strategy, decide } = strategyOf(0.25)
    expect(decide('a', {}, 0.74).decision).toBe(DROP)
    expect(decide('a', {}, 0.75)).toMatchObject({ decision: 2, traceState: 'ot=th:c' })
    expect(strategy.take(rate(0.5))).toBeUndefined()
    expect(decide('a', {}, 0.49).decision).toBe(DROP)
    expect(decide('a', {}, 0.5)).toMatchObject({ decision: 2, traceState: 'ot=th:8' })
    expect(decide('a', {}, 0, 'ot=rv:80000000000000,x=1')).toMatchObject({
      decision: RECORD_AND_SAMPLE,
      traceState: 'ot=th:8;rv:80000000000000,x=1'
    })
  })

  it.each([
    [
      'by number',
      { strategyType: 0, probabilisticSampling: { samplingRate: 1 } },
      RECORD_AND_SAMPLE
    ],
    ['without a type', { probabilisticSampling: { samplingRate: 1 } }, RECORD_AND_SAMPLE],
    ['left out when it is zero', { probabilisticSampling: {} }, DROP],
    ['of one', rate(1), RECORD_AND_SAMPLE],
    ['beside nulls', { ...rate(1), operationSampling: null }, RECORD_AND_SAMPLE]
  ])('is understood %s', (_, answer, decision) => {
    const { strategy, decide } = strategyOf(0.5)
    expect(strategy.take(answer)).toBeUndefined()
    expect(decide('a', {}, decision === DROP ? 0.999 : 0.001).decision).toBe(decision)
  })
})

describe('a limit', () => {
  it.each(['RATE_LIMITING', 1])(
    'by type %s keeps so many a second, without a threshold',
    (type) => {
      const { strategy, time } = strategyOf()
      expect(strategy.take({ ...limit(3), strategyType: type })).toBeUndefined()
      const asked = request('a', {}, 0.5, 'ot=th:4,x=1')
      expect(strategy.decide(asked)).toMatchObject({ decision: 2, traceState: 'x=1' })
      expect(keptOf(strategy.decide, asked, 10)).toBe(2)
      time.nowMs += 1_000
      expect(keptOf(strategy.decide, asked, 10)).toBe(3)
    }
  )

  it('is not granted anew by an answer that says the same', () => {
    const { strategy } = strategyOf()
    strategy.take(limit(3))
    expect(keptOf(strategy.decide, request(), 10)).toBe(3)
    strategy.take(limit(3))
    expect(keptOf(strategy.decide, request(), 10)).toBe(0)
    strategy.take(limit(4))
    expect(keptOf(strategy.decide, request(), 10)).toBe(4)
    strategy.take(limit(0))
    expect(keptOf(strategy.decide, request(), 10)).toBe(0)
  })
})

describe('operations', () => {
  it('have their own probabilities, others the default, whatever the type says', () => {
    const { strategy, decide } = strategyOf()
    const answer = { ...operations({ a: 1 }, { defaultSamplingProbability: 0.25 }), ...rate(0) }
    expect(strategy.take(answer)).toBeUndefined()
    expect(decide('a', {}, 0)).toMatchObject({ decision: 2, traceState: 'ot=th:0' })
    expect(decide('b', {}, 0.74).decision).toBe(DROP)
    expect(decide('b', {}, 0.75)).toMatchObject({ decision: 2, traceState: 'ot=th:c' })
    expect(strategy.readsFacts).toBe(false)
  })

  it('are each kept at least so often, which is no probability', () => {
    const { strategy, decide, time } = strategyOf()
    const bound = { defaultLowerBoundTracesPerSecond: 0.5, defaultSamplingProbability: 0.25 }
    strategy.take(operations({ a: 0 }, bound))
    expect(decide('a', {}, 0, 'ot=th:4')).toMatchObject({ decision: 2, traceState: '' })
    for (const name of ['b', 'c']) expect(keptOf(strategy.decide, request(name), 9)).toBe(1)
    time.nowMs += 1_999
    expect(keptOf(strategy.decide, request('a'), 9)).toBe(0)
    time.nowMs += 1
    expect(keptOf(strategy.decide, request('a'), 9)).toBe(1)
    // What the probability keeps is within the bound.
    expect(decide('b', {}, 0.9).traceState).toBe('ot=th:c')
    expect(decide('b', {}, 0.1).decision).toBe(DROP)
    // Nor does the next answer grant it once more.
    strategy.take(operations({ a: 0.5, b: 0.1 }, bound))
    for (const name of ['a', 'b']) expect(decide(name, {}, 0.1).decision).toBe(DROP)
    expect(decide('a', {}, 0.5).traceState).toBe('ot=th:8')
    strategy.take(operations({ a: 0 }, { defaultLowerBoundTracesPerSecond: 1 }))
    expect(decide('a').decision).toBe(RECORD_AND_SAMPLE)
  })

  it('that are not listed follow a changed default', () => {
    const { strategy, decide } = strategyOf()
    strategy.take(operations({}, { defaultSamplingProbability: 0 }))
    expect(decide('met').decision).toBe(DROP)
    strategy.take(operations({}, { defaultSamplingProbability: 1 }))
    expect(decide('met').decision).toBe(RECORD_AND_SAMPLE)
    strategy.take(operations({ met: 0 }, { defaultSamplingProbability: 1 }))
    expect(decide('met').decision).toBe(DROP)
  })

  it('are found by a request’s method and path too', () => {
    const { strategy, decide } = strategyOf()
    const rates = { 'GET /health': 0, 'GET /orders/:id': 1, POST: 1, 'GET /a/*': 1 }
    strategy.take(operations(rates))
    expect(strategy.readsFacts).toBe(true)
    const at = (method: string, path: string) =>
      decide(method, { 'http.request.method': method, 'url.path': path }).decision
    expect(at('GET', '/orders/7')).toBe(RECORD_AND_SAMPLE)
    expect(at('GET', '/a/b/c')).toBe(RECORD_AND_SAMPLE)
    expect(at('GET', '/orders/7/items')).toBe(DROP)
    expect(at('GET', '/health')).toBe(DROP)
    expect(at('POST', '/orders/7')).toBe(RECORD_AND_SAMPLE)
    expect(decide('GET /health').decision).toBe(DROP)
    strategy.take(rate(1))
    expect(strategy.readsFacts).toBe(false)
  })

  it('are so many, and further ones have the default without a bound', () => {
    const { strategy, said } = strategyOf()
    const bound = { defaultLowerBoundTracesPerSecond: 1 }
    strategy.take(operations({ listed: 0 }, bound))
    for (let index = 2; index <= OPERATIONS_MAX; index++) {
      expect(keptOf(strategy.decide, request(`met ${index}`), 2)).toBe(1)
    }
    expect(said).toEqual([])
    expect(keptOf(strategy.decide, request('one more'), 2)).toBe(0)
    keptOf(strategy.decide, request('and another'), 2)
    expect(said).toEqual([['SAMPLE_OPERATIONS', OPERATIONS_MAX]])
    expect(keptOf(strategy.decide, request('met 2'), 2)).toBe(0)
  })

  it('are listed up to the same number', () => {
    const listed = (count: number) =>
      operations(Object.fromEntries(Array.from({ length: count }, (_, at) => [`op ${at}`, 1])))
    const { strategy, said, decide } = strategyOf()
    strategy.take(listed(OPERATIONS_MAX))
    expect(said).toEqual([])
    expect(decide(`op ${OPERATIONS_MAX - 1}`).decision).toBe(RECORD_AND_SAMPLE)
    strategy.take(listed(OPERATIONS_MAX + 1))
    expect(said).toEqual([['SAMPLE_OPERATIONS', OPERATIONS_MAX]])
    expect(decide(`op ${OPERATIONS_MAX}`).decision).toBe(DROP)
  })

  it('have so many routes with a parameter', () => {
    const listed = (count: number) =>
      operations(
        Object.fromEntries(Array.from({ length: count }, (_, at) => [`GET /${at}/:id`, 1]))
      )
    const { strategy, said, decide } = strategyOf()
    const at = (path: string) =>
      decide('GET', { 'http.request.method': 'GET', 'url.path': path }).decision
    strategy.take(listed(ROUTES_MAX))
    expect([at(`/${ROUTES_MAX - 1}/7`), said]).toEqual([RECORD_AND_SAMPLE, []])
    strategy.take(listed(ROUTES_MAX + 1))
    expect(at(`/${ROUTES_MAX}/7`)).toBe(DROP)
    expect(said).toHaveLength(1)
  })
})

it('understands a Jaeger’s own words, as version 1.76 answers', () => {
  const { strategy, decide } = strategyOf()
  const take = (text: string) => expect(strategy.take(JSON.parse(text))).toBeUndefined()
  take('{"strategyType":1,"rateLimitingSampling":{"maxTracesPerSecond":5}}')
  expect(keptOf(strategy.decide, request(), 9)).toBe(5)
  take('{"strategyType":0,"probabilisticSampling":{"samplingRate":0.5}}')
  expect(decide('a', {}, 0.5).traceState).toBe('ot=th:8')
  take(
    '{"strategyType":0,"probabilisticSampling":{"samplingRate":1},"operationSampling":{"defaultSamplingProbability":1,"defaultLowerBoundTracesPerSecond":0,"perOperationStrategies":[{"operation":"GET /health","probabilisticSampling":{"samplingRate":0}},{"operation":"GET /orders/:id","probabilisticSampling":{"samplingRate":0.25}}],"defaultUpperBoundTracesPerSecond":0}}'
  )
  expect(decide('GET /health').decision).toBe(DROP)
  expect(decide('GET /orders/:id', {}, 0.75).traceState).toBe('ot=th:c')
  expect(decide('b', {}, 0).decision).toBe(RECORD_AND_SAMPLE)
})

describe('an answer that is none', () => {
  it.each([
    [null, 'no object'],
    [[], 'no object'],
    [{}, 'strategyType undefined, and nothing to it'],
    [{ strategyType: 'RATE_LIMITING' }, 'strategyType RATE_LIMITING, and nothing to it'],
    [{ strategyType: 'SOME', ...{ probabilisticSampling: {} } }, 'strategyType SOME, and nothing'],
    [rate(1.01), 'samplingRate 1.01'],
    [rate(-0.1), 'samplingRate -0.1'],
    [rate('1' as never), 'samplingRate 1'],
    [limit(-1), 'maxTracesPerSecond -1'],
    [operations({ a: 2 }), 'no samplingRate of a'],
    [operations({}, { perOperationStrategies: {} }), 'perOperationStrategies is no list'],
    [operations({}, { perOperationStrategies: [{}] }), 'a strategy without an operation'],
    [operations({}, { defaultSamplingProbability: 7 }), 'defaultSamplingProbability 7'],
    [operations({}, { defaultLowerBoundTracesPerSecond: -1 }), 'defaultLowerBound']
  ])('changes nothing: %j', (answer, problem) => {
    const { strategy, decide } = strategyOf()
    strategy.take(operations({ a: 1 }))
    expect(strategy.take(answer)).toContain(problem)
    expect(decide('a').decision).toBe(RECORD_AND_SAMPLE)
    expect(decide('b').decision).toBe(DROP)
  })
})

it.each([
  ['http://h:5778', 'http://h:5778/sampling?service=a+shop%26'],
  ['http://h:5778/', 'http://h:5778/sampling?service=a+shop%26'],
  ['https://h/sampling', 'https://h/sampling?service=a+shop%26'],
  ['http://h:14268/api/sampling/', 'http://h:14268/api/sampling?service=a+shop%26'],
  ['http://h/jaeger?key=1', 'http://h/jaeger/sampling?key=1&service=a+shop%26']
])('is asked for at the endpoint %s', (endpoint, url) => {
  expect(samplingUrl(endpoint, 'a shop&').href).toBe(url)
})
