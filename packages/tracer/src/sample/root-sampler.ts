/**
 * Decides about local roots, by what is configured:
 *
 *   rule that fits ─→ its ratio ─→ its limit ─┐
 *   none fits ─────→ ratio × collector's rate ┴→ limit of the process ─→ kept or dropped
 *
 * A ratio is consistent (threshold.ts), and what it keeps says how many it stands for (`th`). A limit
 * keeps what comes first, which is no probability: what passes through one carries no `th`.
 */

import { readOtState, withThreshold } from './ot-tracestate.ts'
import { RateLimiter } from './rate-limiter.ts'
import { parseRules, type Rule } from './rules.ts'
import {
  DROP,
  DROPPED,
  type HeadRequest,
  KEPT,
  RECORD_AND_SAMPLE,
  type SamplingResult
} from './sampling-result.ts'
import type { SamplerParts, SamplingSettings } from './sampling-settings.ts'
import { isAbove, type Threshold, thresholdOf } from './threshold.ts'

/** Traces a second when `rate_limited` is not told. */
const RATE_DEFAULT = 100

type Decide = (request: HeadRequest) => SamplingResult

export interface RootSampler {
  /** Whether every root is sampled, whatever it is. */
  readonly keepsAll: boolean
  readonly readsFacts: boolean
  decide(request: HeadRequest): SamplingResult
  /** Multiplies the ratio of what no rule decides about. */
  scale(rate: number): void
}

export function createRootSampler(
  /** One of `SAMPLER_NAMES`. */
  name: string,
  settings: SamplingSettings,
  parts: SamplerParts
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
  const unscaled = limited(ratio(probability, base !== 'always_on'), limiterOf(perSecond, nowMs))
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
    readsFacts: rules.some((rule) => rule.readsFacts),
    decide: limited(decideOne, limiter),
    scale(rate) {
      decideBase = rate === 1 ? unscaled : ratio(probability * rate, true)
      keepsAll = base === 'always_on' && probability === 1 && rate === 1
    }
  }
}

function decideByRule({ probability, limiter }: Rule): Decide {
  return limited(ratio(probability, true), limiter)
}

/** `isWeighted`: what is kept carries its threshold; all of it when everything is kept. */
function ratio(probability: number, isWeighted: boolean): Decide {
  if (probability <= 0)
    return (request) => (hasState(request) ? unweighted(request, DROP) : DROPPED)
  if (probability >= 1 && !isWeighted) return () => KEPT
  const threshold = thresholdOf(Math.min(1, probability))
  const kept: SamplingResult = { ...KEPT, traceState: `ot=th:${threshold.text}` }
  return (request) => {
    if (hasState(request)) return ratioBelow(request, threshold)
    return isAbove(request.trace2, request.trace3, threshold) ? kept : DROPPED
  }
}

/** With a tracestate to read, whose `rv` may stand for the trace id, and to carry on. */
function ratioBelow(request: HeadRequest, threshold: Threshold): SamplingResult {
  const state = readOtState(request.parent!.traceState)
  const isKept =
    state.random === undefined
      ? isAbove(request.trace2, request.trace3, threshold)
      : isAbove(state.random.high, state.random.low, threshold)
  return {
    decision: isKept ? RECORD_AND_SAMPLE : DROP,
    traceState: withThreshold(state, isKept ? threshold : undefined),
    attributes: undefined
  }
}

function limited(decide: Decide, limiter: RateLimiter | undefined): Decide {
  if (limiter === undefined) return decide
  return (request) => {
    const result = decide(request)
    if (result.decision === DROP) return result
    return unweighted(request, limiter.take() ? RECORD_AND_SAMPLE : DROP)
  }
}

function unweighted(request: HeadRequest, decision: SamplingResult['decision']): SamplingResult {
  if (!hasState(request)) return decision === DROP ? DROPPED : KEPT
  const traceState = withThreshold(readOtState(request.parent!.traceState), undefined)
  return { decision, traceState, attributes: undefined }
}

function hasState({ parent }: HeadRequest): boolean {
  return parent !== undefined && parent.traceState !== ''
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
