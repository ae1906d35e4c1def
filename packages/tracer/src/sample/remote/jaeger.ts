/**
 * `jaeger_remote`: a Jaeger, or an OpenTelemetry Collector with its extension, says how the service is sampled.
 * Asked over HTTP (Jaeger's port 5778); the specification's gRPC (14250) is not spoken.
 */
import type { SamplerParts } from '../sampling-settings.ts'
import { address, numberFrom, readArgument } from './argument.ts'
import { JaegerStrategy } from './jaeger-strategy.ts'
import type { RemoteSampler } from './remote-sampler.ts'
import { askJson, Poll, ServiceNews } from './service.ts'

const DAY_MS = 86_400_000

interface JaegerArgument {
  readonly endpoint: string
  readonly pollingIntervalMs: number
  readonly initialSamplingRate: number
}

export function createJaegerSampler(
  argument: string | undefined,
  parts: SamplerParts,
  changed: () => void
): RemoteSampler {
  const { endpoint, pollingIntervalMs, initialSamplingRate } = readArgument<JaegerArgument>(
    argument,
    {
      endpoint: { default: 'http://localhost:5778', parse: address },
      pollingIntervalMs: { default: 60_000, parse: numberFrom(100, DAY_MS) },
      // What every one of Jaeger's samplers begins with.
      initialSamplingRate: { default: 0.001, parse: numberFrom(0, 1) }
    },
    parts.notify
  )
  const url = samplingUrl(endpoint, parts.serviceName)
  const strategy = new JaegerStrategy(initialSamplingRate, parts)
  const news = new ServiceNews(url, parts)
  let used = `the initial rate of ${initialSamplingRate} is used`
  const poll = new Poll({
    parts,
    intervalMs: () => pollingIntervalMs,
    async ask() {
      const answer = await askJson(url, undefined)
      if ('failure' in answer) {
        news.failed(answer.failure, used)
        return
      }
      const problem = strategy.take(answer.json)
      if (problem !== undefined) {
        news.refused(problem, used)
        return
      }
      used = 'its last strategy stays in force'
      news.heard()
      changed()
    }
  })
  poll.start()
  return {
    decide: strategy.decide,
    get readsFacts() {
      return strategy.readsFacts
    },
    close: () => poll.close()
  }
}

/** `http://host:5778`, or with the path: `http://host:14268/api/sampling`. */
export function samplingUrl(endpoint: string, serviceName: string): URL {
  const url = new URL(endpoint)
  const path = url.pathname.replace(/\/+$/, '')
  url.pathname = path.endsWith('/sampling') ? path : `${path}/sampling`
  url.searchParams.set('service', serviceName)
  return url
}
