/**
 * What was counted since the last tick, by key (an operation or an edge) and time step: the rows
 * of the rollup tables. Emptied at every tick, so it is small and no part of the checkpoint.
 *
 *   (key, step)       ─→ slot: calls, errors, sum
 *   (slot, log index) ─→ count                     all histograms in one flat table
 */
import { bucketOfCell, LOG_INDEX_MAX, type SpanStatsPoint } from '@spanloom/otlp'
import { grown } from '../lib/grow.ts'
import { finishHash, mixWord } from '../lib/hash.ts'
import { RowIndex } from '../lib/row-index.ts'

const INITIAL_SLOTS = 64

/** A span that ended longer ago, or later from now, has a broken clock or a long way behind it. */
const PAST_MAX_MS = 15 * 60_000
const FUTURE_MAX_MS = 60_000

export interface RollupDelta {
  readonly key: number
  readonly stepUnixMs: number
  readonly calls: number
  readonly errors: number
  readonly durationSumNano: number
  readonly durations: { readonly indexes: readonly number[]; readonly counts: readonly number[] }
}

/** The step in which a span ended; the one in which it was received when that is out of bounds. */
export function stepOf(endUnixMs: number, receivedUnixMs: number, stepMs: number): number {
  const plausible =
    endUnixMs >= receivedUnixMs - PAST_MAX_MS && endUnixMs <= receivedUnixMs + FUTURE_MAX_MS
  return Math.floor((plausible ? endUnixMs : receivedUnixMs) / stepMs) * stepMs
}

export class RollupTable {
  count = 0
  #key = new Int32Array(INITIAL_SLOTS)
  #step = new Float64Array(INITIAL_SLOTS)
  #calls = new Float64Array(INITIAL_SLOTS)
  #errors = new Float64Array(INITIAL_SLOTS)
  #sums = new Float64Array(INITIAL_SLOTS)
  readonly #index = new RowIndex()
  readonly #cells = new CellTable()
  /** Spans come in bursts of the same key and step. */
  #lastKey = -1
  #lastStep = -1
  #lastSlot = -1

  /** @hot */
  add(key: number, stepUnixMs: number, failed: boolean, durationNano: number, log: number): void {
    const slot = this.#slotOf(key, stepUnixMs)
    this.#calls[slot]!++
    if (failed) this.#errors[slot]!++
    this.#sums[slot]! += durationNano
    this.#cells.add(slot * LOG_INDEX_MAX + log)
  }

  /** Calls that were counted elsewhere; `cells` as in SpanStatsPoint. */
  addCounted(
    key: number,
    stepUnixMs: number,
    counted: Pick<SpanStatsPoint, 'calls' | 'sumNano' | 'cells'>,
    failed: boolean
  ): void {
    const { calls, sumNano, cells } = counted
    const slot = this.#slotOf(key, stepUnixMs)
    this.#calls[slot]! += calls
    if (failed) this.#errors[slot]! += calls
    this.#sums[slot]! += sumNano
    for (let index = 0; index < cells.length; index += 2) {
      const log = cells[index]! - bucketOfCell(cells[index]!)
      this.#cells.add(slot * LOG_INDEX_MAX + log, cells[index + 1]!)
    }
  }

  /** All, in the order in which they were first counted; then it is empty. */
  flush(visit: (delta: RollupDelta) => void): void {
    const histograms = this.#cells.take(LOG_INDEX_MAX)
    for (let slot = 0; slot < this.count; slot++) {
      visit({
        key: this.#key[slot]!,
        stepUnixMs: this.#step[slot]!,
        calls: this.#calls[slot]!,
        errors: this.#errors[slot]!,
        durationSumNano: this.#sums[slot]!,
        durations: histograms.get(slot) ?? { indexes: [], counts: [] }
      })
    }
    this.#calls.fill(0, 0, this.count)
    this.#errors.fill(0, 0, this.count)
    this.#sums.fill(0, 0, this.count)
    this.#index.clear()
    this.#lastSlot = -1
    this.count = 0
  }

  #slotOf(key: number, step: number): number {
    if (this.#lastSlot >= 0 && key === this.#lastKey && step === this.#lastStep) {
      return this.#lastSlot
    }
    const slot = this.#find(key, step)
    this.#lastKey = key
    this.#lastStep = step
    this.#lastSlot = slot
    return slot
  }

  #find(key: number, step: number): number {
    // Steps are multiples of a second at least, and those at hand close together.
    const hash = finishHash(mixWord(key, step / 1000))
    for (let at = this.#index.first(hash); ; at = this.#index.after(at)) {
      const slot = this.#index.rowAt(at)
      if (slot < 0) break
      if (this.#key[slot] === key && this.#step[slot] === step) return slot
    }
    if (this.count === this.#key.length) this.#grow(this.count * 2)
    const slot = this.count++
    this.#key[slot] = key
    this.#step[slot] = step
    this.#index.add(slot, hash)
    return slot
  }

  #grow(length: number): void {
    this.#key = grown(this.#key, length)
    this.#step = grown(this.#step, length)
    this.#calls = grown(this.#calls, length)
    this.#errors = grown(this.#errors, length)
    this.#sums = grown(this.#sums, length)
  }
}

/** Counts by integer key: open addressing, keys stored + 1. */
class CellTable {
  #keys = new Float64Array(256)
  #counts = new Float64Array(256)
  #size = 0

  /** @hot */
  add(key: number, amount = 1): void {
    if ((this.#size + 1) * 2 > this.#keys.length) this.#grow()
    const slot = this.#slotOf(key)
    if (this.#keys[slot] === 0) {
      this.#keys[slot] = key + 1
      this.#size++
    }
    this.#counts[slot]! += amount
  }

  /** By floor(key / width): the remainders and their counts, ascending. Then it is empty. */
  take(width: number): Map<number, { indexes: number[]; counts: number[] }> {
    const rows = new Map<number, { indexes: number[]; counts: number[] }>()
    const keys = this.#keys.filter((key) => key !== 0).sort()
    for (const stored of keys) {
      const key = stored - 1
      const row = Math.floor(key / width)
      let histogram = rows.get(row)
      if (histogram === undefined) {
        histogram = { indexes: [], counts: [] }
        rows.set(row, histogram)
      }
      histogram.indexes.push(key % width)
      histogram.counts.push(this.#counts[this.#slotOf(key)]!)
    }
    this.#reset(this.#keys.length > 65_536 ? 256 : this.#keys.length)
    return rows
  }

  #slotOf(key: number): number {
    const mask = this.#keys.length - 1
    let slot = finishHash(key) & mask
    while (this.#keys[slot] !== 0 && this.#keys[slot] !== key + 1) slot = (slot + 1) & mask
    return slot
  }

  #reset(length: number): void {
    this.#keys = new Float64Array(length)
    this.#counts = new Float64Array(length)
    this.#size = 0
  }

  #grow(): void {
    const keys = this.#keys
    const counts = this.#counts
    const size = this.#size
    this.#reset(keys.length * 2)
    this.#size = size
    for (let old = 0; old < keys.length; old++) {
      if (keys[old] === 0) continue
      const slot = this.#slotOf(keys[old]! - 1)
      this.#keys[slot] = keys[old]!
      this.#counts[slot] = counts[old]!
    }
  }
}
