/** What the settings come to: the parts of the tracer read this, and nothing else reads the environment. */
import type { Attributes } from '@opentelemetry/api'
import type { Notify } from '../notices.ts'
import type { SamplerName, SamplingSettings } from '../sample/head-sampler.ts'
import type { SendTarget, Signal } from '../send/sender.ts'
import type { SpanLimits } from '../trace/limits.ts'
import { CATALOGUE } from './catalogue.ts'
import { type Environment, readSettings, type Settings } from './parse.ts'

export interface TracerConfig {
  readonly disabled: boolean
  readonly resource: Attributes
  readonly targets: Readonly<Record<Signal, SendTarget>>
  readonly timeoutMs: number
  readonly sampler: SamplerName
  readonly sampling: SamplingSettings
  readonly traceContext: boolean
  readonly baggage: boolean
  readonly limits: SpanLimits
  readonly spanStats: Settings['spanStats']
  readonly queueBytesMax: number
  readonly exitWaitMs: number
}

export function readConfig(notify: Notify, environment: Environment = process.env): TracerConfig {
  const settings = readSettings(environment, notify)
  const none = settings.propagators.includes('none')
  return {
    disabled: settings.disabled,
    resource: resourceOf(settings),
    targets: targetsOf(settings),
    timeoutMs: settings.timeoutMs,
    sampler: settings.sampler,
    sampling: {
      samplerArg: settings.samplerArg,
      samplerIsSet: (environment.OTEL_TRACES_SAMPLER?.trim() ?? '') !== '',
      sampleRate: settings.sampleRate,
      samplingRules: settings.samplingRules,
      tracesPerSecondMax: settings.tracesPerSecondMax,
      samplingFromCollector: settings.samplingFromCollector
    },
    traceContext: !none && settings.propagators.includes('tracecontext'),
    baggage: !none && settings.propagators.includes('baggage'),
    limits: {
      attributesMax: settings.attributesMax,
      eventsMax: settings.eventsMax,
      linksMax: settings.linksMax,
      eventAttributesMax: settings.eventAttributesMax,
      linkAttributesMax: settings.linkAttributesMax,
      valueCharsMax: settings.valueCharsMax
    },
    spanStats: settings.spanStats,
    queueBytesMax: settings.queueBytesMax,
    exitWaitMs: settings.exitWaitMs
  }
}

const TRACES_PATH = '/v1/traces'

/**
 * Who gives a whole address for traces alone means the collector that is there: the other signals go
 * beside it, when it ends as it usually does, and not to a localhost on which nobody listens.
 */
function targetsOf(settings: Settings): TracerConfig['targets'] {
  const { tracesEndpoint, endpoint } = settings
  const sibling = tracesEndpoint?.endsWith(TRACES_PATH) && endpoint === CATALOGUE.endpoint.default
  const base = sibling
    ? tracesEndpoint!.slice(0, -TRACES_PATH.length)
    : endpoint.replace(/\/+$/, '')
  return {
    traces: { url: tracesEndpoint ?? `${base}${TRACES_PATH}`, headers: settings.headers ?? {} },
    metrics: {
      url: settings.metricsEndpoint ?? `${base}/v1/metrics`,
      headers: settings.metricsHeaders ?? {}
    },
    logs: { url: settings.logsEndpoint ?? `${base}/v1/logs`, headers: settings.logsHeaders ?? {} }
  }
}

function resourceOf(settings: Settings): Attributes {
  const attributes: Attributes = {}
  if (settings.environment) attributes['deployment.environment.name'] = settings.environment
  if (settings.version) attributes['service.version'] = settings.version
  Object.assign(attributes, settings.resourceAttributes)
  if (settings.serviceName) attributes['service.name'] = settings.serviceName
  return attributes
}
