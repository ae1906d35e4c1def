/**
 * Decides about local roots, by what is configured:
 *
 *   rule that fits ─→ its ratio ─→ its limit ─┐
 *   none fits ─────→ ratio × collector's rate ┼→ limit of the process ─→ kept or dropped
 *              or ─→ what a service says ─────┘   (remote/)
 *
 * A ratio is consistent (threshold.ts), and what it keeps says how many it stands for (`th`). A limit
 * keeps what comes first, which is no probability: what passes through one carries no `th`.
 */

import { requireOwn } from '../lib/own-file.ts'
import { type Decide, limited, ratio } from './decide.ts'
import { RateLimiter } from './rate-limiter.ts'
import type { RemoteSampler } from './remote/remote-sampler.ts'
import { parseRules, type Rule } from './rules.ts'
import type { HeadRequest, SamplingResult } from './sampling-result.ts'
import type { SamplerParts, SamplingSettings } from './sampling-settings.ts'

/** Traces a second when `rate_limited` is not told. */
const RATE_DEFAULT = 100

type JaegerCode = typeof import('./remote/jaeger.ts')
type XrayCode = typeof import('./remote/xray.ts')

export interface RootSampler {
  /** Whether every root is sampled, whatever it is. */
  readonly keepsAll: boolean
  /** May change when a sampling service answers: see `changed`. */
  readonly readsFacts: boolean
  decide(request: HeadRequest): SamplingResult
  /** Multiplies the ratio of what no rule decides about. */
  scale(rate: number): void
  close(): void
}

export function createRootSampler(
  /** One of `SAMPLER_NAMES`. */
  name: string,
  settings: SamplingSettings,
  parts: SamplerParts,
  /** Called when `readsFacts` may have changed. */
  changed: () => void
): RootSampler {
  const { serviceName, nowMs, notify } = parts
  const base = name.replace('parentbased_', '')
  const probability = probabilityOf(base, settings, parts)
  const { rules, problem } = parseRules(settings.samplingRules, serviceName, nowMs)
  if (problem !== undefined) {
    const text = `${settings.samplingRules?.slice(0, 80)}… (${problem})`
    notify('CONFIG_BAD_VALUE', 'SPANLOOM_SAMPLING_RULES', text, 'no rule')
  }
  const deciders = rules.map((rule) => ({ rule, decide: decideByRule(rule) }))
  const perSecond = base === 'rate_limited' ? rateOf(settings, parts) : undefined
  const limiter = limiterOf(settings.tracesPerSecondMax, nowMs)
  const remote = remoteSampler(base, settings, parts, changed)
  const unscaled =
    remote?.decide ?? limited(ratio(probability, base !== 'always_on'), limiterOf(perSecond, nowMs))
  const readsFacts = rules.some((rule) => rule.readsFacts)
  let decideBase = unscaled
  let keepsAll = base === 'always_on' && probability === 1

  function decideOne(request: HeadRequest): SamplingResult {
    for (const { rule, decide } of deciders) if (rule.fits(request)) return decide(request)
    return decideBase(request)
  }
  return {
    get keepsAll() {
      return keepsAll && deciders.length === 0 && limiter === undefined
    },
    get readsFacts() {
      return readsFacts || remote?.readsFacts === true
    },
    decide: limited(decideOne, limiter),
    scale(rate) {
      decideBase = rate === 1 ? unscaled : ratio(probability * rate, true)
      keepsAll = base === 'always_on' && probability === 1 && rate === 1
    },
    close: () => remote?.close()
  }
}

/** A sampler whose strategy a service says; its code is loaded with the first. */
function remoteSampler(
  base: string,
  settings: SamplingSettings,
  parts: SamplerParts,
  changed: () => void
): RemoteSampler | undefined {
  const { samplerArg } = settings
  if (base === 'jaeger_remote') {
    const { createJaegerSampler } = requireOwn<JaegerCode>('sample/remote/jaeger')
    return createJaegerSampler(samplerArg, parts, changed)
  }
  if (base !== 'xray') return undefined
  const { createXraySampler } = requireOwn<XrayCode>('sample/remote/xray')
  return createXraySampler(samplerArg, parts, changed)
}

function decideByRule({ probability, limiter }: Rule): Decide {
  return limited(ratio(probability, true), limiter)
}

function limiterOf(perSecond: number | undefined, nowMs: () => number): RateLimiter | undefined {
  return perSecond === undefined ? undefined : new RateLimiter(perSecond, nowMs)
}

function probabilityOf(base: string, settings: SamplingSettings, { notify }: SamplerParts): number {
  if (base === 'always_off') return 0
  if (base !== 'traceidratio') return settings.samplerIsSet ? 1 : (settings.sampleRate ?? 1)
  const { samplerArg } = settings
  if (samplerArg === undefined) return 1
  const probability = numberOf(samplerArg)
  if (probability !== undefined && probability <= 1) return probability
  notify('CONFIG_BAD_VALUE', 'OTEL_TRACES_SAMPLER_ARG', samplerArg, '1')
  return 1
}

function rateOf({ samplerArg }: SamplingSettings, { notify }: SamplerParts): number {
  if (samplerArg === undefined) return RATE_DEFAULT
  const perSecond = numberOf(samplerArg)
  if (perSecond !== undefined) return perSecond
  notify('CONFIG_BAD_VALUE', 'OTEL_TRACES_SAMPLER_ARG', samplerArg, `${RATE_DEFAULT}`)
  return RATE_DEFAULT
}

function numberOf(text: string): number | undefined {
  return /^(\d{1,9}(\.\d*)?|\.\d+)$/.test(text) ? Number(text) : undefined
}
