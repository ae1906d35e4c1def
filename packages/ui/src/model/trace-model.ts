/**
 * A trace as numbers, ready to be drawn: spans in the order of the waterfall (a parent, then its
 * children by start), one typed array per property.
 *
 *   index        0      1      2      3      4
 *   span         root   a      a.1    a.2    b
 *   depth        0      1      2      2      1
 *   parent       -1     0      1      1      0
 *   subtreeEnd   5      4      3      4      5      one past the last descendant
 *
 * So collapsing a span is a jump from its index to its `subtreeEnd`, and no row is an object.
 * Nothing is trusted: a parent may be missing, itself, or part of a circle, ids may repeat, clocks
 * may differ. Every span of the answer is shown exactly once, and what is odd is flagged.
 * Times are nanoseconds after the trace's earliest start, exact in a double up to 104 days.
 */
import type { TraceResponse, TraceSpan } from '@spanloom/query-api'

export const FLAG_ERROR = 1
/** It names a parent that is not in the answer, or that leads in a circle. */
export const FLAG_ORPHAN = 2
/** It starts before its parent: the clocks of two machines differ. */
export const FLAG_EARLY = 4
/** It ends after its parent: asynchronous work, or clocks that differ. */
export const FLAG_OUTLIVES = 8

export interface TraceModel {
  readonly traceId: string
  readonly truncated: boolean
  readonly spanCount: number
  /** In waterfall order; everything below has the same index. */
  readonly spans: readonly TraceSpan[]
  readonly startNs: Float64Array
  readonly durationNs: Float64Array
  readonly selfNs: Float64Array
  readonly depth: Int32Array
  readonly parent: Int32Array
  readonly subtreeEnd: Int32Array
  readonly flags: Uint8Array
  /** Errors in the span and everything below it, for the mark of a collapsed row. */
  readonly subtreeErrors: Int32Array
  /** Index into `services`. */
  readonly service: Int32Array
  readonly services: readonly string[]
  readonly startUnixNano: bigint
  readonly totalNs: number
  readonly errorCount: number
  readonly orphanCount: number
  readonly earlyCount: number
  readonly depthMax: number
  /** The first span without a parent, else the earliest span; -1 without spans. */
  readonly rootIndex: number
}

export function buildTraceModel(trace: TraceResponse): TraceModel {
  const count = trace.spans.length
  const times = readTimes(trace.spans)
  const children = linkChildren(trace.spans, times.startNs)
  const order = orderSpans(children, count)
  const columns = fillColumns(trace.spans, times, children, order)
  return { traceId: trace.traceId, truncated: trace.truncated, spanCount: count, ...columns }
}

/** Where the span with this id is drawn, or -1. */
export function indexOfSpan(model: TraceModel, spanId: string | undefined): number {
  return spanId === undefined ? -1 : model.spans.findIndex((span) => span.spanId === spanId)
}

/** When a moment given in Unix nanoseconds is, in nanoseconds after the trace's start. */
export function relativeNs(model: TraceModel, unixNano: string): number {
  return Number(parseNano(unixNano) - model.startUnixNano)
}

interface Times {
  readonly startUnixNano: bigint
  readonly startNs: Float64Array
  readonly durationNs: Float64Array
  readonly totalNs: number
}

function readTimes(spans: readonly TraceSpan[]): Times {
  const starts = spans.map((span) => parseNano(span.startTimeUnixNano))
  const startUnixNano = starts.reduce(
    // biome-ignore lint/complexity/useMathMinMax: these are bigints
    (least, start) => (start < least ? start : least),
    starts[0] ?? 0n
  )
  const startNs = new Float64Array(spans.length)
  const durationNs = new Float64Array(spans.length)
  let totalNs = 0
  for (let index = 0; index < spans.length; index++) {
    startNs[index] = Number(starts[index]! - startUnixNano)
    durationNs[index] = Math.max(0, Number(parseNano(spans[index]!.durationNano)))
    totalNs = Math.max(totalNs, startNs[index]! + durationNs[index]!)
  }
  return { startUnixNano, startNs, durationNs, totalNs }
}

interface Children {
  /** Indices into the answer's spans; -1 for none. Siblings are a linked list by start. */
  readonly parent: Int32Array
  readonly firstChild: Int32Array
  readonly nextSibling: Int32Array
  /** Spans without a parent in the answer, by start. */
  readonly roots: number[]
  readonly orphan: Uint8Array
}

function linkChildren(spans: readonly TraceSpan[], startNs: Float64Array): Children {
  const count = spans.length
  const byId = new Map<string, number>()
  // The first span with an id is the one that children mean: a repeated id hides no subtree.
  for (let index = 0; index < count; index++) {
    const { spanId } = spans[index]!
    if (!byId.has(spanId)) byId.set(spanId, index)
  }
  const parent = new Int32Array(count).fill(-1)
  const orphan = new Uint8Array(count)
  for (let index = 0; index < count; index++) {
    const { parentSpanId } = spans[index]!
    if (parentSpanId === undefined) continue
    const found = byId.get(parentSpanId)
    if (found === undefined || found === index) orphan[index] = 1
    else parent[index] = found
  }
  breakCircles(parent, orphan)

  const firstChild = new Int32Array(count).fill(-1)
  const nextSibling = new Int32Array(count).fill(-1)
  const byStart = Array.from({ length: count }, (_, index) => index)
  byStart.sort((a, b) => startNs[a]! - startNs[b]! || a - b)
  const roots: number[] = []
  // Latest first, so that putting each in front of its siblings leaves them by start.
  for (let at = count - 1; at >= 0; at--) {
    const index = byStart[at]!
    const above = parent[index]!
    if (above === -1) roots.push(index)
    else {
      nextSibling[index] = firstChild[above]!
      firstChild[above] = index
    }
  }
  roots.reverse()
  return { parent, firstChild, nextSibling, roots, orphan }
}

