/** Parts and requests for the tests of remote samplers. */
import { type Attributes, ROOT_CONTEXT, SpanKind } from '@opentelemetry/api'
import { createGuard } from '../../lib/guard.ts'
import type { Notify } from '../../notices.ts'
import type { Decide } from '../decide.ts'
import { type HeadRequest, RECORD_AND_SAMPLE } from '../sampling-result.ts'
import type { SamplerParts } from '../sampling-settings.ts'

export const EPOCH_MS = 1_795_426_799_000

export function testParts(more: Partial<SamplerParts> = {}) {
  const said: unknown[][] = []
  const notify: Notify = (code, ...facts) => void said.push([code, ...facts])
  const time = { nowMs: 1_000 }
  const parts: SamplerParts = {
    serviceName: 'shop',
    resource: {},
    nowMs: () => time.nowMs,
    epochMs: () => EPOCH_MS + time.nowMs - 1_000,
    random: () => 0.5,
    untraced: (fn) => fn(),
    notify,
    guard: createGuard(notify),
    ...more
  }
  return { parts, said, time }
}

/** A root whose randomness is this share of all: a threshold of probability p keeps it from 1 - p on. */
export function request(
  name = 'a',
  attributes: Attributes = {},
  randomShare = 0.5,
  traceState?: string
): HeadRequest {
  return {
    trace0: 1,
    trace1: 1,
    trace2: Math.floor(randomShare * 2 ** 24),
    trace3: 0,
    parent:
      traceState === undefined ? undefined : ({ traceState, traceFlags: 3, remote: true } as never),
    name,
    kind: SpanKind.SERVER,
    attributes,
    links: [],
    context: ROOT_CONTEXT
  }
}

/** Of `count` requests that differ in nothing. */
export function keptOf(decide: Decide, asked: HeadRequest, count: number): number {
  let kept = 0
  for (let index = 0; index < count; index++) {
    if (decide(asked).decision === RECORD_AND_SAMPLE) kept++
  }
  return kept
}
