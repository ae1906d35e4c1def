/**
 * Where each signal goes. OpenTelemetry's names win; Datadog's name a host on which OTLP is taken at
 * port 4318. An address may be a Unix socket:
 *
 *   http://host:4318         /v1/traces is appended
 *   unix:///path/to.sock     POST /v1/traces through the socket
 *
 * A signal's own address is used as it is. Who gives the traces' own address alone means the collector
 * that is there: the other signals go beside it, when it ends as it usually does, and not to a localhost
 * on which nobody listens.
 */
import type { Notify } from '../notices.ts'
import type { SendTarget, Signal, TlsFiles } from '../send/sender.ts'
import type { Settings } from './catalogue.ts'

export type Endpoints = Readonly<Record<Signal, SendTarget>>

const DEFAULT_BASE = 'http://localhost:4318'
const OTLP_PORT = '4318'
/** Where a Datadog agent takes Datadog's own protocol. */
const DATADOG_PORT = '8126'
const DATADOG_SOCKET = /\/apm\.socket$/
const TRACES_PATH = '/v1/traces'

export function endpointsOf(settings: Settings, notify: Notify): Endpoints {
  const base = baseOf(settings, notify)
  const { tracesEndpoint, metricsEndpoint, logsEndpoint } = settings
  return {
    traces: endpointOf('traces', tracesEndpoint, base, settings),
    metrics: endpointOf('metrics', metricsEndpoint, base, settings),
    logs: endpointOf('logs', logsEndpoint, base, settings)
  }
}

function baseOf(settings: Settings, notify: Notify): string {
  if (settings.endpoint !== undefined) return settings.endpoint
  const { tracesEndpoint } = settings
  if (tracesEndpoint?.startsWith('unix:')) return tracesEndpoint
  if (tracesEndpoint?.endsWith(TRACES_PATH)) return tracesEndpoint.slice(0, -TRACES_PATH.length)
  return datadogBase(settings, notify) ?? DEFAULT_BASE
}

function datadogBase({ agentUrl, agentHost }: Settings, notify: Notify): string | undefined {
  if (agentUrl === undefined) {
    if (agentHost === undefined) return undefined
    const host = agentHost.includes(':') ? `[${agentHost}]` : agentHost
    const base = `http://${host}:${OTLP_PORT}`
    if (!URL.canParse(base)) return undefined
    notify('CONFIG_AGENT', 'DD_AGENT_HOST', agentHost.slice(0, 100), base)
    return base
  }
  const base = fromAgentUrl(agentUrl)
  notify('CONFIG_AGENT', 'DD_TRACE_AGENT_URL', withoutUser(agentUrl), base ?? DEFAULT_BASE)
  return base
}

function fromAgentUrl(agentUrl: string): string | undefined {
  const url = new URL(agentUrl)
  if (url.protocol === 'unix:') return DATADOG_SOCKET.test(url.pathname) ? undefined : agentUrl
  if (url.port === DATADOG_PORT) url.port = OTLP_PORT
  return url.origin
}

function withoutUser(text: string): string {
  return text.replace(/\/\/[^/@]*@/, '//…@').slice(0, 100)
}

function endpointOf(
  signal: Signal,
  own: string | undefined,
  base: string,
  settings: Settings
): SendTarget {
  const address = own ?? base
  const unix = address.startsWith('unix:')
  const path = `/v1/${signal}`
  const url = own !== undefined ? own : `${base.replace(/\/+$/, '')}${path}`
  const tls = tlsOf(signal, settings)
  return {
    url: unix ? `http://localhost${path}` : url,
    ...(unix ? { socketPath: decodeURIComponent(new URL(address).pathname) } : {}),
    headers: settings.headers[signal],
    timeoutMs: settings.timeoutMs[signal],
    compression: settings.compression[signal],
    ...(tls === undefined ? {} : { tls })
  }
}

function tlsOf(signal: Signal, settings: Settings): TlsFiles | undefined {
  const ca = settings.caFile[signal]
  const key = settings.clientKeyFile[signal]
  const cert = settings.clientCertificateFile[signal]
  if (ca === undefined && key === undefined && cert === undefined) return undefined
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(key === undefined ? {} : { key }),
    ...(cert === undefined ? {} : { cert })
  }
}
