/** What the settings come to: the parts of the tracer read this, and nothing else reads the environment. */
import type { Attributes } from '@opentelemetry/api'
import { DEPLOYMENT_ENVIRONMENT_NAME, SERVICE_NAME, SERVICE_VERSION } from '@spanloom/otlp'
import { type NoticeLevel, type Notify, notifyAt } from '../notices.ts'
import type { SamplerName } from '../sample/head-sampler.ts'
import type { SamplingSettings } from '../sample/sampling-settings.ts'
import type { SpanLimits } from '../trace/limits.ts'
import type { Settings } from './catalogue.ts'
import { type Endpoints, endpointsOf } from './endpoints.ts'
import type { Environment } from './environment.ts'
import { processEnvironment } from './environment.ts'
import { closestName } from './nearest.ts'
import { readSettings, type Sources } from './parse.ts'
import { type PropagatorConfig, propagationOf } from './propagation.ts'
import type { Pairs } from './setting.ts'

export interface TracerConfig {
  readonly disabled: boolean
  /** What is configured; what is found out beside it depends on `resourceDetectors`. */
  readonly resource: Attributes
  readonly resourceDetectors: Settings['resourceDetectors']
  readonly endpoints: Endpoints
  readonly exporters: {
    readonly traces: readonly ('otlp' | 'console')[]
    readonly metrics: readonly 'otlp'[]
    readonly logs: readonly 'otlp'[]
  }
  readonly flushAfterMs: number
  readonly metricIntervalMs: number
  readonly metricTimeoutMs: number
  readonly queueBytesMax: number
  readonly exitWaitMs: number
  readonly sampler: SamplerName
  readonly sampling: SamplingSettings
  readonly spanStats: Settings['spanStats']
  readonly propagation: PropagatorConfig
  readonly limits: SpanLimits
  readonly instrumentations: InstrumentationChoice
  readonly captureHeaders: CaptureHeaders
  readonly runtimeMetrics: boolean
  /** Of a CPU. 0: no bound. */
  readonly collapse: boolean
  readonly middlewareSpans: boolean
  readonly maxOverheadPercent: number
  readonly logLevel: NoticeLevel
  /** Whether the start says what is in effect. */
  readonly startupLog: boolean
}

/** Lower-case names of libraries. */
export interface InstrumentationChoice {
  /** Undefined: all. */
  readonly enabled: readonly string[] | undefined
  /** Wins over `enabled`. */
  readonly disabled: readonly string[]
}

/** Lower-case names of headers that spans keep. */
export interface CaptureHeaders {
  readonly serverRequest: readonly string[]
  readonly serverResponse: readonly string[]
  readonly clientRequest: readonly string[]
  readonly clientResponse: readonly string[]
}

export function readConfig(
  notify: Notify,
  environment: Environment = processEnvironment(),
  sources: Sources = new Map()
): TracerConfig {
  // The level decides what is said about the settings, itself included.
  const said: ((tell: Notify) => void)[] = []
  const later: Notify = (code, ...facts) => void said.push((tell) => tell(code, ...facts))
  const settings = readSettings(environment, later, sources)
  const logLevel = levelOf(settings, sources)
  const tell = notifyAt(logLevel, notify)
  for (const say of said) say(tell)
  const endpoints = endpointsOf(settings, tell)
  return {
    disabled: settings.disabled || !settings.traceEnabled,
    resource: resourceOf(settings),
    resourceDetectors: settings.resourceDetectors,
    endpoints,
    exporters: {
      traces: exportersOf(settings.tracesExporter),
      metrics: exportersOf(settings.metricsExporter),
      logs: exportersOf(settings.logsExporter)
    },
    flushAfterMs: settings.flushAfterMs,
    metricIntervalMs: settings.metricIntervalMs,
    metricTimeoutMs: settings.metricTimeoutMs,
    queueBytesMax: settings.queueBytesMax,
    exitWaitMs: settings.exitWaitMs,
    sampler: settings.sampler,
    sampling: {
      samplerArg: settings.samplerArg,
      samplerIsSet: (environment.OTEL_TRACES_SAMPLER?.trim() ?? '') !== '',
      sampleRate: settings.sampleRate,
      samplingRules: settings.samplingRules,
      tracesPerSecondMax: settings.tracesPerSecondMax,
      samplingFromCollector: settings.samplingFromCollector
    },
    spanStats: settings.spanStats,
    propagation: propagationOf(settings),
    limits: limitsOf(settings),
    instrumentations: instrumentationsOf(settings),
    captureHeaders: captureHeadersOf(settings),
    runtimeMetrics: settings.runtimeMetrics,
    collapse: settings.collapse,
    middlewareSpans: settings.middlewareSpans,
    maxOverheadPercent: settings.maxOverheadPercent,
    logLevel,
    startupLog: settings.startupLog
  }
}

