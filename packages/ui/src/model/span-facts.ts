/**
 * What Spanloom's tracer says about a span beyond OpenTelemetry's words, read from its attributes:
 *
 *   spanloom.collapsed.count          it stands for so many equal calls
 *   spanloom.collapsed.duration_ms    how long all of them took together
 *   spanloom.collapsed.calls          base64 of pairs of varints, a pair for each call:
 *                                     nanoseconds after the span's start, nanoseconds it took
 *   spanloom.n_plus_one               equal calls one after another; also on the span that entered the service
 *   spanloom.event_loop.blocked_ms    so long nothing else ran in the process while the span did
 *   spanloom.gc.pause_ms              so long of it was garbage collection
 *
 * Anyone may send these keys, so whatever is not as the tracer writes it counts as not there.
 */
type Attributes = Readonly<Record<string, string>>

const COUNT = 'spanloom.collapsed.count'
const TOTAL_MS = 'spanloom.collapsed.duration_ms'
const CALLS = 'spanloom.collapsed.calls'
const N_PLUS_ONE = 'spanloom.n_plus_one'
const BLOCKED_MS = 'spanloom.event_loop.blocked_ms'
const GC_PAUSE_MS = 'spanloom.gc.pause_ms'

/** As `COLLAPSED_CALLS_MAX` of the tracer. */
export const CALLS_MAX = 1_000
/** Two varints below 2^53 a call, of eight bytes each, in base64. */
const CALLS_CHARS_MAX = Math.ceil((CALLS_MAX * 2 * 8) / 3) * 4

export interface SpanFacts {
  /** How many equal calls it is; undefined when it is one. */
  readonly callCount: number | undefined
  readonly callsTotalMs: number | undefined
  readonly isNPlusOne: boolean
  readonly blockedMs: number | undefined
  readonly gcPauseMs: number | undefined
}

export function spanFacts(attributes: Attributes): SpanFacts {
  const callCount = positive(attributes[COUNT])
  const isCollapsed = callCount !== undefined && Number.isSafeInteger(callCount) && callCount > 1
  return {
    callCount: isCollapsed ? callCount : undefined,
    callsTotalMs: isCollapsed ? positive(attributes[TOTAL_MS]) : undefined,
    isNPlusOne: attributes[N_PLUS_ONE] === 'true',
    blockedMs: positive(attributes[BLOCKED_MS]),
    gcPauseMs: positive(attributes[GC_PAUSE_MS])
  }
}

export interface Calls {
  readonly count: number
  /** After the span's start, in the order of their ends. */
  readonly startNs: Float64Array
  readonly durationNs: Float64Array
}

/** The calls that a collapsed span packs; undefined when it packs none that can be read. */
export function unpackCalls(attributes: Attributes): Calls | undefined {
  const packed = attributes[CALLS]
  if (packed === undefined || packed.length > CALLS_CHARS_MAX) return undefined
  const numbers = readVarints(packed)
  const count = (numbers?.length ?? 0) / 2
  if (numbers === undefined || !Number.isInteger(count) || count < 2) return undefined
  return {
    count,
    startNs: Float64Array.from({ length: count }, (_, call) => numbers[call * 2]!),
    durationNs: Float64Array.from({ length: count }, (_, call) => numbers[call * 2 + 1]!)
  }
}

/** Without the packed calls, which are bytes and no text, where they could be read and are drawn. */
export function readableAttributes(attributes: Attributes): Attributes {
  if (unpackCalls(attributes) === undefined) return attributes
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => name !== CALLS))
}

function readVarints(base64: string): number[] | undefined {
  let bytes: string
  try {
    bytes = atob(base64)
  } catch {
    return undefined
  }
  const numbers: number[] = []
  for (let at = 0; at < bytes.length; ) {
    let number = 0
    let scale = 1
    let byte: number
    do {
      if (at === bytes.length || scale > 2 ** 49) return undefined
      byte = bytes.charCodeAt(at++)
      number += (byte & 0x7f) * scale
      scale *= 128
    } while (byte > 0x7f)
    if (number > Number.MAX_SAFE_INTEGER) return undefined
    if (numbers.push(number) > CALLS_MAX * 2) return undefined
  }
  return numbers
}

/**
 * When the calls ran, as start and end pairs in nanoseconds after the span's start, in order. Calls closer
 * than `gapNs` are joined, so that a row never draws more than it has pixels for.
 */
export function callParts(calls: Calls, gapNs: number): readonly number[] {
  const parts: number[] = []
  for (const call of byStart(calls)) {
    const from = calls.startNs[call]!
    const to = from + calls.durationNs[call]!
    const last = parts.length - 1
    if (last > 0 && from - parts[last]! <= gapNs) parts[last] = Math.max(parts[last]!, to)
    else parts.push(from, to)
  }
  return parts
}

/** Where the calls began, each at least `gapNs` after the one before, which tells them apart; not the first. */
export function callTicks(calls: Calls, gapNs: number): readonly number[] {
  const ticks: number[] = []
  let last: number | undefined
  for (const call of byStart(calls)) {
    const start = calls.startNs[call]!
    if (last !== undefined && start - last < gapNs) continue
    if (last !== undefined) ticks.push(start)
    last = start
  }
  return ticks
}

function byStart(calls: Calls): readonly number[] {
  const order = Array.from({ length: calls.count }, (_, call) => call)
  return order.sort((a, b) => calls.startNs[a]! - calls.startNs[b]!)
}

export function longestCallNs(calls: Calls): number {
  return calls.durationNs.reduce((longest, duration) => Math.max(longest, duration), 0)
}

function positive(text: string | undefined): number | undefined {
  if (text === undefined || text.trim() === '') return undefined
  const number = Number(text)
  return Number.isFinite(number) && number > 0 ? number : undefined
}
