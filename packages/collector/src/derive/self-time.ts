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
 *
 * A collapsed span covers its parent only while one of its calls ran, and has run for as long itself.
 */
import { NO_CALLS, type StitchedTrace, type TraceCalls } from '../model/stitched-trace.ts'

export class SelfTimes {
  /** Of the trace last given to `compute`, by span; nanoseconds, whole. */
  nano = new Float64Array(64)
  #start = new Float64Array(64)
  #coveredUntil = new Float64Array(64)
  #order = new Int32Array(64)

  compute(trace: StitchedTrace, calls: TraceCalls = NO_CALLS): void {
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
    if (calls.size > 0) {
      this.#coverByCalls(trace, calls)
      return
    }
    const start = this.#start
    const order = this.#order.subarray(0, count)
    if (count > 2) order.sort((left, right) => start[left]! - start[right]!)
    else if (count === 2 && start[1]! < start[0]!) order.reverse()
    for (const span of order) {
      if (parent[span]! >= 0) this.#cover(trace, parent[span]!, start[span]!, durationNano[span]!)
    }
  }

  /** The same where some spans are several stretches of time. */
  #coverByCalls(trace: StitchedTrace, calls: TraceCalls): void {
    const stretches: { parent: number; start: number; nano: number }[] = []
    for (let span = 0; span < trace.count; span++) {
      const start = this.#start[span]!
      const parent = trace.parent[span]!
      const collapsed = calls.get(span)
      if (collapsed === undefined) {
        if (parent >= 0) stretches.push({ parent, start, nano: trace.durationNano[span]! })
        continue
      }
      let own = 0
      for (let call = 0; call < collapsed.count; call++) {
        const nano = collapsed.durationNano[call]!
        own += nano
        if (parent >= 0) stretches.push({ parent, start: start + collapsed.startNano[call]!, nano })
      }
      this.nano[span] = own
    }
    stretches.sort((left, right) => left.start - right.start)
    for (const { parent, start, nano } of stretches) this.#cover(trace, parent, start, nano)
  }

  #cover(trace: StitchedTrace, of: number, start: number, nano: number): void {
    const end = Math.min(start + nano, this.#start[of]! + trace.durationNano[of]!)
    const from = Math.max(start, this.#coveredUntil[of]!)
    if (end <= from) return
    this.nano[of]! -= end - from
    this.#coveredUntil[of] = end
  }

  #grow(length: number): void {
    this.nano = new Float64Array(length)
    this.#start = new Float64Array(length)
    this.#coveredUntil = new Float64Array(length)
    this.#order = new Int32Array(length)
  }
}
