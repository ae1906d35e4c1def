import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { NoticeCode } from '../notices.ts'
import { DEFAULT_SPAN_LIMITS } from '../trace/limits.ts'
import { SDK_VERSION } from '../version.ts'
import { CATALOGUE, GROUPS } from './catalogue.ts'
import { isInstrumented, readConfig, unknownLibraries } from './config.ts'
import type { Environment } from './environment.ts'
import { configurationPage, helpText } from './help.ts'
import { SIGNALS, variablesOf } from './setting.ts'

function read(environment: Environment) {
  const said: [NoticeCode, ...unknown[]][] = []
  const config = readConfig((code, ...facts) => void said.push([code, ...facts]), environment)
  return { config, said }
}

/** A sampler that is not understood was meant to be one: Datadog's rate does not take its place. */
function defaultsBut(name: string) {
  const { config } = read({})
  const samplerIsSet = name === 'OTEL_TRACES_SAMPLER'
  return { ...config, sampling: { ...config.sampling, samplerIsSet } }
}

describe('the configuration', () => {
  it('has OpenTelemetry’s defaults', () => {
    const { config, said } = read({ OTEL_SERVICE_NAME: '', OTEL_TRACES_SAMPLER: ' ' })
    expect(config).toMatchObject({
      disabled: false,
      resource: {},
      resourceDetectors: ['all'],
      exporters: { traces: ['otlp'], metrics: ['otlp'], logs: ['otlp'] },
      flushAfterMs: 500,
      sampler: 'parentbased_always_on',
      spanStats: 'auto',
      propagation: {
        extract: ['tracecontext', 'baggage'],
        inject: ['tracecontext', 'baggage'],
        behavior: 'continue'
      },
      instrumentations: { enabled: undefined, disabled: [] },
      captureHeaders: { serverRequest: [], serverResponse: [] },
      queueBytesMax: 32 * 1024 * 1024,
      exitWaitMs: 1_500,
      collapse: true,
      middlewareSpans: true,
      maxOverheadPercent: 5,
      startupLog: false,
      logLevel: 'info'
    })
    for (const signal of SIGNALS) {
      expect(config.endpoints[signal]).toEqual({
        url: `http://localhost:4318/v1/${signal}`,
        headers: {},
        timeoutMs: 10_000,
        compression: 'zstd'
      })
    }
    expect(config.limits).toEqual(DEFAULT_SPAN_LIMITS)
    expect(said).toEqual([])
  })

  it('reads OpenTelemetry’s names', () => {
    const { config, said } = read({
      OTEL_SDK_DISABLED: 'TRUE',
      OTEL_SERVICE_NAME: 'shop',
      OTEL_RESOURCE_ATTRIBUTES: 'team=a%2Cb, service.name=lost,service.version=9',
      OTEL_NODE_RESOURCE_DETECTORS: 'env,host',
      OTEL_TRACES_EXPORTER: 'otlp,console',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'None',
      OTEL_TRACES_SAMPLER: 'always_off',
      OTEL_TRACES_SAMPLER_ARG: '0.5',
      SPANLOOM_SAMPLING_RULES: '[]',
      SPANLOOM_TRACES_PER_SECOND: '0.5',
      SPANLOOM_SAMPLING_FROM_COLLECTOR: 'false',
      SPANLOOM_SPAN_STATS: 'never',
      OTEL_PROPAGATORS: 'b3,baggage',
      OTEL_BSP_SCHEDULE_DELAY: '1000',
      OTEL_METRIC_EXPORT_INTERVAL: '5000',
      OTEL_METRIC_EXPORT_TIMEOUT: '3000',
      OTEL_ATTRIBUTE_COUNT_LIMIT: '5',
      OTEL_SPAN_EVENT_COUNT_LIMIT: '6',
      OTEL_SPAN_LINK_COUNT_LIMIT: '7',
      OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT: '8',
      OTEL_LINK_ATTRIBUTE_COUNT_LIMIT: '9',
      OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: '10',
      OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'http, PG',
      OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'pg',
      OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST: 'X-Id,accept',
      OTEL_INSTRUMENTATION_HTTP_CLIENT_CAPTURE_RESPONSE_HEADERS: 'age',
      OTEL_LOG_LEVEL: 'error',
      SPANLOOM_QUEUE_BYTES: '1000',
      SPANLOOM_EXIT_WAIT: '0',
      SPANLOOM_COLLAPSE: 'false',
      SPANLOOM_MIDDLEWARE_SPANS: 'false',
      SPANLOOM_MAX_OVERHEAD: '2.5',
      SPANLOOM_STARTUP_LOG: 'true'
    })
    expect(said).toEqual([])
    expect(config).toMatchObject({
      disabled: true,
      resource: { 'service.name': 'shop', 'service.version': '9', team: 'a,b' },
      resourceDetectors: ['env', 'host'],
      exporters: { traces: ['otlp', 'console'], metrics: [], logs: [] },
      flushAfterMs: 1_000,
      metricIntervalMs: 5_000,
      metricTimeoutMs: 3_000,
      queueBytesMax: 1_000,
      exitWaitMs: 0,
      sampler: 'always_off',
      sampling: {
        samplerArg: '0.5',
        samplerIsSet: true,
        samplingRules: '[]',
        tracesPerSecondMax: 0.5,
        samplingFromCollector: false
      },
      spanStats: 'never',
      propagation: { extract: ['b3', 'baggage'], inject: ['b3', 'baggage'] },
      limits: {
        attributesMax: 5,
        eventsMax: 6,
        linksMax: 7,
        eventAttributesMax: 8,
        linkAttributesMax: 9,
        valueCharsMax: 10
      },
      instrumentations: { enabled: ['http', 'pg'], disabled: ['pg'] },
      captureHeaders: {
        serverRequest: ['x-id', 'accept'],
        serverResponse: [],
        clientRequest: [],
        clientResponse: ['age']
      },
      collapse: false,
      middlewareSpans: false,
      maxOverheadPercent: 2.5,
      startupLog: true,
      logLevel: 'error'
    })
    expect(isInstrumented(config.instrumentations, 'http-server')).toBe(true)
    expect(isInstrumented(config.instrumentations, 'pg')).toBe(false)
    expect(isInstrumented(config.instrumentations, 'express')).toBe(false)
  })

  it('reads Datadog’s names', () => {
    const { config, said } = read({
      DD_SERVICE: 'shop',
      DD_ENV: 'prod',
      DD_VERSION: '1.2',
      DD_TAGS: 'team:a,env:lost,url:http://x,flag',
      DD_TRACE_ENABLED: '0',
      DD_TRACE_SAMPLE_RATE: '.5',
      DD_TRACE_SAMPLING_RULES: '[]',
      DD_TRACE_RATE_LIMIT: '100',
      DD_LOGS_INJECTION: 'false',
      DD_RUNTIME_METRICS_ENABLED: 'False',
      DD_TRACE_PROPAGATION_STYLE: 'datadog,b3',
      DD_TRACE_PROPAGATION_STYLE_INJECT: 'B3 single header',
      DD_TRACE_PROPAGATION_BEHAVIOR_EXTRACT: 'restart',
      DD_TRACE_FLUSH_INTERVAL: '2000',
      DD_TRACE_HEADER_TAGS: 'User-Agent:ua, x-id',
      DD_TRACE_PG_ENABLED: 'false',
      DD_TRACE_HTTP_ENABLED: 'true',
      DD_TRACE_STARTUP_LOGS: '1'
    })
    expect(said).toEqual([])
    expect(config).toMatchObject({
      disabled: true,
      resource: {
        'service.name': 'shop',
        'deployment.environment.name': 'prod',
        'service.version': '1.2',
        team: 'a',
        url: 'http://x',
        flag: ''
      },
      sampling: {
        samplerArg: undefined,
        samplerIsSet: false,
        sampleRate: 0.5,
        samplingRules: '[]',
        tracesPerSecondMax: 100
      },
      runtimeMetrics: false,
      propagation: { extract: ['datadog', 'b3multi'], inject: ['b3'], behavior: 'restart' },
      flushAfterMs: 2_000,
      captureHeaders: {
        serverRequest: ['user-agent', 'x-id'],
        serverResponse: ['user-agent', 'x-id'],
        clientRequest: []
      },
      instrumentations: { enabled: undefined, disabled: ['pg', 'pino', 'winston', 'bunyan'] },
      startupLog: true
    })
    const whole = { OTEL_NODE_DISABLED_INSTRUMENTATIONS: '@opentelemetry/instrumentation-http' }
    const { instrumentations } = read({ ...whole, DD_TRACE_FETCH_ENABLED: '0' }).config
    const names = ['http-client', 'undici', 'httpx', 'pg']
    expect(names.filter((name) => isInstrumented(instrumentations, name))).toEqual(['httpx', 'pg'])
    expect(read({ DD_TAGS: 'a:1 b:2' }).config.resource).toEqual({ a: '1', b: '2' })
    expect(read({ DD_TRACE_DEBUG: 'true' }).config.logLevel).toBe('info')
  })

  it.each([
    ['nestjs-core', 'nestjs'],
    ['redis-4', 'redis'],
    ['@opentelemetry/instrumentation-mongodb', 'mongodb']
  ])('takes %s for %s', (theirs, ours) => {
    const { config } = read({ OTEL_NODE_DISABLED_INSTRUMENTATIONS: theirs })
    expect(isInstrumented(config.instrumentations, ours)).toBe(false)
  })

  it.each([
    ['ENABLED', 'http,pg,fs', ['fs']],
    ['DISABLED', 'http,fs,mysql,expres', ['expres']],
    ['DISABLED', 'exprs', []]
  ])('finds what is %s and unknown in %s', (which, listed, unknown) => {
    const { config } = read({ [`OTEL_NODE_${which}_INSTRUMENTATIONS`]: listed })
    const names = ['http-server', 'pg', 'express', 'mysql2']
    expect(unknownLibraries(config.instrumentations, names)).toEqual(unknown)
  })

  it('lets OpenTelemetry’s names win', () => {
    const { config } = read({
      OTEL_SERVICE_NAME: 'otel',
      DD_SERVICE: 'dd',
      OTEL_RESOURCE_ATTRIBUTES: 'service.version=otel',
      DD_VERSION: 'dd',
      DD_TAGS: 'service.version:tag,team:tag',
      OTEL_PROPAGATORS: 'none',
      DD_TRACE_PROPAGATION_STYLE_EXTRACT: 'datadog',
      OTEL_BSP_SCHEDULE_DELAY: '1',
      DD_TRACE_FLUSH_INTERVAL: '2'
    })
    expect(config.resource).toEqual({
      'service.name': 'otel',
      'service.version': 'otel',
      team: 'tag'
    })
    expect(config.propagation).toEqual({ extract: [], inject: [], behavior: 'continue' })
    expect(config.flushAfterMs).toBe(1)
  })

  it.each([
    ['OTEL_TRACES_SAMPLER', 'sometimes'],
    ['OTEL_PROPAGATORS', 'tracecontext,b4'],
    ['OTEL_TRACES_EXPORTER', 'paper'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'localhost'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'unix://'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'unix://host/path'],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '-1'],
    ['OTEL_EXPORTER_OTLP_COMPRESSION', 'zip'],
    ['OTEL_METRIC_EXPORT_INTERVAL', '0'],
    ['OTEL_BSP_SCHEDULE_DELAY', '60001'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'a=1,b'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'a=%E0%A4%A'],
    ['OTEL_SDK_DISABLED', 'yes'],
    ['OTEL_SDK_DISABLED', '1'],
    ['OTEL_LOG_LEVEL', 'loud'],
    ['DD_TRACE_SAMPLE_RATE', '1.1'],
    ['DD_TRACE_RATE_LIMIT', '-1'],
    ['DD_TRACE_PG_ENABLED', 'maybe'],
    ['SPANLOOM_MAX_OVERHEAD', '101'],
    ['SPANLOOM_MAX_OVERHEAD', 'much']
  ])('%s=%s is one warning and the default', (name, value) => {
    const { config, said } = read({ [name]: value })
    expect(config).toEqual(defaultsBut(name))
    expect(said.map(([code, variable]) => [code, variable])).toEqual([['CONFIG_BAD_VALUE', name]])
  })

  it.each([
    ['OTEL_PROPAGATORS', 'tracecontext,ottrace'],
    ['OTEL_TRACES_EXPORTER', 'zipkin'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
    ['OTEL_NODE_RESOURCE_DETECTORS', 'alibaba']
  ])('%s=%s is of the standard and not of this tracer', (name, value) => {
    const { config, said } = read({ [name]: value })
    expect(config).toEqual(defaultsBut(name))
    expect(said.map(([code, variable]) => [code, variable])).toEqual([['CONFIG_UNSUPPORTED', name]])
  })

  it('accepts the last value within a bound', () => {
    const at = (name: string, value: string) => read({ [name]: value }).said
    expect(at('SPANLOOM_MAX_OVERHEAD', '100')).toEqual([])
    expect(at('DD_TRACE_SAMPLE_RATE', '1')).toEqual([])
    expect(at('OTEL_BSP_SCHEDULE_DELAY', '60000')).toEqual([])
    expect(at('OTEL_METRIC_EXPORT_INTERVAL', '1')).toEqual([])
  })

  it('does not show credentials in a warning', () => {
    for (const name of ['OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_EXPORTER_OTLP_LOGS_HEADERS']) {
      expect(JSON.stringify(read({ [name]: 'secret-token' }).said)).not.toContain('secret-token')
    }
    const agent = read({ DD_TRACE_AGENT_URL: 'http://user:secret-token@host:8126' })
    expect(agent.said).toHaveLength(1)
    expect(JSON.stringify(agent.said)).not.toContain('secret-token')
  })

  it('says in one notice what has no effect', () => {
    const { said } = read({ OTEL_BSP_MAX_QUEUE_SIZE: '9', DD_SERVICE_MAPPING: 'a:b' })
    expect(said).toEqual([['CONFIG_NO_EFFECT', 'DD_SERVICE_MAPPING, OTEL_BSP_MAX_QUEUE_SIZE']])
  })

  it.each([
    ['SPANLOOM_QEUE_BYTE', 'SPANLOOM_QUEUE_BYTES'],
    ['SPANLOOM_EXITWAIT', 'SPANLOOM_EXIT_WAIT'],
    ['OTEL_SERVICENAME', 'OTEL_SERVICE_NAME'],
    ['OTEL_EXPORTER_OTLP_TRACE_HEADERS', 'OTEL_EXPORTER_OTLP_TRACES_HEADERS']
  ])('%s: did you mean %s?', (name, nearest) => {
    expect(read({ [name]: '1' }).said).toEqual([['CONFIG_UNKNOWN', name, nearest]])
  })

  it.each([
    'SPANLOOM_DATA_DIR',
    'OTEL_SERVICE_NUMBERS',
    'OTEL_INSTRUMENTATION_COMMON_DEFAULT_ENABLED',
    'DD_SERVICES',
    'PATH'
  ])('%s is somebody else’s', (name) => {
    expect(read({ [name]: '1' }).said).toEqual([])
  })

  it.each([
    ['OTEL_PROPAGATORS', 'tracecontext,baggage'],
    ['DD_TRACE_PROPAGATION_STYLE_INJECT', 'tracecontext,baggage'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://localhost:4318']
  ])('says what is used in place of a bad %s', (name, used) => {
    const said: unknown[][] = []
    readConfig((code, ...facts) => void said.push([code, ...facts]), { [name]: 'h!' })
    expect(said).toEqual([['CONFIG_BAD_VALUE', name, 'h!', `the default (${used})`]])
  })

  it('says no more than OTEL_LOG_LEVEL allows, of the level itself too', () => {
    const codes = (level: string) =>
      read({
        OTEL_LOG_LEVEL: level,
        OTEL_BSP_MAX_QUEUE_SIZE: '9',
        OTEL_SDK_DISABLED: 'x'
      }).said.map(([code]) => code)
    expect(codes('info').sort()).toEqual(['CONFIG_BAD_VALUE', 'CONFIG_NO_EFFECT'])
    expect(codes('warn')).toEqual(['CONFIG_BAD_VALUE'])
    expect(codes('none')).toEqual([])
  })

  it('declares no name twice', () => {
    const names = Object.values(CATALOGUE).flatMap((setting) => [...new Set(variablesOf(setting))])
    const shared = ['DD_TRACE_PROPAGATION_STYLE']
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual(shared)
    const grouped = GROUPS.flatMap((group) => Object.keys(group.settings))
    expect(grouped.sort()).toEqual(Object.keys(CATALOGUE).sort())
  })
})

describe('where the signals go', () => {
  const urls = (environment: Environment) =>
    Object.values(read(environment).config.endpoints).map((endpoint) => endpoint.url)
  const TRACES = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'

  it('is one collector, and for each its own address as it is', () => {
    const base = { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector:4318/base/' }
    expect(urls({ ...base, OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://logs/' })).toEqual([
      'https://collector:4318/base/v1/traces',
      'https://collector:4318/base/v1/metrics',
      'http://logs/'
    ])
    expect(urls({ ...base, [TRACES]: 'http://there/v1/traces' })[1]).toBe(
      'https://collector:4318/base/v1/metrics'
    )
  })

  it('is beside the traces when only their whole address is given', () => {
    expect(urls({ [TRACES]: 'http://there/v1/traces' })).toEqual([
      'http://there/v1/traces',
      'http://there/v1/metrics',
      'http://there/v1/logs'
    ])
    expect(urls({ [TRACES]: 'http://there/as-is' })).toEqual([
      'http://there/as-is',
      'http://localhost:4318/v1/metrics',
      'http://localhost:4318/v1/logs'
    ])
  })

  it.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'unix:///run/spanloom%20a.sock'],
    [TRACES, 'unix:///run/spanloom%20a.sock'],
    ['DD_TRACE_AGENT_URL', 'unix:///run/spanloom%20a.sock']
  ])('is a socket by %s=%s', (name, value) => {
    const { endpoints } = read({ [name]: value }).config
    for (const signal of SIGNALS) {
      expect(endpoints[signal]).toMatchObject({
        url: `http://localhost/v1/${signal}`,
        socketPath: '/run/spanloom a.sock'
      })
    }
  })

  it.each([
    [{ DD_TRACE_AGENT_URL: 'http://agent:8126' }, 'http://agent:4318'],
    [{ DD_TRACE_AGENT_URL: 'http://agent:8126/v0.4/traces' }, 'http://agent:4318'],
    [{ DD_TRACE_AGENT_URL: 'https://agent:9999' }, 'https://agent:9999'],
    [
      { DD_TRACE_AGENT_URL: 'unix:///var/run/datadog/apm.socket', DD_AGENT_HOST: 'lost' },
      'http://localhost:4318'
    ],
    [{ DD_AGENT_HOST: '10.0.0.5' }, 'http://10.0.0.5:4318'],
    [{ DD_AGENT_HOST: 'fe80::1' }, 'http://[fe80::1]:4318']
  ])('is near a Datadog agent: %o', (environment, base) => {
    expect(urls(environment)[0]).toBe(`${base}/v1/traces`)
    const { said } = read(environment)
    expect(said.map(([code, , , used]) => [code, used])).toEqual([['CONFIG_AGENT', base]])
    const otel = { ...environment, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otel:4318' }
    expect(urls(otel)[0]).toBe('http://otel:4318/v1/traces')
    expect(read(otel).said).toEqual([])
  })

  it('has headers, time-out, compression and certificates for each', () => {
    const { endpoints } = read({
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20x',
      OTEL_EXPORTER_OTLP_LOGS_HEADERS: 'a=1',
      OTEL_EXPORTER_OTLP_TIMEOUT: '3000',
      OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: '4000',
      OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: 'none',
      OTEL_EXPORTER_OTLP_CERTIFICATE: '/ca.pem',
      OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY: '/key.pem',
      OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE: '/cert.pem'
    }).config
    const tls = { ca: '/ca.pem' }
    const headers = { authorization: 'Bearer x' }
    expect(endpoints).toEqual({
      traces: {
        url: 'http://localhost:4318/v1/traces',
        headers,
        timeoutMs: 3_000,
        compression: 'none',
        tls: { ...tls, key: '/key.pem', cert: '/cert.pem' }
      },
      metrics: {
        url: 'http://localhost:4318/v1/metrics',
        headers,
        timeoutMs: 4_000,
        compression: 'zstd',
        tls
      },
      logs: {
        url: 'http://localhost:4318/v1/logs',
        headers: { a: '1' },
        timeoutMs: 3_000,
        compression: 'zstd',
        tls
      }
    })
  })

  it('is one warning when a value that all share is bad', () => {
    expect(read({ OTEL_EXPORTER_OTLP_TIMEOUT: 'long' }).said).toHaveLength(1)
  })
})

describe('the page of settings', () => {
  it('is what the catalogue says; `vitest -u` writes it', async () => {
    await expect(configurationPage()).toMatchFileSnapshot('../../docs/configuration.md')
  })

  it('and `--help` have every name', () => {
    for (const setting of Object.values(CATALOGUE)) {
      for (const name of setting.env) {
        expect(configurationPage()).toContain(`\`${name}\``)
        expect(helpText()).toContain(name)
      }
    }
  })

  it('is where the README’s names are from', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
    const known = new Set<string>(Object.values(CATALOGUE).flatMap(variablesOf))
    const named = readme.match(/\b(OTEL|DD|SPANLOOM)_[A-Z_]+[A-Z]\b/g) ?? []
    expect(named.length).toBeGreaterThan(10)
    expect(named.filter((name) => !known.has(name))).toEqual([])
    expect(readme).toContain('docs/configuration.md')
  })
})

describe('the version', () => {
  it('is package.json’s', () => {
    const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
    expect(SDK_VERSION).toBe((JSON.parse(manifest) as { version: string }).version)
  })
})
