/**
 * Tail sampling: the configured policies, compiled once to functions that look at a whole trace.
 * The first that wants the trace keeps it and is the reason why. Today there is one policy,
 * `always`: every trace is kept, and stands for itself.
 */
import type { StitchedTrace } from '../model/stitched-trace.ts'

export interface TailDecision {
  readonly sampled: boolean
  /** Why it was kept; '' when it was not. */
  readonly policyName: string
  /** How many traces it stands for. */
  readonly weight: number
}

/** `undefined`: this policy has no opinion. */
export type Policy = (trace: StitchedTrace) => TailDecision | undefined

export type PolicyConfig = { readonly type: 'always'; readonly name?: string }

export const DEFAULT_POLICIES: readonly PolicyConfig[] = [{ type: 'always' }]

const NOT_SAMPLED: TailDecision = { sampled: false, policyName: '', weight: 0 }

export function compilePolicies(
  configs: readonly PolicyConfig[]
): (trace: StitchedTrace) => TailDecision {
  const policies = configs.map(compile)
  return (trace) => {
    for (const policy of policies) {
      const decision = policy(trace)
      if (decision !== undefined) return decision
    }
    return NOT_SAMPLED
  }
}

function compile({ type, name = type }: PolicyConfig): Policy {
  const keep: TailDecision = { sampled: true, policyName: name, weight: 1 }
  return () => keep
}
