/**
 * The spans of all open traces: one row each in typed-array columns, 93 bytes with its place in
 * the index. A trace's spans are a list through `next`, in the order of arrival.
 *
 *   trace row ── first ─→ row ── next ─→ row ── next ─→ row ── next ─→ -1
 *
 * Rows of decided traces go to a free list and are used again. Columns grow by doubling and never
 * shrink: their size is that of the busiest moment.
 */
import type { SpanRows } from '@spanloom/otlp'
import { grown } from '../lib/grow.ts'
import { finishHash, mixWord } from '../lib/hash.ts'
import { RowIndex } from '../lib/row-index.ts'
import { isCollapsed } from '../model/wanted-keys.ts'

const INITIAL_ROWS = 256

/** What the shard found out about a span before it was put here; one object, filled anew per span. */
export interface SpanFacts {
  service: number
  name: number
  peerType: number
  peerName: number
  series: number
}

export class SpanTable {
  /** Open spans. */
  count = 0
  trace = new Int32Array(INITIAL_ROWS)
  spanIdHigh = new Uint32Array(INITIAL_ROWS)
  spanIdLow = new Uint32Array(INITIAL_ROWS)
  parentHigh = new Uint32Array(INITIAL_ROWS)
  parentLow = new Uint32Array(INITIAL_ROWS)
  startUnixMs = new Float64Array(INITIAL_ROWS)
  durationNano = new Float64Array(INITIAL_ROWS)
  service = new Int32Array(INITIAL_ROWS)
  name = new Int32Array(INITIAL_ROWS)
  peerName = new Int32Array(INITIAL_ROWS)
  series = new Int32Array(INITIAL_ROWS)
  payload = new Int32Array(INITIAL_ROWS)
  /** Index of the span in its payload. */
  payloadRow = new Int32Array(INITIAL_ROWS)
  spanOffset = new Int32Array(INITIAL_ROWS)
  spanLength = new Int32Array(INITIAL_ROWS)
  group = new Int32Array(INITIAL_ROWS)
  next = new Int32Array(INITIAL_ROWS)
  kind = new Uint8Array(INITIAL_ROWS)
  status = new Uint8Array(INITIAL_ROWS)
  peerType = new Uint8Array(INITIAL_ROWS)
  /** 1: it says that it stands for several calls. */
  collapsed = new Uint8Array(INITIAL_ROWS)
  /** 1 once a server or consumer child is known. */
  answered = new Uint8Array(INITIAL_ROWS)
  #used = 0
  #free = -1
  readonly #index = new RowIndex()

  /** @hot The row of a trace's span, or -1. */
  find(trace: number, high: number, low: number): number {
    const index = this.#index
    const hash = hashOf(trace, high, low)
    for (let slot = index.first(hash); ; slot = index.after(slot)) {
      const row = index.rowAt(slot)
      if (row < 0) return -1
      if (
        this.spanIdLow[row] === low &&
        this.spanIdHigh[row] === high &&
        this.trace[row] === trace
      ) {
        return row
      }
    }
  }

  /** @hot Copies what is needed of the scanned row; `scanned` may be reused afterwards. */
  add(
    trace: number,
    payload: number,
    group: number,
    scanned: SpanRows,
    at: number,
    facts: SpanFacts
  ): number {
    const row = this.#take()
    const high = scanned.spanId[at * 2]!
    const low = scanned.spanId[at * 2 + 1]!
    const parentHigh = scanned.parentSpanId[at * 2]!
    const parentLow = scanned.parentSpanId[at * 2 + 1]!
    // A span that names itself as its parent has none.
    const ownParent = parentHigh === high && parentLow === low
    this.trace[row] = trace
    this.spanIdHigh[row] = high
    this.spanIdLow[row] = low
    this.parentHigh[row] = ownParent ? 0 : parentHigh
    this.parentLow[row] = ownParent ? 0 : parentLow
    this.startUnixMs[row] = scanned.startUnixMs[at]!
    this.durationNano[row] = Math.max(0, scanned.durationNano[at]!)
    this.kind[row] = scanned.kind[at]!
    this.status[row] = scanned.status[at]!
    this.collapsed[row] = isCollapsed(scanned, at) ? 1 : 0
    this.spanOffset[row] = scanned.spanOffset[at]!
    this.spanLength[row] = scanned.spanLength[at]!
    this.service[row] = facts.service
    this.name[row] = facts.name
    this.peerType[row] = facts.peerType
    this.peerName[row] = facts.peerName
    this.series[row] = facts.series
    this.payload[row] = payload
    this.payloadRow[row] = at
    this.group[row] = group
    this.next[row] = -1
    this.answered[row] = 0
    this.#index.add(row, hashOf(trace, high, low))
    this.count++
    return row
  }

  remove(row: number): void {
    this.#index.remove(row)
    this.next[row] = this.#free
    this.#free = row
    this.trace[row] = -1
    this.count--
  }

  hasParent(row: number): boolean {
    return this.parentHigh[row] !== 0 || this.parentLow[row] !== 0
  }

  /** Marks the names that open spans use. */
  markNames(marks: Uint8Array): void {
    for (let row = 0; row < this.#used; row++) {
      if (this.trace[row]! < 0) continue
      marks[this.service[row]!] = 1
      marks[this.name[row]!] = 1
      if (this.peerName[row]! >= 0) marks[this.peerName[row]!] = 1
    }
  }

  moveNames(moved: Int32Array): void {
    for (let row = 0; row < this.#used; row++) {
      if (this.trace[row]! < 0) continue
      this.service[row] = moved[this.service[row]!]!
      this.name[row] = moved[this.name[row]!]!
      if (this.peerName[row]! >= 0) this.peerName[row] = moved[this.peerName[row]!]!
    }
  }

  #take(): number {
    if (this.#free >= 0) {
      const row = this.#free
      this.#free = this.next[row]!
      return row
    }
    if (this.#used === this.trace.length) this.#grow(this.#used * 2)
    return this.#used++
  }

  #grow(length: number): void {
    this.trace = grown(this.trace, length)
    this.spanIdHigh = grown(this.spanIdHigh, length)
    this.spanIdLow = grown(this.spanIdLow, length)
    this.parentHigh = grown(this.parentHigh, length)
    this.parentLow = grown(this.parentLow, length)
    this.startUnixMs = grown(this.startUnixMs, length)
    this.durationNano = grown(this.durationNano, length)
    this.service = grown(this.service, length)
    this.name = grown(this.name, length)
    this.peerName = grown(this.peerName, length)
    this.series = grown(this.series, length)
    this.payload = grown(this.payload, length)
    this.payloadRow = grown(this.payloadRow, length)
    this.spanOffset = grown(this.spanOffset, length)
    this.spanLength = grown(this.spanLength, length)
    this.group = grown(this.group, length)
    this.next = grown(this.next, length)
    this.kind = grown(this.kind, length)
    this.status = grown(this.status, length)
    this.peerType = grown(this.peerType, length)
    this.collapsed = grown(this.collapsed, length)
    this.answered = grown(this.answered, length)
  }
}

function hashOf(trace: number, high: number, low: number): number {
  return finishHash(mixWord(mixWord(trace, high), low))
}
