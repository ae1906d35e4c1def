/**
 * When to look at which trace. Buckets of 100 ms of the shard's clock; each is a list through two
 * columns, so arming, moving and forgetting a trace cost the same however many there are.
 *
 *   buckets   [17.3 s] → trace ⇄ trace ⇄ trace      [17.4 s] → trace      …
 *
 * Nothing depends on the order within a bucket: the stitcher sorts what is due.
 */
import { grown } from '../lib/grow.ts'

const BUCKET_MS = 100
const NONE = -1

export class Deadlines {
  readonly #heads = new Map<number, number>()
  #next = new Int32Array(64)
  #previous = new Int32Array(64)
  /** The trace's bucket, NaN when it is in none. */
  #bucket = new Float64Array(64)

  arm(trace: number, deadlineMs: number): void {
    if (trace >= this.#next.length) this.#grow(trace + 1)
    const bucket = Math.ceil(deadlineMs / BUCKET_MS)
    const head = this.#heads.get(bucket) ?? NONE
    this.#next[trace] = head
    this.#previous[trace] = NONE
    this.#bucket[trace] = bucket
    if (head !== NONE) this.#previous[head] = trace
    this.#heads.set(bucket, trace)
  }

  disarm(trace: number): void {
    const next = this.#next[trace]!
    const previous = this.#previous[trace]!
    if (next !== NONE) this.#previous[next] = previous
    if (previous !== NONE) this.#next[previous] = next
    else if (next !== NONE) this.#heads.set(this.#bucket[trace]!, next)
    else this.#heads.delete(this.#bucket[trace]!)
  }

  /** Visits, and forgets, every trace whose deadline may have come by `clockMs`. It may be armed anew. */
  takeDue(clockMs: number, visit: (trace: number) => void): void {
    const last = Math.ceil(clockMs / BUCKET_MS)
    const due = [...this.#heads.entries()].filter(([bucket]) => bucket <= last)
    for (const [bucket] of due) this.#heads.delete(bucket)
    for (const [, head] of due) {
      for (let trace = head; trace !== NONE; ) {
        const next = this.#next[trace]!
        visit(trace)
        trace = next
      }
    }
  }

  #grow(length: number): void {
    const doubled = Math.max(length, this.#next.length * 2)
    this.#next = grown(this.#next, doubled)
    this.#previous = grown(this.#previous, doubled)
    this.#bucket = grown(this.#bucket, doubled)
  }
}
