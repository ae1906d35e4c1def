/**
 * Head rates for tracers that ask: how much of the traces that a service begins it may sample, so that
 * about so many of its spans arrive in a second.
 *
 *   request  "shop=0.25" and 500 spans  ─→  2000 spans would have come unsampled
 *   arrivals of "shop", averaged        ─→  8000 unsampled spans a second
 *   target 1000 a second                ─→  answer "shop=0.125"
 *
 * Each request says with which rate its spans were made, so an answer needs nothing of the answers before
 * it: processes of one service may have different rates, and after a restart, while there is no average
 * yet, a tracer is told to keep the rate it has. Retried payloads count twice here, and here only.
 *
 * Limits: SERVICES_MAX services, beyond which the one that was quiet for longest is forgotten and starts
 * anew; no rate below RATE_MIN. The name in a request is the sender's word and need not be that of its
 * spans; who could lie there could as well send spans in another's name.
 */
import { formatHeadRate, readHeadRate } from '@spanloom/otlp'

/** Long enough to smooth batches of half a second, short enough to follow a rush. */
const AVERAGED_MS = 10_000
/** Younger averages say nothing: a tracer sends twice a second at most when it is not in a hurry. */
const YOUNG_MS = 3_000
const SERVICES_MAX = 1_000
/** Tracers do not go below it either. */
const RATE_MIN = 0.001

interface Arrivals {
  readonly sinceMs: number
  lastMs: number
  /** Unsampled spans, decaying: over AVERAGED_MS they are a mean per that time. */
  weight: number
}

export class HeadRates {
  readonly #spansPerSecond: number
  readonly #nowMs: () => number
  /** In the order of their last arrival. */
  readonly #services = new Map<string, Arrivals>()

  /** `nowMs` is monotonic. */
  constructor(spansPerSecond: number, nowMs: () => number) {
    this.#spansPerSecond = spansPerSecond
    this.#nowMs = nowMs
  }

  /** The answer's header to a request with this header and so many spans; undefined: none. */
  answer(header: string | string[] | undefined, spanCount: number): string | undefined {
    const asked = typeof header === 'string' ? readHeadRate(header) : undefined
    if (asked === undefined) return undefined
    const { name, rate } = asked
    const perSecond = this.#arrived(name, spanCount / Math.max(rate, RATE_MIN))
    if (perSecond === undefined) return formatHeadRate(name, rate)
    return formatHeadRate(name, Math.max(RATE_MIN, Math.min(1, this.#spansPerSecond / perSecond)))
  }

  /** Unsampled spans a second; undefined while that is not known. */
  #arrived(name: string, spans: number): number | undefined {
    const nowMs = this.#nowMs()
    const known = this.#services.get(name)
    if (known === undefined) {
      // Its spans came in a time before, of which we know nothing: it is where the clock starts.
      this.#keep(name, { sinceMs: nowMs, lastMs: nowMs, weight: 0 })
      return undefined
    }
    known.weight = known.weight * Math.exp((known.lastMs - nowMs) / AVERAGED_MS) + spans
    known.lastMs = nowMs
    this.#services.delete(name)
    this.#keep(name, known)
    const ageMs = nowMs - known.sinceMs
    if (ageMs < YOUNG_MS) return undefined
    // What a constant stream of one span a second has come to by now.
    const full = (AVERAGED_MS / 1_000) * (1 - Math.exp(-ageMs / AVERAGED_MS))
    return known.weight / full
  }

  #keep(name: string, arrivals: Arrivals): void {
    this.#services.set(name, arrivals)
    if (this.#services.size <= SERVICES_MAX) return
    this.#services.delete(this.#services.keys().next().value!)
  }
}
