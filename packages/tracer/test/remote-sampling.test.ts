/** Whole processes whose sampler asks a service, which changes its mind while they run. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { App } from './child.ts'
import { SamplingFake } from './sampling-fake.ts'
import { tracedApps } from './traced-apps.ts'

const DEADLINE_MS = 30_000
const CLIENT = 3

let service: SamplingFake

beforeEach(async () => {
  service = await new SamplingFake().listen()
})
afterEach(async () => {
  await service.close()
})
// Called after the hooks of the service, so that the apps end before it.
const { sink, start: startApp } = tracedApps()

type Get = (path: string, headers?: Record<string, string>) => Promise<string>

async function start(env: Record<string, string>): Promise<{ app: App; get: Get }> {
  const app = startApp('first-line.mjs', { env: { OTEL_SERVICE_NAME: 'a shop', ...env } })
  const port = await app.port()
  const get: Get = async (path, headers = {}) =>
    (await fetch(`http://127.0.0.1:${port}${path}`, { headers })).text()
  return { app, get }
}

/** Until the app says of a request to this path that its spans are recorded, or are not. */
async function until(get: Get, path: string, isRecorded: boolean): Promise<number> {
  const deadline = performance.now() + DEADLINE_MS
  for (let requests = 1; ; requests++) {
    if ((await get(path)).endsWith(` ${isRecorded}`)) return requests
    if (performance.now() > deadline) throw new Error(`${path} is not ${isRecorded}`)
  }
}

