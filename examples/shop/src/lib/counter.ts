/**
 * A service's own count of what it served and called: the truth that Spanloom's figures are
 * compared with. It knows nothing of tracing; it counts where the app itself sees the outcome.
 *
 * Bounded by the routes and targets that the services name in their code.
 */
export interface CallCount {
  readonly calls: number
  /** As the caller sees it: no answer, an HTTP status of 400 and above, a query that threw. */
  readonly failed: number
}

export interface ServiceCounts {
  /** Requests answered. */
  readonly calls: number
  /** Requests answered with a status of 500 and above. */
  readonly errors: number
  /** By 'METHOD route status'. */
  readonly served: Readonly<Record<string, number>>
  /** By the name of who was called. */
  readonly called: Readonly<Record<string, CallCount>>
}

export class Counter {
  #calls = 0
  #errors = 0
  readonly #served = new Map<string, number>()
  readonly #called = new Map<string, { calls: number; failed: number }>()

  served(method: string, route: string, status: number): void {
    const key = `${method} ${route} ${status}`
    this.#calls++
    if (status >= 500) this.#errors++
    this.#served.set(key, (this.#served.get(key) ?? 0) + 1)
  }

  called(target: string, failed: boolean): void {
    const count = this.#called.get(target) ?? { calls: 0, failed: 0 }
    count.calls++
    if (failed) count.failed++
    this.#called.set(target, count)
  }

  snapshot(): ServiceCounts {
    return {
      calls: this.#calls,
      errors: this.#errors,
      served: Object.fromEntries(this.#served),
      called: Object.fromEntries([...this.#called].map(([name, count]) => [name, { ...count }]))
    }
  }
}
