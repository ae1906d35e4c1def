/** What the settings come to: the parts of the tracer read this, and nothing else reads the environment. */
import type { Attributes } from '@opentelemetry/api'
import type { Notify } from '../notices.ts'
import type { SamplerName, SamplingSettings } from '../sample/head-sampler.ts'
import type { SpanLimits } from '../trace/limits.ts'
import { type Environment, type Pairs, readSettings, type Settings } from './parse.ts'

export interface TracerConfig {
  readonly disabled: boolean
  readonly resource: Attributes
  readonly url: string
  readonly headers: Pairs
  readonly timeoutMs: number
  readonly sampler: SamplerName
  readonly sampling: SamplingSettings
  readonly traceContext: boolean
  readonly baggage: boolean
  readonly limits: SpanLimits
  readonly queueBytesMax: number
  readonly exitWaitMs: number
}

export function readConfig(notify: Notify, environment: Environment = process.env): TracerConfig {
  const settings = readSettings(environment, notify)
  const none = settings.propagators.includes('none')
  return {
    disabled: settings.disabled,
    resource: resourceOf(settings),
    url: settings.tracesEndpoint ?? `${settings.endpoint.replace(/\/+$/, '')}/v1/traces`,
    headers: settings.headers ?? {},
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
    queueBytesMax: settings.queueBytesMax,
    exitWaitMs: settings.exitWaitMs
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