async function asked(count: number): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS
  while (service.asked.length < count) {
    if (performance.now() > deadline) throw new Error(`not asked ${count} times`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function jaeger(name: string, initialSamplingRate = 0): Record<string, string> {
  return {
    OTEL_TRACES_SAMPLER: name,
    OTEL_TRACES_SAMPLER_ARG: `endpoint=${service.url},pollingIntervalMs=100,initialSamplingRate=${initialSamplingRate}`
  }
}

const rate = (samplingRate: number) => ({
  strategyType: 'PROBABILISTIC',
  probabilisticSampling: { samplingRate }
})

describe('jaeger_remote', () => {
  it('follows the service, keeps the last strategy while it is away, and is not traced', async () => {
    const { app, get } = await start(jaeger('jaeger_remote'))
    await asked(2)
    expect(await get('/hello/early')).toBe('hello early false')
    expect(
      app.stderr.match(/SAMPLE_SERVICE_SILENT: .*\(status 503\); the initial rate of 0 is used/g)
    ).toHaveLength(1)

    service.answer = () => rate(1)
    await until(get, '/hello/kept', true)
    await app.line(/SAMPLE_SERVICE_BACK: .* after \d+ failures/)
    const kept = await sink.span((span) => span.attributes['url.path'] === '/hello/kept')
    expect(kept.traceState).toBe('ot=th:0')

    const operation = { operation: 'GET /hello/:name', probabilisticSampling: { samplingRate: 0 } }
    service.answer = () => ({
      operationSampling: { defaultSamplingProbability: 1, perOperationStrategies: [operation] }
    })
    await until(get, '/hello/dropped', false)
    await get('/other')
    await sink.span((span) => span.attributes['url.path'] === '/other')

    service.answer = () => ({ strategyType: 'WHAT' })
    await app.line(/SAMPLE_STRATEGY_BAD: .*strategyType WHAT.*its last strategy stays in force/)
    const { port } = service
    await service.close()
    expect(await get('/hello/away')).toBe('hello away false')
    service.answer = () => rate(1)
    await service.listen(port)
    await until(get, '/hello/back', true)

    expect(new Set(service.asked.map(({ method, url }) => `${method} ${url}`))).toEqual(
      new Set(['GET /sampling?service=a+shop'])
    )
    expect(service.asked.filter(({ headers }) => headers.traceparent !== undefined)).toEqual([])
    await sink.span((span) => span.attributes['url.path'] === '/hello/back')
    expect(sink.spans.filter(({ kind }) => kind === CLIENT)).toEqual([])
  }, 60_000)

  it.each([
    ['jaeger_remote', 'false'],
    ['parentbased_jaeger_remote', 'true']
  ])('%s below a sampled caller: %s', async (name, isRecorded) => {
    service.answer = () => rate(0)
    const { get } = await start(jaeger(name, 1))
    await until(get, '/hello/root', false)
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    expect(await get('/hello/below', { traceparent })).toBe(`hello below ${isRecorded}`)
  })

  it('counts every span of the traces that it leaves out', async () => {
    service.answer = () => ({ strategyType: 1, rateLimitingSampling: { maxTracesPerSecond: 7 } })
    const app = startApp('spans.mjs', { env: jaeger('jaeger_remote') })
    await app.line(/ready/)
    // The second question comes after the first answer.
    await asked(2)
    app.tell({ spans: 1_000, flush: false })
    await app.line(/made 1000\b/)
    app.process.kill('SIGTERM')
    await app.ended()
    const stats = sink.metrics.filter(({ name }) => name === 'traces.span.sdk.metrics.duration')
    expect(stats.flatMap(({ points }) => points.map(({ count }) => count))).toEqual([1_000])
    expect(sink.spans.length).toBeGreaterThanOrEqual(7)
    expect(sink.spans.length).toBeLessThan(1_000)
    expect(new Set(sink.spans.map(({ traceState }) => traceState))).toEqual(new Set(['']))
  })

  it('says once what it does not understand of its argument', async () => {
    const { app } = await start({
      OTEL_TRACES_SAMPLER: 'jaeger_remote',
      OTEL_TRACES_SAMPLER_ARG: `pollingIntervalMs=soon,endpoint=${service.url}`
    })
    await asked(1)
    expect(app.stderr.match(/CONFIG_BAD_VALUE/g)).toHaveLength(1)
    expect(app.stderr).toContain('"pollingIntervalMs=soon" is not understood')
  })

  it.each(['jaeger_remote', 'xray'])(
    '%s holds no process that has nothing left to do',
    async (name) => {
      service.answer = () => undefined
      const app = startApp('-e', {
        args: ['process.once("message", () => process.disconnect())'],
        env: {
          OTEL_TRACES_SAMPLER: name,
          OTEL_TRACES_SAMPLER_ARG: `endpoint=${service.url}`
        }
      })
      await asked(1)
      app.tell({})
      expect(await app.ended()).toEqual({ code: 0, signal: null })
    }
  )
})

describe('xray', () => {
  const rule = (RuleName: string, more: object) => ({
    SamplingRule: {
      RuleName,
      Priority: 1,
      FixedRate: 0,
      ReservoirSize: 0,
      ServiceName: '*',
      ServiceType: '*',
      Host: '*',
      HTTPMethod: '*',
      URLPath: '*',
      ResourceARN: '*',
      Version: 1,
      ...more
    }
  })
  const everything = rule('Default', { Priority: 10_000 })

  it('asks for rules page by page, reports what each has counted, and asks again when they change', async () => {
    const rules = [rule('hello', { FixedRate: 1, HTTPMethod: 'GET', URLPath: '/hello/*' })]
    const counted = { requests: 0, sampled: 0, borrowed: 0 }
    service.answer = ({ url, body }) => {
      if (url === '/base/GetSamplingRules') {
        return body === '{}'
          ? { SamplingRuleRecords: rules, NextToken: 'more' }
          : { SamplingRuleRecords: [everything] }
      }
      for (const one of JSON.parse(body).SamplingStatisticsDocuments) {
        if (one.RuleName !== 'hello') continue
        expect(one.ClientID).toMatch(/^[0-9a-f]{24}$/)
        counted.requests += one.RequestCount
        counted.sampled += one.SampledCount
        counted.borrowed += one.BorrowCount
      }
      rules[0] = rule('hello', { FixedRate: 0, URLPath: '/hello/*' })
      const LastRuleModification = Date.now() / 1_000
      return {
        SamplingTargetDocuments: [{ RuleName: 'hello', Interval: 10 }],
        LastRuleModification
      }
    }
    const { app, get } = await start({
      OTEL_TRACES_SAMPLER: 'xray',
      OTEL_TRACES_SAMPLER_ARG: `endpoint=${service.url}/base/,polling_interval=300`
    })
    await asked(2)
    expect(service.asked.map(({ body }) => body)).toEqual(['{}', '{"NextToken":"more"}'])
    // The first may still be the fallback's, which does not keep ten.
    for (let count = 0; count < 10; count++) await until(get, '/hello/kept', true)
    await get('/other')
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00'
    expect(await get('/hello/below', { traceparent })).toBe('hello below false')
    const dropped = await until(get, '/hello/dropped', false)
    expect(dropped).toBeGreaterThan(1)
    await sink.until(
      () => sink.spans.filter(({ name }) => name === 'greet').length >= dropped + 9,
      'spans'
    )
    const paths = new Set(sink.spans.map(({ attributes }) => attributes['url.path']))
    expect(paths).toEqual(new Set([undefined, '/hello/kept', '/hello/dropped']))
    expect(counted.requests).toBeGreaterThanOrEqual(5)
    expect(counted.sampled).toBe(counted.requests)
    expect(counted.borrowed).toBe(0)
    expect(service.asked.map(({ url }) => url)).toEqual([
      ...new Array(2).fill('/base/GetSamplingRules'),
      '/base/SamplingTargets',
      ...new Array(2).fill('/base/GetSamplingRules')
    ])
    expect(service.asked.filter(({ headers }) => headers.traceparent !== undefined)).toEqual([])
    expect(app.stderr).not.toContain('SAMPLE_')
  }, 60_000)

  it('keeps one trace a second and a twentieth of the others while nothing is known', async () => {
    const { app, get } = await start({
      OTEL_TRACES_SAMPLER: 'xray',
      OTEL_TRACES_SAMPLER_ARG: `endpoint=${service.url}`
    })
    await app.line(/SAMPLE_SERVICE_SILENT: .*\(status 503\); one trace a second and 5 % of the/)
    expect(await get('/hello/first')).toBe('hello first true')
    await until(get, '/hello/dropped', false)
  })
})
