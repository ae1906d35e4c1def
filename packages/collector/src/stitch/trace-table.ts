/**
 * The open traces: one row each. Rows are found by trace id, and are a list from the oldest to the
 * newest, by the arrival of their first span: memory is made room in by deciding the oldest.
 *
 *   #oldest → row ⇄ row ⇄ row ← #newest
 */
import { grown } from '../lib/grow.ts'
import { finishHash, mixWord } from '../lib/hash.ts'
import { RowIndex } from '../lib/row-index.ts'

const INITIAL_ROWS = 64
const NONE = -1
export const NOT_LATE = -1

export class TraceTable {
  count = 0
  /** Four big-endian words a row. */
  traceId = new Uint32Array(INITIAL_ROWS * 4)
  /** Where its first span stood: together they order traces, the same after a restart. */
  firstPosition = new Float64Array(INITIAL_ROWS)
  firstRow = new Int32Array(INITIAL_ROWS)
  firstClockMs = new Float64Array(INITIAL_ROWS)
  lastClockMs = new Float64Array(INITIAL_ROWS)
  spanCount = new Int32Array(INITIAL_ROWS)
  firstSpan = new Int32Array(INITIAL_ROWS)
  lastSpan = new Int32Array(INITIAL_ROWS)
  /** Index of the decision that it follows, or NOT_LATE. */
  decision = new Int32Array(INITIAL_ROWS)
  /** 1 when it was found unsettled and nothing has come since. */
  unsettled = new Uint8Array(INITIAL_ROWS)
  #newer = new Int32Array(INITIAL_ROWS)
  #older = new Int32Array(INITIAL_ROWS)
  #oldest = NONE
  #newest = NONE
  #used = 0
  #free = NONE
  readonly #index = new RowIndex()

  /** Row of the trace whose first span came first, or -1. */
  get oldest(): number {
    return this.#oldest
  }

  /** @hot The row of the trace whose id is the four words at `at`, or -1. */
  find(words: Uint32Array, at: number): number {
    const hash = hashOf(words, at)
    const index = this.#index
    for (let slot = index.first(hash); ; slot = index.after(slot)) {
      const row = index.rowAt(slot)
      if (row < 0) return NONE
      if (index.hashIs(row, hash) && this.#is(row, words, at)) return row
    }
  }

  add(
    words: Uint32Array,
    at: number,
    position: number,
    row: number,
    clockMs: number,
    decision: number
  ): number {
    const trace = this.#take()
    for (let word = 0; word < 4; word++) this.traceId[trace * 4 + word] = words[at + word]!
    this.firstPosition[trace] = position
    this.firstRow[trace] = row
    this.firstClockMs[trace] = clockMs
    this.lastClockMs[trace] = clockMs
    this.spanCount[trace] = 0
    this.firstSpan[trace] = NONE
    this.lastSpan[trace] = NONE
    this.decision[trace] = decision
    this.unsettled[trace] = 0
    this.#older[trace] = this.#newest
    this.#newer[trace] = NONE
    if (this.#newest === NONE) this.#oldest = trace
    else this.#newer[this.#newest] = trace
    this.#newest = trace
    this.#index.add(trace, hashOf(words, at))
    this.count++
    return trace
  }

  remove(trace: number): void {
    this.#index.remove(trace)
    const older = this.#older[trace]!
    const newer = this.#newer[trace]!
    if (older === NONE) this.#oldest = newer
    else this.#newer[older] = newer
    if (newer === NONE) this.#newest = older
    else this.#older[newer] = older
    this.#newer[trace] = this.#free
    this.#free = trace
    this.count--
  }

  /** By the arrival of their first spans. */
  compare(left: number, right: number): number {
    return (
      this.firstPosition[left]! - this.firstPosition[right]! ||
      this.firstRow[left]! - this.firstRow[right]!
    )
  }

  /** Oldest first. */
  *rows(): Iterable<number> {
    for (let trace = this.#oldest; trace !== NONE; trace = this.#newer[trace]!) yield trace
  }

  #is(row: number, words: Uint32Array, at: number): boolean {
    const own = row * 4
    return (
      this.traceId[own + 3] === words[at + 3] &&
      this.traceId[own + 2] === words[at + 2] &&
      this.traceId[own + 1] === words[at + 1] &&
      this.traceId[own] === words[at]
    )
  }

  #take(): number {
    if (this.#free !== NONE) {
      const row = this.#free
      this.#free = this.#newer[row]!
      return row
    }
    if (this.#used === this.spanCount.length) this.#grow(this.#used * 2)
    return this.#used++
  }

  #grow(length: number): void {
    this.traceId = grown(this.traceId, length * 4)
    this.firstPosition = grown(this.firstPosition, length)
    this.firstRow = grown(this.firstRow, length)
    this.firstClockMs = grown(this.firstClockMs, length)
    this.lastClockMs = grown(this.lastClockMs, length)
    this.spanCount = grown(this.spanCount, length)
    this.firstSpan = grown(this.firstSpan, length)
    this.lastSpan = grown(this.lastSpan, length)
    this.decision = grown(this.decision, length)
    this.unsettled = grown(this.unsettled, length)
    this.#newer = grown(this.#newer, length)
    this.#older = grown(this.#older, length)
  }
}

function hashOf(words: Uint32Array, at: number): number {
  // Trace ids are random in one half at least; which half differs between tracers.
  const left = mixWord(mixWord(0, words[at]!), words[at + 1]!)
  return finishHash(mixWord(mixWord(left, words[at + 2]!), words[at + 3]!))
}
