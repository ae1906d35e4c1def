/** A clock that a test moves. */
import type { Clock } from './clock.ts'

export class TestClock implements Clock {
  #monotonicMs = 5_000
  readonly #unixStartMs = 1_700_000_000_000
  #timers: { atMs: number; then: () => void }[] = []

  monotonicMs(): number {
    return this.#monotonicMs
  }

  unixMs(): number {
    return this.#unixStartMs + this.#monotonicMs
  }

  after(delayMs: number, then: () => void): () => void {
    const timer = { atMs: this.#monotonicMs + delayMs, then }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  get timerCount(): number {
    return this.#timers.length
  }

  /** Runs what is due on the way, in order; what comes of it runs before the next. */
  async advance(byMs: number): Promise<void> {
    const endMs = this.#monotonicMs + byMs
    for (;;) {
      const next = this.#timers.filter((timer) => timer.atMs <= endMs).sort(byTime)[0]
      if (next === undefined) break
      this.#timers = this.#timers.filter((timer) => timer !== next)
      this.#monotonicMs = Math.max(this.#monotonicMs, next.atMs)
      next.then()
      await turn()
    }
    this.#monotonicMs = endMs
    await turn()
  }
}

/** Lets everything that is ready run, file operations of a test's own excepted. */
export async function turn(): Promise<void> {
  for (let count = 0; count < 5; count++) await new Promise((resolve) => setImmediate(resolve))
}

/** Waits for what files and threads bring about. */
export async function eventually(condition: () => boolean, withinMs = 10_000): Promise<void> {
  const deadlineMs = performance.now() + withinMs
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${withinMs} ms: ${condition}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function byTime(left: { atMs: number }, right: { atMs: number }): number {
  return left.atMs - right.atMs
}