/** Cuts each circle of parents at one span, which becomes an orphan. */
function breakCircles(parent: Int32Array, orphan: Uint8Array): void {
  const seenIn = new Int32Array(parent.length).fill(-1)
  for (let from = 0; from < parent.length; from++) {
    let at = from
    while (at !== -1 && seenIn[at] === -1) {
      seenIn[at] = from
      at = parent[at]!
    }
    if (at !== -1 && seenIn[at] === from) {
      parent[at] = -1
      orphan[at] = 1
    }
  }
}

/** Pre-order without recursion: a chain of 10,000 spans would overflow the stack. */
function orderSpans(children: Children, count: number): Int32Array {
  const order = new Int32Array(count)
  let filled = 0
  for (const root of children.roots) {
    let at = root
    for (;;) {
      order[filled++] = at
      if (children.firstChild[at] !== -1) {
        at = children.firstChild[at]!
        continue
      }
      while (at !== root && children.nextSibling[at] === -1) at = children.parent[at]!
      if (at === root) break
      at = children.nextSibling[at]!
    }
  }
  return order
}

function fillColumns(
  given: readonly TraceSpan[],
  times: Times,
  children: Children,
  order: Int32Array
): Omit<TraceModel, 'traceId' | 'truncated' | 'spanCount'> {
  const count = given.length
  const place = new Int32Array(count)
  for (let index = 0; index < count; index++) place[order[index]!] = index
  const spans: TraceSpan[] = []
  const startNs = new Float64Array(count)
  const durationNs = new Float64Array(count)
  const selfNs = new Float64Array(count)
  const depth = new Int32Array(count)
  const parent = new Int32Array(count).fill(-1)
  const flags = new Uint8Array(count)
  const service = new Int32Array(count)
  const services = new Map<string, number>()
  let earlyCount = 0
  let orphanCount = 0
  let errorCount = 0
  let depthMax = 0
  let rootIndex = count === 0 ? -1 : 0
  let rootFound = false
  for (let index = 0; index < count; index++) {
    const from = order[index]!
    const span = given[from]!
    spans.push(span)
    startNs[index] = times.startNs[from]!
    durationNs[index] = times.durationNs[from]!
    selfNs[index] = Math.max(0, Number(parseNano(span.selfTimeNano)))
    const above = children.parent[from] === -1 ? -1 : place[children.parent[from]!]!
    parent[index] = above
    if (above !== -1) {
      depth[index] = depth[above]! + 1
      depthMax = Math.max(depthMax, depth[index]!)
      if (startNs[index]! < startNs[above]!) {
        flags[index]! |= FLAG_EARLY
        earlyCount++
      }
      if (startNs[index]! + durationNs[index]! > startNs[above]! + durationNs[above]!) {
        flags[index]! |= FLAG_OUTLIVES
      }
    } else if (children.orphan[from] === 1) {
      flags[index]! |= FLAG_ORPHAN
      orphanCount++
    } else if (!rootFound) {
      rootFound = true
      rootIndex = index
    }
    if (span.status === 'error') {
      flags[index]! |= FLAG_ERROR
      errorCount++
    }
    if (!services.has(span.service)) services.set(span.service, services.size)
    service[index] = services.get(span.service)!
  }
  return {
    spans,
    startNs,
    durationNs,
    selfNs,
    depth,
    parent,
    subtreeEnd: subtreeEnds(parent),
    flags,
    subtreeErrors: sumUpwards(parent, flags),
    service,
    services: [...services.keys()],
    startUnixNano: times.startUnixNano,
    totalNs: times.totalNs,
    errorCount,
    orphanCount,
    earlyCount,
    depthMax,
    rootIndex
  }
}

/** Backwards over pre-order, every child is done before its parent. */
function subtreeEnds(parent: Int32Array): Int32Array {
  const ends = new Int32Array(parent.length)
  for (let index = parent.length - 1; index >= 0; index--) {
    if (ends[index] === 0) ends[index] = index + 1
    const above = parent[index]!
    if (above !== -1 && ends[above]! < ends[index]!) ends[above] = ends[index]!
  }
  return ends
}

function sumUpwards(parent: Int32Array, flags: Uint8Array): Int32Array {
  const sums = new Int32Array(parent.length)
  for (let index = parent.length - 1; index >= 0; index--) {
    if ((flags[index]! & FLAG_ERROR) !== 0) sums[index]!++
    const above = parent[index]!
    if (above !== -1) sums[above]! += sums[index]!
  }
  return sums
}

/** A decimal string of nanoseconds. What is none counts as 0 rather than taking the page down. */
function parseNano(text: string): bigint {
  return /^-?\d{1,20}$/.test(text) ? BigInt(text) : 0n
}
