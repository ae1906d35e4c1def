/**
 * Which rows of the waterfall are shown, and what stands in them: collapsing, finding, jumping,
 * and the parts of a bar in which the span itself was busy. Pure functions over `TraceModel`;
 * each is one pass over typed arrays, so that 10,000 spans take well under a frame.
 */
import { FLAG_ERROR, type TraceModel } from './trace-model.ts'

export interface Rows {
  /** Index of the span in each row. */
  readonly spans: Int32Array
  /** The row of each span, or -1 when it is not shown. */
  readonly rowOf: Int32Array
}

/** `shown` (when given) hides every span that is not marked in it. */
export function visibleRows(
  model: TraceModel,
  collapsed: ReadonlySet<number>,
  shown?: Uint8Array
): Rows {
  const spans = new Int32Array(model.spanCount)
  const rowOf = new Int32Array(model.spanCount).fill(-1)
  let count = 0
  for (let index = 0; index < model.spanCount; ) {
    if (shown !== undefined && shown[index] === 0) {
      // A hidden span has no shown descendants: `withAncestors` marks the whole way up.
      index = model.subtreeEnd[index]!
      continue
    }
    rowOf[index] = count
    spans[count++] = index
    index = collapsed.has(index) ? model.subtreeEnd[index]! : index + 1
  }
  return { spans: spans.subarray(0, count), rowOf }
}

export function hasChildren(model: TraceModel, index: number): boolean {
  return model.subtreeEnd[index]! > index + 1
}

/** Every span that has children and is at least so deep: what "collapse all" closes. */
export function spansToCollapse(model: TraceModel, depthMin: number): Set<number> {
  const result = new Set<number>()
  for (let index = 0; index < model.spanCount; index++) {
    if (model.depth[index]! >= depthMin && hasChildren(model, index)) result.add(index)
  }
  return result
}

/** `collapsed` without the ancestors of a span, so that it can be seen. */
export function revealed(
  model: TraceModel,
  collapsed: ReadonlySet<number>,
  index: number
): ReadonlySet<number> {
  const result = new Set(collapsed)
  let at = model.parent[index] ?? -1
  while (at !== -1) {
    result.delete(at)
    at = model.parent[at]!
  }
  return result.size === collapsed.size ? collapsed : result
}

export interface Found {
  readonly count: number
  readonly matches: Uint8Array
  /** The matches and everything above them. */
  readonly withAncestors: Uint8Array
}

/**
 * Spans in which every word of the text occurs: in name, service, status message, kind, ids, or
 * an attribute, where `key=value` looks in that pair. `undefined` for no words.
 */
export function findSpans(model: TraceModel, text: string): Found | undefined {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return undefined
  const matches = new Uint8Array(model.spanCount)
  const withAncestors = new Uint8Array(model.spanCount)
  let count = 0
  for (let index = model.spanCount - 1; index >= 0; index--) {
    if (words.every((word) => holdsWord(model, index, word))) {
      matches[index] = 1
      withAncestors[index] = 1
      count++
    }
    const above = model.parent[index]!
    if (withAncestors[index] === 1 && above !== -1) withAncestors[above] = 1
  }
  return { count, matches, withAncestors }
}

function holdsWord(model: TraceModel, index: number, word: string): boolean {
  const span = model.spans[index]!
  if (word === 'error' && span.status === 'error') return true
  if (
    span.name.toLowerCase().includes(word) ||
    span.service.toLowerCase().includes(word) ||
    span.kind === word ||
    span.spanId === word ||
    span.statusMessage?.toLowerCase().includes(word)
  ) {
    return true
  }
  for (const [key, value] of Object.entries(span.attributes)) {
    if (`${key}=${value}`.toLowerCase().includes(word)) return true
  }
  return span.events.some((event) => event.name.toLowerCase().includes(word))
}

/** The next span with an error after `from` (or before), round the end; -1 without errors. */
export function nextError(model: TraceModel, from: number, step: 1 | -1): number {
  return nextMarked(model.spanCount, from, step, (index) => {
    return (model.flags[index]! & FLAG_ERROR) !== 0
  })
}

export function nextMatch(found: Found, from: number, step: 1 | -1): number {
  return nextMarked(found.matches.length, from, step, (index) => found.matches[index] === 1)
}

function nextMarked(
  count: number,
  from: number,
  step: 1 | -1,
  isMarked: (index: number) => boolean
): number {
  const start = from === -1 ? (step === 1 ? -1 : 0) : from
  for (let moved = 1; moved <= count; moved++) {
    const index = (((start + step * moved) % count) + count) % count
    if (isMarked(index)) return index
  }
  return -1
}

/**
 * The parts of a span's time in which no child was running, as start and end pairs in nanoseconds.
 * Parts closer than `gapNs` are joined, so that a row never draws more than it has pixels for.
 */
export function selfParts(model: TraceModel, index: number, gapNs: number): readonly number[] {
  const start = model.startNs[index]!
  const end = start + model.durationNs[index]!
  const parts: number[] = []
  let freeFrom = start
  const add = (from: number, to: number): void => {
    if (to <= from) return
    const last = parts.length - 1
    if (last > 0 && from - parts[last]! <= gapNs) parts[last] = to
    else parts.push(from, to)
  }
  const subtreeEnd = model.subtreeEnd[index]!
  // Siblings are by start, so one sweep finds the gaps between them.
  for (let child = index + 1; child < subtreeEnd; child = model.subtreeEnd[child]!) {
    const childStart = model.startNs[child]!
    add(freeFrom, Math.min(childStart, end))
    freeFrom = Math.max(freeFrom, childStart + model.durationNs[child]!)
    if (freeFrom >= end) break
  }
  add(freeFrom, end)
  return parts
}

/** Time and spans per service, most self time first: where the trace's time went. */
export interface ServiceShare {
  readonly service: string
  readonly spanCount: number
  readonly errorCount: number
  readonly selfNs: number
}

export function serviceShares(model: TraceModel): readonly ServiceShare[] {
  const spanCount = new Int32Array(model.services.length)
  const errorCount = new Int32Array(model.services.length)
  const selfNs = new Float64Array(model.services.length)
  for (let index = 0; index < model.spanCount; index++) {
    const service = model.service[index]!
    spanCount[service]!++
    selfNs[service]! += model.selfNs[index]!
    if ((model.flags[index]! & FLAG_ERROR) !== 0) errorCount[service]!++
  }
  return model.services
    .map((service, index) => ({
      service,
      spanCount: spanCount[index]!,
      errorCount: errorCount[index]!,
      selfNs: selfNs[index]!
    }))
    .sort((a, b) => b.selfNs - a.selfNs || (a.service < b.service ? -1 : 1))
}
