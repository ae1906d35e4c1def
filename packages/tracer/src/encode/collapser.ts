/**
 * Calls to databases and caches that were alike in all but their times, one after the other below the same
 * span, leave as one span with all their times (see collapsed.ts in `@spanloom/otlp`), so that a loop of 500
 * queries is a line in the trace and not 500; a collector counts each call of it.
 *
 *   parent's cell ── held ─→ { first span, [start, end, start, end …] }
 *
 * One group is held back for each open parent. It leaves when a call that differs ends below the parent, when
 * the parent ends, with its 1,000th call, and with every batch: nothing waits longer than that, also at the
 * process's end. Only what is a call without consequences is collapsed: a client span of a database of 50 ms
 * at most, without error, event or link, that was in no context: so nobody can be below it, and nobody
 * remote knows of it. Spans themselves are not changed, and processors see each.
 *
 * Five calls in a group of which each began after the one before had ended are an "N+1".
 */
import { SpanKind } from '@opentelemetry/api'
import {
  COLLAPSED_CALLS,
  COLLAPSED_CALLS_MAX,
  COLLAPSED_COUNT,
  COLLAPSED_DURATION_MS,
  DB_SYSTEM_NAME,
  N_PLUS_ONE,
  packCollapsedCalls
} from '@spanloom/otlp'
import { nanosBetween } from '../lib/clock.ts'
import type { FlatAttributes } from '../trace/attributes.ts'
import type { SpanCell } from '../trace/cell.ts'
import type { RecordingSpan } from '../trace/span.ts'
import type { SpanBuffer } from './span-buffer.ts'

const CALL_MS_MAX = 50
const N_PLUS_ONE_CALLS = 5

interface Group {
  readonly cell: SpanCell
  readonly first: RecordingSpan
  /** Start and end of each call, in epoch milliseconds. */
  readonly times: number[]
  startMs: number
  endMs: number
  /** Calls that began after all before them had ended. */
  sequential: number
}

export class Collapser {
  readonly #buffer: Pick<SpanBuffer, 'add' | 'addGroup' | 'arm'>
  readonly #groups = new Map<SpanCell, Group>()

  constructor(buffer: Pick<SpanBuffer, 'add' | 'addGroup' | 'arm'>) {
    this.#buffer = buffer
  }

  /** @hot Once per ended span that is sent. */
  add(span: RecordingSpan): void {
    const { cell, parentCell } = span
    // What was below it stands before it.
    if (cell?.held === true) this.#release(this.#groups.get(cell)!)
    if (parentCell === undefined) {
      this.#buffer.add(span)
      return
    }
    const group = parentCell.held ? this.#groups.get(parentCell) : undefined
    const isCall = isPlainCall(span)
    if (group !== undefined) {
      if (isCall && group.times.length < COLLAPSED_CALLS_MAX * 2 && isAlike(group.first, span)) {
        addCall(group, span)
        return
      }
      this.#release(group)
    }
    if (isCall && parentCell.span.isRecording()) this.#hold(parentCell, span)
    else this.#buffer.add(span)
  }

  /** All that is held, into the batch that is about to leave. */
  releaseAll(): void {
    for (const group of this.#groups.values()) this.#release(group)
  }

  #hold(cell: SpanCell, span: RecordingSpan): void {
    cell.held = true
    const { startMs, endMs } = span
    const times = [startMs, endMs]
    this.#groups.set(cell, { cell, first: span, times, startMs, endMs, sequential: 1 })
    // It leaves with the next batch at the latest, which must come.
    this.#buffer.arm()
  }

  #release(group: Group): void {
    const { cell, first, times, startMs, endMs } = group
    cell.held = false
    this.#groups.delete(cell)
    if (times.length === 2) this.#buffer.add(first)
    else this.#buffer.addGroup(first, startMs, endMs, groupAttributes(group))
  }
}

/** @hot */
function isPlainCall(span: RecordingSpan): boolean {
  return (
    span.kind === SpanKind.CLIENT &&
    span.cell === undefined &&
    span.statusCode === 0 &&
    span.endMs - span.startMs <= CALL_MS_MAX &&
    span.flatEvents === undefined &&
    span.flatLinks === undefined &&
    span.droppedAttributesCount + span.droppedEventsCount + span.droppedLinksCount === 0 &&
    hasKey(span.flatAttributes, DB_SYSTEM_NAME)
  )
}

function hasKey(flat: FlatAttributes, key: string): boolean {
  for (let index = 0; index < flat.length; index += 2) if (flat[index] === key) return true
  return false
}

/** @hot Below the same parent: whether nothing but the times tells them apart. */
function isAlike(first: RecordingSpan, span: RecordingSpan): boolean {
  if (first.name !== span.name || first.scope !== span.scope) return false
  const left = first.flatAttributes
  const right = span.flatAttributes
  if (left.length !== right.length) return false
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false
  return true
}

function addCall(group: Group, span: RecordingSpan): void {
  const { startMs, endMs } = span
  group.times.push(startMs, endMs)
  if (startMs >= group.endMs && ++group.sequential === N_PLUS_ONE_CALLS) {
    // On an ended span this does nothing.
    span.rootCell?.span.setAttribute(N_PLUS_ONE, true)
  }
  group.startMs = Math.min(group.startMs, startMs)
  group.endMs = Math.max(group.endMs, endMs)
}

function groupAttributes({ times, startMs, sequential }: Group): FlatAttributes {
  const pairs: number[] = []
  let totalNano = 0
  for (let index = 0; index < times.length; index += 2) {
    const nano = nanosBetween(times[index]!, times[index + 1]!)
    pairs.push(nanosBetween(startMs, times[index]!), nano)
    totalNano += nano
  }
  const attributes: FlatAttributes = [
    COLLAPSED_COUNT,
    times.length / 2,
    COLLAPSED_DURATION_MS,
    totalNano / 1e6,
    COLLAPSED_CALLS,
    packCollapsedCalls(pairs)
  ]
  if (sequential >= N_PLUS_ONE_CALLS) attributes.push(N_PLUS_ONE, true)
  return attributes
}
