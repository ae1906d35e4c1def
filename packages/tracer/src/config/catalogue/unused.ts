/**
 * Names that are understood and have no effect, each with its reason: who sets one is told, once, and
 * finds the reason here. Names of the logs' pipeline stand beside those of the spans'.
 */
import type { Group } from '../setting.ts'

export const UNUSED = {
  queueSpans: {
    env: ['OTEL_BSP_MAX_QUEUE_SIZE', 'OTEL_BLRP_MAX_QUEUE_SIZE'],
    kind: 'unused',
    default: undefined,
    says: 'What waits is bounded in bytes: `SPANLOOM_QUEUE_BYTES`.'
  },
  batchSpans: {
    env: ['OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 'OTEL_BLRP_MAX_EXPORT_BATCH_SIZE'],
    kind: 'unused',
    default: undefined,
    says: 'A batch ends after 256 KB or `OTEL_BSP_SCHEDULE_DELAY`, however many spans that is.'
  },
  exportTimeout: {
    env: ['OTEL_BSP_EXPORT_TIMEOUT', 'OTEL_BLRP_EXPORT_TIMEOUT'],
    kind: 'unused',
    default: undefined,
    says: 'No batch is given up because of its age: `OTEL_EXPORTER_OTLP_TIMEOUT` bounds a request, `SPANLOOM_QUEUE_BYTES` what waits.'
  },
  logDelay: {
    env: ['OTEL_BLRP_SCHEDULE_DELAY'],
    kind: 'unused',
    default: undefined,
    says: 'The tracer’s log records leave as they are made.'
  },
  logRecordLimits: {
    env: ['OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT', 'OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT'],
    kind: 'unused',
    default: undefined,
    says: 'Log records have no limits of their own.'
  },
  partialFlushSpans: {
    env: ['DD_TRACE_PARTIAL_FLUSH_MIN_SPANS', 'DD_TRACE_PARTIAL_FLUSH_ENABLED'],
    kind: 'unused',
    default: undefined,
    says: 'Spans leave as they end; no trace is held until it is whole.'
  },
  serviceMapping: {
    env: ['DD_SERVICE_MAPPING'],
    kind: 'unused',
    default: undefined,
    says: 'No span has a service of its own: a database is known by its address and name.'
  },
  agentPort: {
    env: ['DD_TRACE_AGENT_PORT'],
    kind: 'unused',
    default: undefined,
    says: 'It is the port of Datadog’s own protocol; OTLP goes to 4318.'
  },
  configFile: {
    env: ['OTEL_CONFIG_FILE', 'OTEL_EXPERIMENTAL_CONFIG_FILE'],
    kind: 'unused',
    default: undefined,
    says: 'Configuration is from the environment alone.'
  },
  semconvOptIn: {
    env: ['OTEL_SEMCONV_STABILITY_OPT_IN'],
    kind: 'unused',
    default: undefined,
    says: 'Attributes have the stable names only.'
  },
  metricChoices: {
    env: [
      'OTEL_METRICS_EXEMPLAR_FILTER',
      'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE',
      'OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION'
    ],
    kind: 'unused',
    default: undefined,
    says: 'The tracer’s own metrics have one form.'
  },
  prometheus: {
    env: ['OTEL_EXPORTER_PROMETHEUS_HOST', 'OTEL_EXPORTER_PROMETHEUS_PORT'],
    kind: 'unused',
    default: undefined,
    says: 'Metrics are sent, not scraped.'
  }
} as const satisfies Group
