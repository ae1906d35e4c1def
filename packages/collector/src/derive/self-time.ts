/**
 * Self time: a span's duration without the time in which any of its children ran, whatever service
 * they are of. Children are clamped to the parent, and overlapping ones count once.
 *
 *   parent  ├──────────────────────────┤
 *   child      ├─────┤   ├───────┤
 *   child         ├────┤
 *   self    ├──┤       ├─┤       ├─────┤
 *
 * One pass over the spans by start: when a child comes up, all that its earlier siblings covered
 * ends at or before one known point.
 */
import type { StitchedTrace } from '../model/stitched-trace.ts'

export class SelfTimes {
  /** Of the trace last given to `compute`, by span; nanoseconds, whole. */
  nano = new Float64Array(64)
  #start = new Float64Array(64)
  #coveredUntil = new Float64Array(64)
  #order = new Int32Array(64)

  compute(trace: StitchedTrace): void {
    const { count, parent, durationNano } = trace
    if (this.nano.length < count) this.#grow(count * 2)
    let origin = Number.POSITIVE_INFINITY
    for (let span = 0; span < count; span++) origin = Math.min(origin, trace.startUnixMs[span]!)
    for (let span = 0; span < count; span++) {
      // From the trace's start on, so that nanoseconds are whole numbers that a double holds.
      this.#start[span] = Math.round((trace.startUnixMs[span]! - origin) * 1e6)
      this.#coveredUntil[span] = this.#start[span]!
      this.nano[span] = durationNano[span]!
      this.#order[span] = span
    }
    const start = this.#start
    const order = this.#order.subarray(0, count)
    if (count > 2) order.sort((left, right) => start[left]! - start[right]!)
    else if (count === 2 && start[1]! < start[0]!) order.reverse()
    for (const span of order) {
      const of = parent[span]!
      if (of < 0) continue
      const end = Math.min(start[span]! + durationNano[span]!, start[of]! + durationNano[of]!)
      const from = Math.max(start[span]!, this.#coveredUntil[of]!)
      if (end <= from) continue
      this.nano[of]! -= end - from
      this.#coveredUntil[of] = end
    }
  }

  #grow(length: number): void {
    this.nano = new Float64Array(length)
    this.#start = new Float64Array(length)
    this.#coveredUntil = new Float64Array(length)
    this.#order = new Int32Array(length)
  }
}
