/**
 * Counts by bucket index, for indexes that lie close together, as the durations of one operation do:
 *
 *   index      offset …                offset + counts.length
 *   counts     [ 0 ][ 3 ][ 9 ][ 1 ][ 0 ]
 *
 * It grows to either side when an index falls outside.
 */
const INITIAL_LENGTH = 16
const INITIAL_BEFORE = 4

export class BucketWindow {
  offset = 0
  counts: number[] = []

  /** @hot */
  add(index: number): void {
    const at = index - this.offset
    if (at >= 0 && at < this.counts.length) this.counts[at]!++
    else this.#addOutside(index)
  }

  /** Index, count, index, count … of the buckets that are not empty. */
  pairs(): number[] {
    const pairs: number[] = []
    for (let at = 0; at < this.counts.length; at++) {
      if (this.counts[at]! > 0) pairs.push(this.offset + at, this.counts[at]!)
    }
    return pairs
  }

  /** Hands over what was counted, without the empty buckets at either end. */
  take(): { readonly offset: number; readonly counts: readonly number[] } {
    const { counts, offset } = this
    let first = 0
    while (first < counts.length && counts[first] === 0) first++
    let end = counts.length
    while (end > first && counts[end - 1] === 0) end--
    const taken = { offset: offset + first, counts: counts.slice(first, end) }
    // The same room again: what comes next is as long as what came before.
    this.counts.fill(0)
    return taken
  }

  #addOutside(index: number): void {
    if (this.counts.length === 0) {
      this.offset = index - INITIAL_BEFORE
      this.counts = new Array<number>(INITIAL_LENGTH).fill(0)
    }
    const missing = this.offset - index
    if (missing > 0) {
      this.counts = [...new Array<number>(missing + INITIAL_BEFORE).fill(0), ...this.counts]
      this.offset -= missing + INITIAL_BEFORE
    }
    while (index - this.offset >= this.counts.length) this.counts.push(0)
    this.counts[index - this.offset]!++
  }
}
