/**
 * Words shared by the main thread and the sending worker, so that the main thread can wait at exit
 * without an event loop. The worker writes, the main thread reads and sleeps on `SETTLED`.
 */
const SETTLED_BATCHES = 0
const SETTLED_SPANS = 1
const DOWN = 2
const BUSY_MS = 3
const TAKEN_BYTES = 4
const WAITING_MEMORIES = 5
const WORDS = 6

/** An outage that began between looking and sleeping is seen after this. */
const LOOK_AGAIN_MS = 50

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
    // Whoever waits looks again at how long.
    Atomics.notify(this.#words, SETTLED_BATCHES)
  }

  get down(): boolean {
    return Atomics.load(this.#words, DOWN) === 1
  }

  /** What the worker has taken out of its mailbox; wraps. */
  took(byteCount: number): void {
    Atomics.add(this.#words, TAKEN_BYTES, byteCount)
  }

  get takenBytes(): number {
    return Atomics.load(this.#words, TAKEN_BYTES)
  }

  /** Memories of batches that are on their way back to the main thread. */
  get waitingMemories(): number {
    return Atomics.load(this.#words, WAITING_MEMORIES)
  }

  gaveBack(): void {
    Atomics.add(this.#words, WAITING_MEMORIES, 1)
  }

  gotBack(): void {
    Atomics.sub(this.#words, WAITING_MEMORIES, 1)
  }

  /**
   * Blocks until `batchCount` batches have been settled; false when `waitMs` have passed first, or
   * `waitDownMs` in an outage, even one that shows only now.
   */
  waitForBatches(
    batchCount: number,
    waitMs: number,
    waitDownMs: number,
    now: () => number
  ): boolean {
    let deadlineMs = now() + waitMs
    let down = false
    for (;;) {
      const settled = Atomics.load(this.#words, SETTLED_BATCHES)
      // Counters wrap together; the difference stays right.
      if (((batchCount - settled) | 0) <= 0) return true
      if (this.down && !down) {
        down = true
        deadlineMs = Math.min(deadlineMs, now() + waitDownMs)
      }
      const leftMs = deadlineMs - now()
      if (leftMs <= 0) return false
      Atomics.wait(this.#words, SETTLED_BATCHES, settled, Math.min(leftMs, LOOK_AGAIN_MS))
    }
  }
}
