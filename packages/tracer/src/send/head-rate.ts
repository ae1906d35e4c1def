/**
 * The collector's say in head sampling, on the sending side: what a request tells it, and what is made of
 * its answer.
 *
 *   request ─→ "shop=0.25"  the rate in force
 *   answer  ←─ "shop=0.125" in force from now on, for VALID_MS; told to the main thread when it changes
 *
 * An answer without a rate changes nothing; without a new one for VALID_MS the rate is 1 again, so
 * a collector that goes away, or no longer wants it, leaves no app sampled. Rates below RATE_MIN are not
 * believed: an app must stay visible.
 */
import { formatHeadRate, headRateFor } from '@spanloom/otlp'

const VALID_MS = 60_000
const RATE_MIN = 0.001

export interface HeadRateParts {
  /** Encoded, as in the header. */
  readonly name: string
  /** Returns a canceller. */
  readonly after: (ms: number, then: () => void) => () => void
  readonly changed: (rate: number) => void
}

export class HeadRate {
  readonly #parts: HeadRateParts
  #rate = 1
  #cancelExpiry: (() => void) | undefined = undefined

  constructor(parts: HeadRateParts) {
    this.#parts = parts
  }

  /** For a request. */
  get header(): string {
    return formatHeadRate(this.#parts.name, this.#rate)
  }

  /** An answer's header. */
  heard(header: string | string[] | undefined): void {
    if (typeof header !== 'string') return
    const { name, after } = this.#parts
    const rate = headRateFor(name, header)
    if (rate === undefined) return
    this.#cancelExpiry?.()
    this.#cancelExpiry = undefined
    if (rate < 1) this.#cancelExpiry = after(VALID_MS, () => this.#set(1))
    this.#set(Math.max(RATE_MIN, rate))
  }

  close(): void {
    this.#cancelExpiry?.()
  }

  #set(rate: number): void {
    if (rate === this.#rate) return
    this.#rate = rate
    this.#parts.changed(rate)
  }
}
