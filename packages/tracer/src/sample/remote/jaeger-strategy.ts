/**
 * Jaeger's answer to `GET /sampling?service=…` as decisions. sampling.proto's words, in protobuf's JSON (enums by
 * name or number, zeros may be left out):
 *
 *   { strategyType: "PROBABILISTIC" | "RATE_LIMITING",              0 | 1
 *     probabilisticSampling: { samplingRate },                      0 … 1
 *     rateLimitingSampling:  { maxTracesPerSecond },
 *     operationSampling:     { defaultSamplingProbability, defaultLowerBoundTracesPerSecond,
 *                              perOperationStrategies: [{ operation, probabilisticSampling }] } }
 *
 * Operations count before all else, as in Jaeger's own samplers: a service whose rates are adapted gets them
 * with a `strategyType` that says nothing. What stays the same from answer to answer keeps its state: to make
 * a limiter anew would grant it another second's traces at each poll.
 */
import { type Decide, limited, ratio } from '../decide.ts'
import { RateLimiter } from '../rate-limiter.ts'
import type { SamplerParts } from '../sampling-settings.ts'
import { Operations } from './operations.ts'
import { isMap, type JsonMap, numberOf } from './remote-sampler.ts'

const RATE_LIMITING: readonly unknown[] = ['RATE_LIMITING', 1]
const PROBABILISTIC: readonly unknown[] = ['PROBABILISTIC', 0, undefined, null]

export class JaegerStrategy {
  readonly #parts: SamplerParts
  #decide: Decide
  #operations: Operations | undefined = undefined
  #limiter: RateLimiter | undefined = undefined

  constructor(initialSamplingRate: number, parts: SamplerParts) {
    this.#parts = parts
    this.#decide = ratio(initialSamplingRate, true)
  }

  /** @hot */
  readonly decide: Decide = (request) => this.#decide(request)

  get readsFacts(): boolean {
    return this.#operations?.readsFacts === true
  }

  /** What is wrong with the answer; then what was in force stays. */
  take(answer: unknown): string | undefined {
    if (!isMap(answer)) return 'no object'
    const { strategyType, operationSampling, rateLimitingSampling, probabilisticSampling } = answer
    if (isMap(operationSampling)) return this.#takeOperations(operationSampling)
    if (RATE_LIMITING.includes(strategyType) && isMap(rateLimitingSampling)) {
      return this.#takeLimit(rateLimitingSampling)
    }
    if (PROBABILISTIC.includes(strategyType) && isMap(probabilisticSampling)) {
      return this.#takeRate(probabilisticSampling)
    }
    return `strategyType ${String(strategyType).slice(0, 40)}, and nothing to it`
  }

  #takeOperations(sampling: JsonMap): string | undefined {
    const operations = this.#operations ?? new Operations(this.#parts)
    const problem = operations.take(sampling)
    if (problem === undefined) this.#use(operations.decide, operations, undefined)
    return problem
  }

  #takeLimit({ maxTracesPerSecond }: JsonMap): string | undefined {
    const perSecond = numberOf(maxTracesPerSecond, Number.MAX_SAFE_INTEGER)
    if (perSecond === undefined) return `maxTracesPerSecond ${maxTracesPerSecond}`
    let limiter = this.#limiter
    if (limiter?.perSecond !== perSecond) limiter = new RateLimiter(perSecond, this.#parts.nowMs)
    this.#use(limited(ratio(1, false), limiter), undefined, limiter)
    return undefined
  }

  #takeRate({ samplingRate }: JsonMap): string | undefined {
    const rate = numberOf(samplingRate, 1)
    if (rate === undefined) return `samplingRate ${samplingRate}`
    this.#use(ratio(rate, true), undefined, undefined)
    return undefined
  }

  #use(decide: Decide, operations: Operations | undefined, limiter: RateLimiter | undefined): void {
    this.#decide = decide
    this.#operations = operations
    this.#limiter = limiter
  }
}
