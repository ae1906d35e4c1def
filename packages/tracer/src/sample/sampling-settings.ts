/** What a head sampler is made of. Types alone: nothing is loaded for them. */
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
  /** Monotonic. */
  readonly nowMs: () => number
  readonly notify: Notify
  readonly guard: Guard
}
