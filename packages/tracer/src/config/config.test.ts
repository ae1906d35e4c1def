import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { NoticeCode } from '../notices.ts'
import { SDK_VERSION } from '../version.ts'
import { CATALOGUE } from './catalogue.ts'
import { readConfig } from './config.ts'
import type { Environment } from './parse.ts'

function read(environment: Environment) {
  const said: [NoticeCode, ...unknown[]][] = []
  const config = readConfig((code, ...facts) => void said.push([code, ...facts]), environment)
  return { config, said }
}

describe('the configuration', () => {
  it('has OpenTelemetry’s defaults', () => {
    const { config, said } = read({ OTEL_SERVICE_NAME: '', OTEL_TRACES_SAMPLER: ' ' })
    expect(config).toMatchObject({
      disabled: false,
      resource: {},
      targets: {
        traces: { url: 'http://localhost:4318/v1/traces', headers: {} },
        metrics: { url: 'http://localhost:4318/v1/metrics', headers: {} },
        logs: { url: 'http://localhost:4318/v1/logs', headers: {} }
      },
      sampler: 'parentbased_always_on',
      traceContext: true,
      baggage: true,
      queueBytesMax: 32 * 1024 * 1024,
      exitWaitMs: 1_500
    })
    expect(config.limits.attributesMax).toBe(128)
    expect(said).toEqual([])
  })

  it('reads every name it declares', () => {
    const { config, said } = read({
      OTEL_SDK_DISABLED: 'TRUE',
      OTEL_SERVICE_NAME: 'shop',
      DD_SERVICE: 'ignored',
      DD_ENV: 'prod',
      DD_VERSION: '1.2',
      OTEL_RESOURCE_ATTRIBUTES: 'team=a%2Cb, service.name=lost,service.version=9',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector:4318/base/',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20x',
      OTEL_EXPORTER_OTLP_LOGS_HEADERS: 'authorization=other',
      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://logs/',
      OTEL_EXPORTER_OTLP_TIMEOUT: '3000',
      OTEL_TRACES_SAMPLER: 'always_off',
      OTEL_TRACES_SAMPLER_ARG: '0.5',
      DD_TRACE_SAMPLE_RATE: '.25',
      SPANLOOM_SAMPLING_RULES: '[]',
      SPANLOOM_TRACES_PER_SECOND: '0.5',
      SPANLOOM_SAMPLING_FROM_COLLECTOR: 'false',
      OTEL_PROPAGATORS: 'baggage',
      OTEL_ATTRIBUTE_COUNT_LIMIT: '5',
      OTEL_SPAN_EVENT_COUNT_LIMIT: '6',
      OTEL_SPAN_LINK_COUNT_LIMIT: '7',
      OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT: '8',
      OTEL_LINK_ATTRIBUTE_COUNT_LIMIT: '9',
      OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: '10',
      SPANLOOM_SPAN_STATS: 'never',
      SPANLOOM_QUEUE_BYTES: '1000',
      SPANLOOM_EXIT_WAIT: '0'
    })
    expect(said).toEqual([])
    expect(config).toEqual({
      disabled: true,
      resource: {
        'service.name': 'shop',
        'service.version': '9',
        'deployment.environment.name': 'prod',
        team: 'a,b'
      },
      targets: {
        traces: {
          url: 'https://collector:4318/base/v1/traces',
          headers: { authorization: 'Bearer x' }
        },
        metrics: {
          url: 'https://collector:4318/base/v1/metrics',
          headers: { authorization: 'Bearer x' }
        },
        logs: { url: 'http://logs/', headers: { authorization: 'other' } }
      },
      timeoutMs: 3_000,
      sampler: 'always_off',
      sampling: {
        samplerArg: '0.5',
        samplerIsSet: true,
        sampleRate: 0.25,
        samplingRules: '[]',
        tracesPerSecondMax: 0.5,
        samplingFromCollector: false
      },
      traceContext: false,
      baggage: true,
      limits: {
        attributesMax: 5,
        eventsMax: 6,
        linksMax: 7,
        eventAttributesMax: 8,
        linkAttributesMax: 9,
        valueCharsMax: 10
      },
      spanStats: 'never',
      queueBytesMax: 1_000,
      exitWaitMs: 0
    })
    expect(read({ OTEL_PROPAGATORS: 'none' }).config.traceContext).toBe(false)
    expect(read({ DD_SERVICE: 'moved' }).config.resource['service.name']).toBe('moved')
  })

  it('sends metrics and logs beside the traces when only their whole address is given', () => {
    const urls = (environment: Environment) =>
      Object.values(read(environment).config.targets).map((target) => target.url)
    const name = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'
    expect(urls({ [name]: 'http://there/v1/traces' })).toEqual([
      'http://there/v1/traces',
      'http://there/v1/metrics',
      'http://there/v1/logs'
    ])
    expect(urls({ [name]: 'http://there/as-is' })).toEqual([
      'http://there/as-is',
      'http://localhost:4318/v1/metrics',
      'http://localhost:4318/v1/logs'
    ])
    const base = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://base' }
    expect(urls({ ...base, [name]: 'http://there/v1/traces' })[1]).toBe('http://base/v1/metrics')
    const own = { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://own/m' }
    expect(urls({ ...own, [name]: 'http://there/v1/traces' })[1]).toBe('http://own/m')
  })

  it.each([
    ['OTEL_TRACES_SAMPLER', 'sometimes'],
    ['DD_TRACE_SAMPLE_RATE', '1.1'],
    ['DD_TRACE_RATE_LIMIT', '-1'],
    ['OTEL_PROPAGATORS', 'tracecontext,b3'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'localhost'],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '-1'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'a=1,b'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'a=%E0%A4%A'],
    ['OTEL_SDK_DISABLED', 'yes']
  ])('%s=%s is one warning and the default', (name, value) => {
    const { config, said } = read({ [name]: value })
    const sampling = { ...read({}).config.sampling, samplerIsSet: name === 'OTEL_TRACES_SAMPLER' }
    expect(config).toEqual({ ...read({}).config, sampling })
    expect(said.map(([code, variable]) => [code, variable])).toEqual([['CONFIG_BAD_VALUE', name]])
  })

  it.each(['jaeger_remote', 'parentbased_jaeger_remote', 'xray'])(
    'says that the sampler %s is not there',
    (name) => {
      const { config, said } = read({ OTEL_TRACES_SAMPLER: name })
      expect(config.sampler).toBe('parentbased_always_on')
      expect(said[0]!.slice(0, 3)).toEqual(['CONFIG_UNSUPPORTED', 'OTEL_TRACES_SAMPLER', name])
    }
  )

  it('does not show credentials in a warning', () => {
    const { said } = read({ OTEL_EXPORTER_OTLP_HEADERS: 'secret-token' })
    expect(JSON.stringify(said)).not.toContain('secret-token')
  })

  it('is in the README, each name of it', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
    for (const setting of Object.values(CATALOGUE)) {
      for (const name of setting.env) expect(readme).toContain(`\`${name}\``)
    }
  })
})

describe('the version', () => {
  it('is package.json’s', () => {
    const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
    expect(SDK_VERSION).toBe((JSON.parse(manifest) as { version: string }).version)
  })
})
