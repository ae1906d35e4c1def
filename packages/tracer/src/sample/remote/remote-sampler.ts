/** A sampler whose strategy a service says, and what such samplers read of an answer. */
import type { Decide } from '../decide.ts'

export interface RemoteSampler {
  readonly decide: Decide
  /** Whether attributes change a decision, by what the service said last. */
  readonly readsFacts: boolean
  /** Nothing is asked any more. */
  close(): void
}

export type JsonMap = Readonly<Record<string, unknown>>

export function isMap(value: unknown): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The number, from 0 to `max`; what is left out is 0, as in protobuf's JSON. Undefined: it is none. */
export function numberOf(value: unknown, max: number): number | undefined {
  if (value === undefined || value === null) return 0
  return typeof value === 'number' && value >= 0 && value <= max ? value : undefined
}
