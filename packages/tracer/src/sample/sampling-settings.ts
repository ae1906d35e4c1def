/** What a head sampler is made of. Types alone: nothing is loaded for them. */
import type { Attributes } from '@opentelemetry/api'
import type { Guard } from '../lib/guard.ts'
import type { Notify } from '../notices.ts'

export interface SamplingSettings {
  readonly samplerArg: string | undefined
  /** Whether the sampler was named by someone, and not by default. */
  readonly samplerIsSet: boolean
  readonly sampleRate: number | undefined
  /** JSON, not parsed. */
  readonly samplingRules: string | undefined
  readonly tracesPerSecondMax: number | undefined
  /** Whether the collector is asked for a rate. */
  readonly samplingFromCollector: boolean
}

export interface SamplerParts {
  readonly serviceName: string
  /** What the process is, for rules that name its platform. */
  readonly resource: Attributes
  /** Monotonic. */
  readonly nowMs: () => number
  /** The wall clock's, since the epoch. */
  readonly epochMs: () => number
  /** From 0 to 1. */
  readonly random: () => number
  /** Runs something in a context in which nothing is traced. */
  readonly untraced: (fn: () => void) => void
  readonly notify: Notify
  readonly guard: Guard
}
