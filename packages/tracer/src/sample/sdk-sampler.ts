/**
 * The app's sampler, of the SDK's shape, behind our question. It is foreign code: a fault of it, or an
 * answer that is none, is reported once, and the span does as its parent does.
 */
import type { Sampler } from '../compat.ts'
import type { Guard } from '../lib/guard.ts'
import { hexOfWord } from '../lib/hex.ts'
import { DROPPED, type HeadRequest, KEPT, type SamplingResult } from './sampling-result.ts'

const SAMPLED = 1

export function decideWith(sampler: Sampler, guard: Guard, request: HeadRequest): SamplingResult {
  try {
    const { trace0, trace1, trace2, trace3, context, name, kind, attributes, links } = request
    const traceId = hexOfWord(trace0) + hexOfWord(trace1) + hexOfWord(trace2) + hexOfWord(trace3)
    const result = sampler.shouldSample(context, traceId, name, kind, { ...attributes }, links)
    const { decision } = result
    if (decision !== 0 && decision !== 1 && decision !== 2) {
      throw new TypeError(`a sampling decision is 0, 1 or 2, not ${decision}`)
    }
    return {
      decision,
      traceState: result.traceState?.serialize(),
      attributes: result.attributes
    }
  } catch (fault) {
    guard.report('the app’s sampler', fault)
    const { parent } = request
    return parent === undefined || (parent.traceFlags & SAMPLED) === SAMPLED ? KEPT : DROPPED
  }
}
