/** Whether the tracer runs, who it says it is, and what it says. */
import type { Group } from '../setting.ts'

export const GENERAL = {
  disabled: {
    env: ['OTEL_SDK_DISABLED'],
    kind: 'boolean',
    default: false,
    says: '`true`: nothing is instrumented and nothing is sent. The headers of a trace are still understood.'
  },
  traceEnabled: {
    env: ['DD_TRACE_ENABLED'],
    kind: 'boolean',
    default: true,
    says: '`false` is `OTEL_SDK_DISABLED=true`.'
  },
  logLevel: {
    env: ['OTEL_LOG_LEVEL'],
    kind: 'choice',
    choices: ['none', 'error', 'warn', 'info', 'debug', 'verbose', 'all'],
    default: 'info',
    says: 'What the tracer says on stderr: `none`, `error` (spans are lost), `warn` (a setting is not understood, the collector is away), `info` (the rest); `debug`, `verbose` and `all` are `info`.'
  },
  debug: {
    env: ['DD_TRACE_DEBUG'],
    kind: 'boolean',
    default: false,
    says: '`true` is `OTEL_LOG_LEVEL=debug`, unless that is set.'
  },
  startupLog: {
    env: ['SPANLOOM_STARTUP_LOG', 'DD_TRACE_STARTUP_LOGS'],
    kind: 'boolean',
    default: false,
    says: '`true`: one line on stderr at the start says which settings are in effect. `npx spanloom-tracer config` prints the same at any time.'
  }
} as const satisfies Group

export const RESOURCE = {
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
    says: 'Becomes `service.version`, unless the resource attributes have it. Default: the version in the nearest package.json.'
  },
  resourceAttributes: {
    env: ['OTEL_RESOURCE_ATTRIBUTES'],
    kind: 'pairs',
    default: undefined,
    says: '`key=value,key=value`, percent-encoded where needed. One bad pair and none is used.'
  },
  tags: {
    env: ['DD_TAGS'],
    kind: 'tags',
    default: undefined,
    says: 'Resource attributes as `key:value,key:value`; `service`, `env` and `version` get OpenTelemetry’s names. `OTEL_RESOURCE_ATTRIBUTES`, `DD_ENV` and `DD_VERSION` beat it.'
  },
  resourceDetectors: {
    env: ['OTEL_NODE_RESOURCE_DETECTORS'],
    kind: 'choices',
    choices: [
      'all',
      'none',
      'env',
      'service',
      'serviceinstance',
      'process',
      'host',
      'os',
      'container',
      'k8s',
      'aws',
      'gcp',
      'azure',
      'heroku',
      'git'
    ],
    unsupported: ['alibaba'],
    default: ['all'],
    says: 'What is found out about the process and where it runs, from environment variables and files alone: `service` (name and version in the nearest package.json), `serviceinstance`, `process`, `host`, `os`, `container`, `k8s`, `aws`, `gcp`, `azure`, `heroku`, `git`; `all` or `none`. What is configured is used in any case, which is what `env` asks for.'
  },
  entities: {
    env: ['OTEL_ENTITIES'],
    kind: 'unused',
    default: undefined,
    says: 'Entities are not sent yet; `OTEL_RESOURCE_ATTRIBUTES` says the same things.'
  }
} as const satisfies Group
