/**
 * A whole trace, as derive and sample see it: columns, one element a span, in the order of arrival.
 * Borrowed: valid until the next trace is taken; nobody keeps a column.
 */
import type { CollapsedCalls } from '@spanloom/otlp'

/** In `parent`: the span has none. */
export const NO_PARENT = -1
/** In `parent`: the span names one that is not here. */
export const PARENT_MISSING = -2

/** What a client or producer span says about whom it called. */
export const PeerType = { NONE: 0, DATABASE: 1, MESSAGING: 2, EXTERNAL: 3 } as const

/** The calls of a trace's collapsed spans, by the span's index. */
export type TraceCalls = ReadonlyMap<number, CollapsedCalls>
export const NO_CALLS: TraceCalls = new Map()

export interface StitchedTrace {
  /** Four big-endian words. */
  readonly traceId: Uint32Array
  /** Spans that came after their trace was decided: `decision` is the one they follow. */
  readonly late: boolean
  /** Index of the decision that a late trace follows; -1 when it is not late. */
  readonly decision: number
  readonly count: number
  readonly spanIdHigh: Uint32Array
  readonly spanIdLow: Uint32Array
  /** Index into these columns, NO_PARENT or PARENT_MISSING. */
  readonly parent: Int32Array
  readonly startUnixMs: Float64Array
  /** Never negative. */
  readonly durationNano: Float64Array
  /** Ids in the shard's name table. */
  readonly service: Int32Array
  readonly name: Int32Array
  readonly peerName: Int32Array
  readonly peerType: Uint8Array
  /** OTLP's numbers. */
  readonly kind: Uint8Array
  readonly status: Uint8Array
  /** 1: the span says that it stands for several calls. */
  readonly collapsed: Uint8Array
  /** How many spans say so. */
  readonly collapsedCount: number
  /** The span series that counted it. */
  readonly series: Int32Array
  /** Where the span's bytes are: slot of the payload, range and group in it. */
  readonly payload: Int32Array
  readonly spanOffset: Int32Array
  readonly spanLength: Int32Array
  readonly group: Int32Array
}