/**
 * Whether a library is to be instrumented. A name covers those that it begins, as OpenTelemetry's and
 * Datadog's `http` is `http-server` and `http-client` here.
 */
export function isInstrumented(
  { enabled, disabled }: InstrumentationChoice,
  name: string
): boolean {
  const isCovered = (listed: string) => covers(listed, name)
  return !disabled.some(isCovered) && (enabled === undefined || enabled.some(isCovered))
}

function covers(listed: string, name: string): boolean {
  return name === listed || name.startsWith(`${listed}-`)
}

/**
 * What is listed and covers none of `names`. Of what is switched off only what is close to a name: the rest may be an
 * instrumentation that is OpenTelemetry's alone, as mysql is beside mysql2.
 */
export function unknownLibraries(
  { enabled = [], disabled }: InstrumentationChoice,
  names: readonly string[]
): string[] {
  const unknown = (listed: string) => !names.some((name) => covers(listed, name))
  const isNear = (listed: string) => closestName(listed, names, 1) !== undefined
  const nearly = disabled.filter((listed) => listed !== 'mysql' && isNear(listed))
  return [...new Set([...enabled, ...nearly])].filter(unknown)
}

/** What is called otherwise by OpenTelemetry or Datadog. */
const OUR_NAMES: Readonly<Record<string, string>> = {
  fetch: 'undici',
  'nestjs-core': 'nestjs',
  'redis-4': 'redis',
  'grpc-js': 'grpc',
  'mongodb-core': 'mongodb'
}

/** The whole names of OpenTelemetry's packages mean the same. */
function libraryName(name: string): string {
  const word = name.toLowerCase().replace(/^@opentelemetry\/instrumentation-/, '')
  return OUR_NAMES[word] ?? word
}

function levelOf(settings: Settings, sources: Sources): NoticeLevel {
  const level = settings.debug && !sources.has('logLevel') ? 'debug' : settings.logLevel
  return level === 'debug' || level === 'verbose' || level === 'all' ? 'info' : level
}

function limitsOf(settings: Settings): SpanLimits {
  return {
    attributesMax: settings.attributesMax,
    eventsMax: settings.eventsMax,
    linksMax: settings.linksMax,
    eventAttributesMax: settings.eventAttributesMax,
    linkAttributesMax: settings.linkAttributesMax,
    valueCharsMax: settings.valueCharsMax
  }
}

function resourceOf(settings: Settings): Attributes {
  const attributes: Attributes = {}
  for (const [key, value] of Object.entries(settings.tags ?? {})) {
    attributes[TAG_KEYS[key] ?? key] = value
  }
  if (settings.environment) attributes[DEPLOYMENT_ENVIRONMENT_NAME] = settings.environment
  if (settings.version) attributes[SERVICE_VERSION] = settings.version
  Object.assign(attributes, settings.resourceAttributes)
  if (settings.serviceName) attributes[SERVICE_NAME] = settings.serviceName
  return attributes
}

const TAG_KEYS: Pairs = {
  service: SERVICE_NAME,
  env: DEPLOYMENT_ENVIRONMENT_NAME,
  version: SERVICE_VERSION
}

function exportersOf<Name extends string>(
  names: readonly (Name | 'none')[]
): readonly Exclude<Name, 'none'>[] {
  if (names.includes('none')) return []
  return names as readonly Exclude<Name, 'none'>[]
}

/** All that is done to them is to put ids into their lines. */
const LOGGERS = ['pino', 'winston', 'bunyan']

function instrumentationsOf(settings: Settings): InstrumentationChoice {
  const switchedOff = Object.entries(settings.integrations)
    .filter(([, on]) => !on)
    .map(([name]) => name)
  if (!settings.logsInjection) switchedOff.push(...LOGGERS)
  return {
    enabled: settings.enabledInstrumentations?.map(libraryName),
    disabled: [...settings.disabledInstrumentations, ...switchedOff].map(libraryName)
  }
}

function captureHeadersOf(settings: Settings): CaptureHeaders {
  const tagged = settings.headerTags.map((tag) => tag.split(':')[0]!.trim())
  const lower = (...lists: (readonly string[])[]) => [
    ...new Set(lists.flat().map((name) => name.toLowerCase()))
  ]
  return {
    serverRequest: lower(settings.serverRequestHeaders, tagged),
    serverResponse: lower(settings.serverResponseHeaders, tagged),
    clientRequest: lower(settings.clientRequestHeaders),
    clientResponse: lower(settings.clientResponseHeaders)
  }
}
