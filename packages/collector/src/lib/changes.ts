/** Waiting for a condition over state that says when it has changed. */
export class Changes {
  #waiting: Array<() => void> = []

  notify(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }

  /** Resolves with true once the condition holds, with false when `signal` comes first. */
  async until(condition: () => boolean, signal?: AbortSignal): Promise<boolean> {
    while (!condition()) {
      if (signal?.aborted) return false
      await new Promise<void>((wake) => {
        this.#waiting.push(wake)
        signal?.addEventListener('abort', () => wake(), { once: true })
      })
    }
    return true
  }
}
