/**
 * A token bucket: so many a second, and as many at once after a quiet second. The clock is passed in;
 * one that stands still or runs back gives no tokens.
 */
export class RateLimiter {
  readonly perSecond: number
  readonly #capacity: number
  readonly #nowMs: () => number
  #tokens: number
  #filledMs: number

  constructor(perSecond: number, nowMs: () => number) {
    this.perSecond = perSecond
    // Half a trace a second is one trace every two seconds.
    this.#capacity = Math.max(1, perSecond)
    this.#nowMs = nowMs
    this.#tokens = perSecond === 0 ? 0 : this.#capacity
    this.#filledMs = nowMs()
  }

  /** @hot Whether there was one left. */
  take(): boolean {
    const nowMs = this.#nowMs()
    if (nowMs > this.#filledMs) {
      const grown = this.#tokens + ((nowMs - this.#filledMs) / 1_000) * this.perSecond
      this.#tokens = Math.min(grown, this.#capacity)
      this.#filledMs = nowMs
    }
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }
}
