/**
 * The head sampler: whether a span is recorded, decided when it starts from its parent alone.
 * Chosen once at start-up; what is not sampled still carries its ids on, with the flag off.
 */
import type { SpanIdentity } from '../trace/span-identity.ts'

export const SAMPLER_NAMES = ['always_on', 'always_off', 'parentbased_always_on'] as const
export type SamplerName = (typeof SAMPLER_NAMES)[number]

export type HeadSampler = (parent: SpanIdentity | undefined) => boolean

const SAMPLED = 1

export function createHeadSampler(name: SamplerName): HeadSampler {
  switch (name) {
    case 'always_on':
      return () => true
    case 'always_off':
      return () => false
    case 'parentbased_always_on':
      return (parent) => parent === undefined || (parent.traceFlags & SAMPLED) === SAMPLED
  }
}
