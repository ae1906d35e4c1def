/**
 * What decisions about roots are made of: a share by the trace id, a limit, and both with a caller's
 * tracestate, whose `rv` may stand for the trace id and which is carried on.
 */
import { readOtState, withThreshold } from './ot-tracestate.ts'
import type { RateLimiter } from './rate-limiter.ts'
import {
  DROP,
  DROPPED,
  type HeadRequest,
  KEPT,
  RECORD_AND_SAMPLE,
  type SamplingResult
} from './sampling-result.ts'
import { isAbove, type Threshold, thresholdOf } from './threshold.ts'

export type Decide = (request: HeadRequest) => SamplingResult

/** `isWeighted`: what is kept carries its threshold; all of it when everything is kept. */
export function ratio(probability: number, isWeighted: boolean): Decide {
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

export function limited(decide: Decide, limiter: RateLimiter | undefined): Decide {
  if (limiter === undefined) return decide
  return (request) => {
    const result = decide(request)
    if (result.decision === DROP) return result
    return unweighted(request, limiter.take() ? RECORD_AND_SAMPLE : DROP)
  }
}

/** Kept or not by what is no probability: a threshold of the caller does not hold any more. */
export function unweighted(
  request: HeadRequest,
  decision: SamplingResult['decision']
): SamplingResult {
  if (!hasState(request)) return decision === DROP ? DROPPED : KEPT
  const traceState = withThreshold(readOtState(request.parent!.traceState), undefined)
  return { decision, traceState, attributes: undefined }
}

function hasState({ parent }: HeadRequest): boolean {
  return parent !== undefined && parent.traceState !== ''
}
