/**
 * The `ot` member of a tracestate, which holds what consistent sampling says of a trace:
 *
 *   tracestate   ot=th:c;rv:6e6d1a75832a2f,vendor=value
 *                   │    └ 14 hex digits: randomness that counts instead of the trace id's
 *                   └ 1 to 14 hex digits: the threshold the span was sampled with
 *
 * Whoever changes a member puts it first (W3C). What is not ours is carried on as it came. Limits: an
 * `ot` member of 256 characters and a tracestate of 512, beyond which the last members fall away.
 */
import type { SpanIdentity } from '../trace/span-identity.ts'
import { type Bits56, isAbove, type Threshold } from './threshold.ts'

const OT_CHARS_MAX = 256
const STATE_CHARS_MAX = 512
const MEMBERS_MAX = 32
const RV = /^[0-9a-f]{14}$/i
const TH = /^[0-9a-f]{1,14}$/i

export interface OtState {
  /** The 56 bits of `rv`, or undefined: then it is the trace id's. */
  readonly random: Bits56 | undefined
  /** The 56 bits of `th`, or undefined. */
  readonly threshold: Bits56 | undefined
  /** The sub-keys without `th`, `rv` among them. */
  readonly subKeys: string
  /** The other vendors' members. */
  readonly others: readonly string[]
}

export function readOtState(state: string): OtState {
  const members = state === '' ? [] : state.split(',').map((member) => member.trim())
  const own = members.find((member) => member.startsWith('ot=') && member.length <= OT_CHARS_MAX)
  const others = members.filter((member) => member !== '' && !member.startsWith('ot='))
  const kept: string[] = []
  let random: OtState['random']
  let threshold: OtState['threshold']
  for (const subKey of own?.slice(3).split(';') ?? []) {
    const value = subKey.slice(3)
    if (subKey.startsWith('th:')) {
      if (TH.test(value)) threshold = bits(value.padEnd(14, '0'))
    } else if (subKey.startsWith('rv:')) {
      if (!RV.test(value)) continue
      random = bits(value)
      kept.push(subKey)
    } else if (subKey !== '') {
      kept.push(subKey)
    }
  }
  return { random, threshold, subKeys: kept.join(';'), others }
}

/** The tracestate with this threshold, or without one. */
export function withThreshold(state: OtState, threshold: Threshold | undefined): string {
  const subKeys = [threshold === undefined ? '' : `th:${threshold.text}`, state.subKeys]
  let own = subKeys.filter((part) => part !== '').join(';')
  // No room for a threshold: unknown is better than wrong.
  if (own.length + 3 > OT_CHARS_MAX) own = state.subKeys
  const members = own === '' ? [...state.others] : [`ot=${own}`, ...state.others]
  members.length = Math.min(members.length, MEMBERS_MAX)
  let text = members.join(',')
  while (text.length > STATE_CHARS_MAX) {
    members.pop()
    text = members.join(',')
  }
  return text
}

function bits(digits: string): Bits56 {
  return {
    high: Number.parseInt(digits.slice(0, 6), 16),
    low: Number.parseInt(digits.slice(6), 16)
  }
}

/** The sampled parent's tracestate, without a threshold that would have left the parent out. */
export function consistentState(parent: SpanIdentity): string {
  const state = readOtState(parent.traceState)
  const { threshold, random } = state
  if (threshold === undefined) return parent.traceState
  const isKept =
    random === undefined
      ? isAbove(parent.trace2, parent.trace3, threshold)
      : isAbove(random.high, random.low, threshold)
  return isKept ? parent.traceState : withThreshold(state, undefined)
}
