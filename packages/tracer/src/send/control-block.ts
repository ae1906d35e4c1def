/**
 * Words shared by the main thread and the sending worker, so that the main thread can wait at exit
 * without an event loop. The worker writes, the main thread reads and sleeps on `SETTLED`.
 */
const SETTLED_BATCHES = 0
const SETTLED_SPANS = 1
const DOWN = 2
const BUSY_MS = 3
const WORDS = 4

export class ControlBlock {
  readonly shared: SharedArrayBuffer
  readonly #words: Int32Array<SharedArrayBuffer>

  constructor(shared = new SharedArrayBuffer(WORDS * 4)) {
    this.shared = shared
    this.#words = new Int32Array(shared)
  }

  settle(spanCount: number): void {
    Atomics.add(this.#words, SETTLED_SPANS, spanCount)
    Atomics.add(this.#words, SETTLED_BATCHES, 1)
    Atomics.notify(this.#words, SETTLED_BATCHES)
  }

  get settledSpans(): number {
    return Atomics.load(this.#words, SETTLED_SPANS)
  }

  /** Milliseconds for which the worker's event loop has been busy since it began. */
  set busyMs(ms: number) {
    Atomics.store(this.#words, BUSY_MS, ms | 0)
  }

  get busyMs(): number {
    return Atomics.load(this.#words, BUSY_MS)
  }

  set down(down: boolean) {
    Atomics.store(this.#words, DOWN, down ? 1 : 0)
  }

  get down(): boolean {
    return Atomics.load(this.#words, DOWN) === 1
  }

  /** Blocks until `batchCount` batches have been settled; false when `deadlineMs` (monotonic) came first. */
  waitForBatches(batchCount: number, deadlineMs: number, now: () => number): boolean {
    for (;;) {
      const settled = Atomics.load(this.#words, SETTLED_BATCHES)
      // Counters wrap together; the difference stays right.
      if (((batchCount - settled) | 0) <= 0) return true
      const leftMs = deadlineMs - now()
      if (leftMs <= 0) return false
      Atomics.wait(this.#words, SETTLED_BATCHES, settled, leftMs)
    }
  }
}
