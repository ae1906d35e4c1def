/**
 * A probability for each operation, and so many traces a second at least:
 *
 *   span's name ─┐                        ┌→ probability ─→ kept, with its threshold
 *                ├→ operation in a table ─┤
 *   method, path ┘   or the default       └→ not kept ─→ fewer than the lower bound? kept, without one
 *
 * An operation is what a span is called in the end, `GET /orders/:id`; an HTTP server's span begins as `GET`. So an
 * operation that is a method and a route is also held against the request's method and path. What a
 * probability keeps counts for the lower bound, and each operation has a bound of its own, those that only
 * the default is for as well. Limits: 2,000 operations, listed or met, and 100 routes with a `:` in them;
 * further ones have the default probability without a lower bound.
 */
import { HTTP_REQUEST_METHOD, URL_PATH } from '@spanloom/otlp'
import { type Decide, ratio, unweighted } from '../decide.ts'
import { compileGlob, type Glob, PATTERN_CHARS_MAX } from '../glob.ts'
import { RateLimiter } from '../rate-limiter.ts'
import { DROP, type HeadRequest, RECORD_AND_SAMPLE } from '../sampling-result.ts'
import type { SamplerParts } from '../sampling-settings.ts'
import { isMap, type JsonMap, numberOf } from './remote-sampler.ts'

export const OPERATIONS_MAX = 2_000
export const ROUTES_MAX = 100
const ROUTE = /^[A-Z]{3,10} \//

interface Operation {
  readonly probability: number
  readonly limiter: RateLimiter
  readonly decide: Decide
}

interface Route {
  readonly fits: Glob
  readonly operation: Operation
}

export class Operations {
  readonly #parts: SamplerParts
  #byName: ReadonlyMap<string, Operation> = new Map()
  /** Met, and not listed: by the span's name. */
  #unlisted = new Map<string, Operation>()
  #routes: readonly Route[] = []
  #defaultProbability = 0
  #lowerBound = 0
  #decideDefault: Decide = ratio(0, true)
  #isFullTold = false
  readsFacts = false

  constructor(parts: SamplerParts) {
    this.#parts = parts
  }

  /** @hot */
  readonly decide: Decide = (request) => this.#decideOf(request)(request)

  #decideOf(request: HeadRequest): Decide {
    const { name } = request
    const found = this.#byName.get(name) ?? this.#byRoute(request) ?? this.#unlisted.get(name)
    return found?.decide ?? this.#meet(name)
  }

  /** What is wrong with it; then what was in force stays. */
  take(sampling: JsonMap): string | undefined {
    const probability = numberOf(sampling.defaultSamplingProbability, 1)
    if (probability === undefined) {
      return `defaultSamplingProbability ${sampling.defaultSamplingProbability}`
    }
    const bound = sampling.defaultLowerBoundTracesPerSecond
    const lowerBound = numberOf(bound, Number.MAX_SAFE_INTEGER)
    if (lowerBound === undefined) return `defaultLowerBoundTracesPerSecond ${bound}`
    const listed = listOf(sampling.perOperationStrategies)
    if (typeof listed === 'string') return listed
    const known = new Map([...this.#unlisted, ...this.#byName])
    const remade = (name: string, rate: number) => this.#remade(known.get(name), rate, lowerBound)
    const byName = new Map<string, Operation>()
    for (const [name, rate] of listed) {
      if (byName.size < OPERATIONS_MAX) byName.set(name, remade(name, rate))
      else this.#tellFull()
    }
    const unlisted = new Map<string, Operation>()
    for (const name of this.#unlisted.keys()) {
      if (byName.size + unlisted.size === OPERATIONS_MAX) break
      if (!byName.has(name)) unlisted.set(name, remade(name, probability))
    }
    this.#defaultProbability = probability
    this.#lowerBound = lowerBound
    this.#decideDefault = ratio(probability, true)
    this.#byName = byName
    this.#unlisted = unlisted
    this.#takeRoutes()
    return undefined
  }

  #takeRoutes(): void {
    const routes: Route[] = []
    let hasRoutes = false
    for (const [name, operation] of this.#byName) {
      if (!ROUTE.test(name)) continue
      hasRoutes = true
      if (!/[:*?]/.test(name)) continue
      if (routes.length === ROUTES_MAX) this.#tellFull()
      else if (name.length <= PATTERN_CHARS_MAX) routes.push({ fits: compileGlob(name), operation })
    }
    this.#routes = routes
    this.readsFacts = hasRoutes
  }

  #byRoute({ attributes }: HeadRequest): Operation | undefined {
    if (!this.readsFacts) return undefined
    const path = attributes[URL_PATH]
    if (typeof path !== 'string') return undefined
    const target = `${attributes[HTTP_REQUEST_METHOD]} ${path}`
    const exact = this.#byName.get(target)
    return exact ?? this.#routes.find(({ fits }) => fits(target))?.operation
  }

  #meet(name: string): Decide {
    if (this.#byName.size + this.#unlisted.size >= OPERATIONS_MAX) {
      this.#tellFull()
      return this.#decideDefault
    }
    // Names are texts of the app's: a long one is not kept for the sake of a bound.
    if (name.length > PATTERN_CHARS_MAX) return this.#decideDefault
    const operation = this.#remade(undefined, this.#defaultProbability, this.#lowerBound)
    this.#unlisted.set(name, operation)
    return operation.decide
  }

  #remade(before: Operation | undefined, probability: number, lowerBound: number): Operation {
    const isSameBound = before?.limiter.perSecond === lowerBound
    if (isSameBound && before.probability === probability) return before
    const limiter = isSameBound ? before.limiter : new RateLimiter(lowerBound, this.#parts.nowMs)
    return { probability, limiter, decide: guaranteed(ratio(probability, true), limiter) }
  }

  #tellFull(): void {
    if (this.#isFullTold) return
    this.#isFullTold = true
    this.#parts.notify('SAMPLE_OPERATIONS', OPERATIONS_MAX)
  }
}

function guaranteed(decide: Decide, limiter: RateLimiter): Decide {
  return (request) => {
    const result = decide(request)
    const isBelowBound = limiter.take()
    if (result.decision !== DROP || !isBelowBound) return result
    return unweighted(request, RECORD_AND_SAMPLE)
  }
}

/** Names and rates; a text says what is wrong. */
function listOf(strategies: unknown): [string, number][] | string {
  if (strategies === undefined || strategies === null) return []
  if (!Array.isArray(strategies)) return 'perOperationStrategies is no list'
  const listed: [string, number][] = []
  for (const strategy of strategies as readonly unknown[]) {
    const operation = isMap(strategy) ? strategy.operation : undefined
    if (typeof operation !== 'string') return 'a strategy without an operation'
    const sampling = (strategy as JsonMap).probabilisticSampling
    const rate = isMap(sampling) ? numberOf(sampling.samplingRate, 1) : undefined
    if (rate === undefined) return `no samplingRate of ${operation.slice(0, 40)}`
    listed.push([operation, rate])
  }
  return listed
}
