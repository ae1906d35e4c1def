/** Where spans, metrics and logs go, how, and how much may wait. */
import type { Group } from '../setting.ts'

const MEGABYTE = 1024 * 1024

export const EXPORT = {
  tracesExporter: {
    env: ['OTEL_TRACES_EXPORTER'],
    kind: 'choices',
    choices: ['otlp', 'console', 'none'],
    unsupported: ['zipkin', 'jaeger', 'otlp/stdout'],
    default: ['otlp'],
    says: '`otlp`, `console` (each span is a line of JSON on stdout), both, or `none`.'
  },
  metricsExporter: {
    env: ['OTEL_METRICS_EXPORTER'],
    kind: 'choices',
    choices: ['otlp', 'none'],
    unsupported: ['console', 'prometheus', 'otlp/stdout'],
    default: ['otlp'],
    says: '`otlp` or `none`.'
  },
  logsExporter: {
    env: ['OTEL_LOGS_EXPORTER'],
    kind: 'choices',
    choices: ['otlp', 'none'],
    unsupported: ['console', 'otlp/stdout'],
    default: ['otlp'],
    says: '`otlp` or `none`. The tracer’s own records are reports of spans that are open for long.'
  },
  endpoint: {
    env: ['OTEL_EXPORTER_OTLP_ENDPOINT'],
    kind: 'url',
    default: undefined,
    unset: 'http://localhost:4318',
    says: 'The collector, as `http://host:4318` or `unix:///path/to.sock`. `/v1/traces` and its kin are appended.'
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
  agentUrl: {
    env: ['DD_TRACE_AGENT_URL'],
    kind: 'url',
    default: undefined,
    says: 'Where the collector is, unless `OTEL_EXPORTER_OTLP_ENDPOINT` is set: a path is cut off, and port 8126, where a Datadog agent has its own protocol, becomes 4318 of the same host, where it takes OTLP. A notice says what is used. Datadog’s own socket (`apm.socket`) is not used.'
  },
  agentHost: {
    env: ['DD_AGENT_HOST'],
    kind: 'text',
    default: undefined,
    says: 'The collector is on port 4318 of this host, unless one of the addresses above is set.'
  },
  protocol: {
    env: ['OTEL_EXPORTER_OTLP_PROTOCOL'],
    kind: 'choice',
    choices: ['http/protobuf'],
    unsupported: ['grpc', 'http/json'],
    default: 'http/protobuf',
    perSignal: true,
    says: '`http/protobuf` is the one that is spoken.'
  },
  headers: {
    env: ['OTEL_EXPORTER_OTLP_HEADERS'],
    kind: 'pairs',
    default: {},
    perSignal: true,
    secret: true,
    says: 'Sent with every request: `name=value,name=value`, percent-encoded where needed.'
  },
  timeoutMs: {
    env: ['OTEL_EXPORTER_OTLP_TIMEOUT'],
    kind: 'count',
    default: 10_000,
    min: 1,
    perSignal: true,
    says: 'Milliseconds without an answer after which a request is tried again.'
  },
  compression: {
    env: ['OTEL_EXPORTER_OTLP_COMPRESSION'],
    kind: 'choice',
    choices: ['gzip', 'zstd', 'none'],
    default: 'zstd',
    perSignal: true,
    says: '`zstd` (gzip where the other side refuses it), `gzip`, which takes three times its CPU, or `none`. It happens in the sending thread.'
  },
  caFile: {
    env: ['OTEL_EXPORTER_OTLP_CERTIFICATE'],
    kind: 'text',
    default: undefined,
    perSignal: true,
    says: 'PEM file with the certificates that the collector’s is checked against, instead of Node’s own.'
  },
  clientKeyFile: {
    env: ['OTEL_EXPORTER_OTLP_CLIENT_KEY'],
    kind: 'text',
    default: undefined,
    perSignal: true,
    says: 'PEM file with the key that goes with the client certificate.'
  },
  clientCertificateFile: {
    env: ['OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE'],
    kind: 'text',
    default: undefined,
    perSignal: true,
    says: 'PEM file with the certificate that the collector asks for.'
  },
  insecure: {
    env: ['OTEL_EXPORTER_OTLP_INSECURE'],
    kind: 'unused',
    default: undefined,
    perSignal: true,
    says: 'It is gRPC’s; here the address says http or https.'
  },
  flushAfterMs: {
    env: ['OTEL_BSP_SCHEDULE_DELAY', 'DD_TRACE_FLUSH_INTERVAL'],
    kind: 'count',
    default: 500,
    max: 60_000,
    says: 'Milliseconds after which ended spans leave. They leave sooner when there are 256 KB of them.'
  },
  metricIntervalMs: {
    env: ['OTEL_METRIC_EXPORT_INTERVAL'],
    kind: 'count',
    default: 60_000,
    min: 1,
    says: 'Milliseconds between two exports of metrics.'
  },
  metricTimeoutMs: {
    env: ['OTEL_METRIC_EXPORT_TIMEOUT'],
    kind: 'count',
    default: 30_000,
    says: 'Milliseconds that one export of metrics may take.'
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
} as const satisfies Group
