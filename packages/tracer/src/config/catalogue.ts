/**
 * Every setting of the tracer, declared once: its names in the environment in order of precedence, its
 * kind, its default, and a sentence. The parser reads this table, and the README's table is tested
 * against it. OpenTelemetry's names come first; `DD_*` are aliases for who moves over.
 */
import { SAMPLER_NAMES, UNSUPPORTED_SAMPLER_NAMES } from '../sample/head-sampler.ts'

export interface Setting<Kind extends string, Value> {
  /** In order of precedence: the first that is set wins. */
  readonly env: readonly [string, ...string[]]
  readonly kind: Kind
  readonly default: Value
  readonly says: string
  readonly choices?: readonly string[]
  /** Values that the standard has and this tracer does not: a notice of their own, and the default. */
  readonly unsupported?: readonly string[]
  readonly min?: number
  readonly max?: number
}

const MEGABYTE = 1024 * 1024

export const CATALOGUE = {
  disabled: {
    env: ['OTEL_SDK_DISABLED'],
    kind: 'boolean',
    default: false,
    says: '`true`: nothing is instrumented and nothing is sent.'
  },
  serviceName: {
    env: ['OTEL_SERVICE_NAME', 'DD_SERVICE'],
    kind: 'text',
    default: undefined,
    says: 'Beats `service.name` in the resource attributes. Default: the name in the nearest package.json, else `unknown_service:node`.'
  },
  environment: {
    env: ['DD_ENV'],
    kind: 'text',
    default: undefined,
    says: 'Becomes `deployment.environment.name`, unless the resource attributes have it.'
  },
  version: {
    env: ['DD_VERSION'],
    kind: 'text',
    default: undefined,
    says: 'Becomes `service.version`, unless the resource attributes have it.'
  },
  resourceAttributes: {
    env: ['OTEL_RESOURCE_ATTRIBUTES'],
    kind: 'pairs',
    default: undefined,
    says: '`key=value,key=value`, percent-encoded where needed. One bad pair and none is used.'
  },
  endpoint: {
    env: ['OTEL_EXPORTER_OTLP_ENDPOINT'],
    kind: 'url',
    default: 'http://localhost:4318',
    says: 'The collector. `/v1/traces` is appended.'
  },
  tracesEndpoint: {
    env: ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'],
    kind: 'url',
    default: undefined,
    says: 'The whole address for traces, used as it is.'
  },
  metricsEndpoint: {
    env: ['OTEL_EXPORTER_OTLP_METRICS_ENDPOINT'],
    kind: 'url',
    default: undefined,
    says: 'The whole address for metrics, used as it is.'
  },
  logsEndpoint: {
    env: ['OTEL_EXPORTER_OTLP_LOGS_ENDPOINT'],
    kind: 'url',
    default: undefined,
    says: 'The whole address for logs, used as it is.'
  },
  headers: {
    env: ['OTEL_EXPORTER_OTLP_TRACES_HEADERS', 'OTEL_EXPORTER_OTLP_HEADERS'],
    kind: 'pairs',
    default: undefined,
    says: 'Sent with every request: `name=value,name=value`, percent-encoded where needed.'
  },
  metricsHeaders: {
    env: ['OTEL_EXPORTER_OTLP_METRICS_HEADERS', 'OTEL_EXPORTER_OTLP_HEADERS'],
    kind: 'pairs',
    default: undefined,
    says: 'Sent with every request of metrics: `name=value,name=value`, percent-encoded where needed.'
  },
  logsHeaders: {
    env: ['OTEL_EXPORTER_OTLP_LOGS_HEADERS', 'OTEL_EXPORTER_OTLP_HEADERS'],
    kind: 'pairs',
    default: undefined,
    says: 'Sent with every request of logs: `name=value,name=value`, percent-encoded where needed.'
  },
  timeoutMs: {
    env: ['OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', 'OTEL_EXPORTER_OTLP_TIMEOUT'],
    kind: 'count',
    default: 10_000,
    says: 'Milliseconds without an answer after which a request is tried again.'
  },
  sampler: {
    env: ['OTEL_TRACES_SAMPLER'],
    kind: 'choice',
    choices: SAMPLER_NAMES,
    unsupported: UNSUPPORTED_SAMPLER_NAMES,
    default: 'parentbased_always_on',
    says: '`always_on`, `always_off`, `traceidratio`, `rate_limited`, each also with `parentbased_` before it: then a caller’s decision is followed.'
  },
  samplerArg: {
    env: ['OTEL_TRACES_SAMPLER_ARG'],
    kind: 'text',
    default: undefined,
    says: 'The share of traces, 0 to 1, for `traceidratio` (default 1); traces a second for `rate_limited` (default 100).'
  },
  sampleRate: {
    env: ['DD_TRACE_SAMPLE_RATE'],
    kind: 'number',
    default: undefined,
    min: 0,
    max: 1,
    says: 'The share of traces that are kept, 0 to 1, unless `OTEL_TRACES_SAMPLER` is set.'
  },
  samplingRules: {
    env: ['SPANLOOM_SAMPLING_RULES', 'DD_TRACE_SAMPLING_RULES'],
    kind: 'text',
    default: undefined,
    says: 'JSON: `[{"service":"shop","resource":"/orders/:id","sample_rate":0.1}]`. The first rule that fits a trace’s first span decides.'
  },
  tracesPerSecondMax: {
    env: ['SPANLOOM_TRACES_PER_SECOND', 'DD_TRACE_RATE_LIMIT'],
    kind: 'number',
    default: undefined,
    min: 0,
    says: 'Traces a second that are kept at most, whatever decided about them. Default: no limit.'
  },
  samplingFromCollector: {
    env: ['SPANLOOM_SAMPLING_FROM_COLLECTOR'],
    kind: 'boolean',
    default: true,
    says: '`false`: the rates with which a Spanloom collector answers are not followed.'
  },
  propagators: {
    env: ['OTEL_PROPAGATORS'],
    kind: 'choices',
    choices: ['tracecontext', 'baggage', 'none'],
    default: ['tracecontext', 'baggage'],
    says: 'Headers that are read and written: `tracecontext`, `baggage`, or `none`.'
  },
  attributesMax: {
    env: ['OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', 'OTEL_ATTRIBUTE_COUNT_LIMIT'],
    kind: 'count',
    default: 128,
    says: 'Attributes of a span. More are dropped and counted on the span.'
  },
  valueCharsMax: {
    env: ['OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', 'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT'],
    kind: 'count',
    default: Number.POSITIVE_INFINITY,
    says: 'Longer attribute values are cut. Default: no limit.'
  },
  eventsMax: {
    env: ['OTEL_SPAN_EVENT_COUNT_LIMIT'],
    kind: 'count',
    default: 128,
    says: 'Events of a span.'
  },
  linksMax: {
    env: ['OTEL_SPAN_LINK_COUNT_LIMIT'],
    kind: 'count',
    default: 128,
    says: 'Links of a span.'
  },
  eventAttributesMax: {
    env: ['OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT'],
    kind: 'count',
    default: 128,
    says: 'Attributes of an event.'
  },
  linkAttributesMax: {
    env: ['OTEL_LINK_ATTRIBUTE_COUNT_LIMIT'],
    kind: 'count',
    default: 128,
    says: 'Attributes of a link.'
  },
  spanStats: {
    env: ['SPANLOOM_SPAN_STATS'],
    kind: 'choice',
    choices: ['auto', 'always', 'never'],
    default: 'auto',
    says: 'Whether calls, errors and durations are counted in the process: `auto` once a span may be left out, so that metrics stay exact.'
  },
  queueBytesMax: {
    env: ['SPANLOOM_QUEUE_BYTES'],
    kind: 'count',
    default: 32 * MEGABYTE,
    says: 'Compressed bytes that wait while the collector is away. Beyond it the oldest are dropped and counted.'
  },
  exitWaitMs: {
    env: ['SPANLOOM_EXIT_WAIT'],
    kind: 'count',
    default: 1_500,
    says: 'Milliseconds the process may be held at its end until the last spans are delivered.'
  }
} as const satisfies Record<string, Setting<string, unknown>>

export type SettingName = keyof typeof CATALOGUE
