/** Which spans there are, what is in them, and how a trace goes from process to process. */
import { SAMPLER_NAMES } from '../../sample/head-sampler.ts'
import type { Group } from '../setting.ts'

/** OpenTelemetry's words for the headers, in Datadog's spelling too. */
const STYLES = [
  'tracecontext',
  'baggage',
  'datadog',
  'b3',
  'b3multi',
  'b3 single header',
  'jaeger',
  'xray',
  'none'
] as const

export const SAMPLE = {
  sampler: {
    env: ['OTEL_TRACES_SAMPLER'],
    kind: 'choice',
    choices: SAMPLER_NAMES,
    default: 'parentbased_always_on',
    says: '`always_on`, `always_off`, `traceidratio`, `rate_limited`, `jaeger_remote`, each also with `parentbased_` before it: then a caller’s decision is followed, as by `xray`.'
  },
  samplerArg: {
    env: ['OTEL_TRACES_SAMPLER_ARG'],
    kind: 'text',
    default: undefined,
    says: 'The share of traces, 0 to 1, for `traceidratio` (default 1); traces a second for `rate_limited` (default 100); `endpoint=http://localhost:5778,pollingIntervalMs=60000,initialSamplingRate=0.001` for `jaeger_remote`; `endpoint=http://localhost:2000,polling_interval=300` for `xray`.'
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
  spanStats: {
    env: ['SPANLOOM_SPAN_STATS'],
    kind: 'choice',
    choices: ['auto', 'always', 'never'],
    default: 'auto',
    says: 'Whether calls, errors and durations are counted in the process and sent as metrics: `always`, `never`, or `auto`: from the first span on that is left out, so that numbers stay exact. Needs `OTEL_METRICS_EXPORTER=otlp`.'
  }
} as const satisfies Group

export const PROPAGATE = {
  propagators: {
    env: ['OTEL_PROPAGATORS'],
    kind: 'choices',
    choices: ['tracecontext', 'baggage', 'b3', 'b3multi', 'jaeger', 'xray', 'datadog', 'none'],
    unsupported: ['ottrace'],
    default: undefined,
    unset: 'tracecontext,baggage',
    says: 'Headers that are read and written: `tracecontext`, `baggage`, `b3` (one header), `b3multi`, `jaeger` (with its baggage), `xray`, `datadog`, or `none`. The first that holds a valid context wins; all are written.'
  },
  extractStyles: {
    env: ['DD_TRACE_PROPAGATION_STYLE_EXTRACT', 'DD_TRACE_PROPAGATION_STYLE'],
    kind: 'choices',
    choices: STYLES,
    default: undefined,
    unset: 'tracecontext,baggage',
    says: 'Headers that are read, unless `OTEL_PROPAGATORS` is set. Here, as Datadog has it, `b3` is `b3multi`, and `b3 single header` is the one header.'
  },
  injectStyles: {
    env: ['DD_TRACE_PROPAGATION_STYLE_INJECT', 'DD_TRACE_PROPAGATION_STYLE'],
    kind: 'choices',
    choices: STYLES,
    default: undefined,
    unset: 'tracecontext,baggage',
    says: 'Headers that are written, unless `OTEL_PROPAGATORS` is set.'
  },
  extractBehavior: {
    env: ['DD_TRACE_PROPAGATION_BEHAVIOR_EXTRACT'],
    kind: 'choice',
    choices: ['continue', 'restart', 'ignore'],
    default: 'continue',
    says: '`continue`: the caller’s trace goes on. `restart`: a new trace begins, linked to the caller’s; baggage is kept. `ignore`: a new trace, without link or baggage.'
  }
} as const satisfies Group

export const LIMITS = {
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
    says: 'Longer attribute values are cut.'
  },
  eventsMax: {
    env: ['OTEL_SPAN_EVENT_COUNT_LIMIT'],
    kind: 'count',
    default: 128,
    says: 'Events of a span. More are dropped and counted on the span.'
  },
  linksMax: {
    env: ['OTEL_SPAN_LINK_COUNT_LIMIT'],
    kind: 'count',
    default: 128,
    says: 'Links of a span. More are dropped and counted on the span.'
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
  }
} as const satisfies Group

