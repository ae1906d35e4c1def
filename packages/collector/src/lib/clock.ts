/** Time, passed in, so that tests own it. Only this file reads the machine's clocks. */
export interface Clock {
  /** Never goes back; its zero means nothing. */
  monotonicMs(): number
  /** The wall clock. */
  unixMs(): number
  /** Runs `then` once, after `delayMs`; returns what calls it off. */
  after(delayMs: number, then: () => void): () => void
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  unixMs: () => Date.now(),
  after(delayMs, then) {
    const timer = setTimeout(then, delayMs)
    return () => clearTimeout(timer)
  }
}