export const INSTRUMENT = {
  enabledInstrumentations: {
    env: ['OTEL_NODE_ENABLED_INSTRUMENTATIONS'],
    kind: 'list',
    default: undefined,
    says: 'Only these libraries are instrumented: `http,express,pg`. Default: all that are known.'
  },
  disabledInstrumentations: {
    env: ['OTEL_NODE_DISABLED_INSTRUMENTATIONS'],
    kind: 'list',
    default: [],
    says: 'These libraries are not instrumented, even when enabled.'
  },
  integrations: {
    env: ['DD_TRACE_<INTEGRATION>_ENABLED'],
    kind: 'switches',
    default: {},
    says: '`DD_TRACE_PG_ENABLED=false` is `OTEL_NODE_DISABLED_INSTRUMENTATIONS=pg`.'
  },
  serverRequestHeaders: {
    env: [
      'OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST',
      'OTEL_INSTRUMENTATION_HTTP_SERVER_CAPTURE_REQUEST_HEADERS'
    ],
    kind: 'list',
    default: [],
    says: 'Request headers that server spans keep, as `http.request.header.<name>`.'
  },
  serverResponseHeaders: {
    env: [
      'OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE',
      'OTEL_INSTRUMENTATION_HTTP_SERVER_CAPTURE_RESPONSE_HEADERS'
    ],
    kind: 'list',
    default: [],
    says: 'Response headers that server spans keep, as `http.response.header.<name>`.'
  },
  clientRequestHeaders: {
    env: [
      'OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_REQUEST',
      'OTEL_INSTRUMENTATION_HTTP_CLIENT_CAPTURE_REQUEST_HEADERS'
    ],
    kind: 'list',
    default: [],
    says: 'Request headers that client spans keep.'
  },
  clientResponseHeaders: {
    env: [
      'OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_RESPONSE',
      'OTEL_INSTRUMENTATION_HTTP_CLIENT_CAPTURE_RESPONSE_HEADERS'
    ],
    kind: 'list',
    default: [],
    says: 'Response headers that client spans keep.'
  },
  headerTags: {
    env: ['DD_TRACE_HEADER_TAGS'],
    kind: 'list',
    default: [],
    says: 'Headers that server spans keep, of request and response: `user-agent:tag,x-id`. The attributes have OpenTelemetry’s names; a tag’s name is not used.'
  },
  logsInjection: {
    env: ['DD_LOGS_INJECTION'],
    kind: 'boolean',
    default: true,
    says: '`false`: log lines of pino, winston and bunyan do not get the ids of trace and span.'
  },
  middlewareSpans: {
    env: ['SPANLOOM_MIDDLEWARE_SPANS', 'DD_TRACE_MIDDLEWARE_TRACING_ENABLED'],
    kind: 'boolean',
    default: true,
    says: '`false`: middleware has no span even when it was slow or failed.'
  },
  collapse: {
    env: ['SPANLOOM_COLLAPSE'],
    kind: 'boolean',
    default: true,
    says: '`false`: database calls that are alike, one after the other, each leave as a span of their own.'
  },
  runtimeMetrics: {
    env: ['DD_RUNTIME_METRICS_ENABLED'],
    kind: 'boolean',
    default: true,
    says: 'Metrics of the event loop, garbage collection and memory.'
  },
  maxOverheadPercent: {
    env: ['SPANLOOM_MAX_OVERHEAD'],
    kind: 'number',
    default: 5,
    min: 0,
    max: 100,
    says: 'Percent of a CPU that the tracer may take before it records less. 0: no bound.'
  }
} as const satisfies Group
