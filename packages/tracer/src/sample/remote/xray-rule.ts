/**
 * One of X-Ray's rules: what it fits, how it samples, and what it has counted since that was last reported.
 *
 *   a quota that is valid ─→ within it: kept ────────────────────┐
 *   none, or it has run out ─→ one a second is borrowed: kept ───┼→ without a threshold
 *                                                                │
 *   all others ─→ the fixed rate ─→ kept, with its threshold ────┘
 *
 * So what is kept by the quota stands for itself, and what the rate keeps for the others. A rule without a
 * reservoir borrows nothing. Patterns have X-Ray's `*` and `?`, and letters of either case match.
 */
import type { Attributes } from '@opentelemetry/api'
import {
  HTTP_REQUEST_METHOD,
  SERVER_ADDRESS,
  SERVER_PORT,
  URL_FULL,
  URL_PATH
} from '@spanloom/otlp'
import { type Decide, ratio, unweighted } from '../decide.ts'
import { compileGlob, type Glob } from '../glob.ts'
import { RateLimiter } from '../rate-limiter.ts'
import {
  DROP,
  type HeadRequest,
  RECORD_AND_SAMPLE,
  type SamplingResult
} from '../sampling-result.ts'
import { isMap, type JsonMap, numberOf } from './remote-sampler.ts'

const BORROWED_PER_SECOND = 1
const ATTRIBUTES_MAX = 16
/** The service's own bound, of an ARN, is 500. */
const PATTERN_CHARS_MAX = 512
/** Fits whatever its patterns say, and comes last by its priority. */
const DEFAULT_RULE = 'Default'

/** What rules may say of the process as a whole. */
export interface Service {
  readonly name: string
  readonly type: string | undefined
  readonly arn: string | undefined
}

/** As the service wants them reported. */
export interface Counts {
  readonly RequestCount: number
  readonly SampledCount: number
  readonly BorrowCount: number
}

export interface Quota {
  readonly perSecond: number
  readonly validMs: number
}

export class XrayRule {
  readonly name: string
  readonly priority: number
  /** The rule as it was answered: the same text is the same rule. */
  readonly text: string
  readonly readsFacts: boolean
  /** Whether it can fit anything of this process. */
  readonly isOurs: boolean
  readonly #fits: ((attributes: Attributes) => boolean) | undefined
  readonly #nowMs: () => number
  readonly #borrowing: RateLimiter | undefined
  #quota: RateLimiter | undefined = undefined
  #quotaUntilMs = 0
  #fixedRate: number
  #decideByRate: Decide
  #requests = 0
  #sampled = 0
  #borrowed = 0

  /** @throws what is wrong with the rule. */
  constructor(rule: JsonMap, service: Service, nowMs: () => number) {
    const { RuleName: name, Priority: priority } = rule
    if (typeof name !== 'string' || name === '') throw new Error('no RuleName')
    this.name = name
    if (rule.Version !== undefined && rule.Version !== 1) throw new Error(`Version ${rule.Version}`)
    if (typeof priority !== 'number') throw new Error(`Priority ${priority}`)
    this.priority = priority
    this.text = JSON.stringify(rule)
    this.#nowMs = nowMs
    this.#fixedRate = numberIn(rule, 'FixedRate', 1)
    this.#decideByRate = ratio(this.#fixedRate, true)
    const reservoir = numberIn(rule, 'ReservoirSize', Number.MAX_SAFE_INTEGER)
    this.#borrowing = reservoir > 0 ? new RateLimiter(BORROWED_PER_SECOND, nowMs) : undefined
    const isDefault = name === DEFAULT_RULE
    this.#fits = isDefault ? undefined : requestPattern(rule)
    this.readsFacts = this.#fits !== undefined
    this.isOurs = isDefault || isOfService(rule, service)
  }

  /** @hot */
  fits({ attributes }: HeadRequest): boolean {
    return this.#fits === undefined || this.#fits(attributes)
  }

  /** @hot */
  decide(request: HeadRequest): SamplingResult {
    this.#requests++
    const result = this.#isInReservoir()
      ? unweighted(request, RECORD_AND_SAMPLE)
      : this.#decideByRate(request)
    if (result.decision !== DROP) this.#sampled++
    return result
  }

  #isInReservoir(): boolean {
    const quota = this.#quota
    if (quota !== undefined && this.#nowMs() < this.#quotaUntilMs) return quota.take()
    if (this.#borrowing?.take() !== true) return false
    this.#borrowed++
    return true
  }

  /** What the service has decided for it. Undefined: that stays as it is. */
  takeTarget(fixedRate: number | undefined, quota: Quota | undefined): void {
    if (fixedRate !== undefined && fixedRate !== this.#fixedRate) {
      this.#fixedRate = fixedRate
      this.#decideByRate = ratio(fixedRate, true)
    }
    if (quota === undefined) return
    this.#quotaUntilMs = this.#nowMs() + quota.validMs
    // The same quota goes on: made anew, it would be full at every answer.
    if (this.#quota?.perSecond === quota.perSecond) return
    this.#quota = new RateLimiter(quota.perSecond, this.#nowMs)
  }

  /** Undefined while there is nothing to report. Counting begins again at zero. */
  takeCounts(): Counts | undefined {
    if (this.#requests === 0) return undefined
    const counts: Counts = {
      RequestCount: this.#requests,
      SampledCount: this.#sampled,
      BorrowCount: this.#borrowed
    }
    this.#requests = 0
    this.#sampled = 0
    this.#borrowed = 0
    return counts
  }

  /** They could not be reported. */
  giveBack({ RequestCount, SampledCount, BorrowCount }: Counts): void {
    this.#requests += RequestCount
    this.#sampled += SampledCount
    this.#borrowed += BorrowCount
  }
}

function isOfService(rule: JsonMap, { name, type, arn }: Service): boolean {
  return (
    fitsText(globIn(rule, 'ServiceName'), name) &&
    fitsText(globIn(rule, 'ServiceType'), type) &&
    fitsText(globIn(rule, 'ResourceARN'), arn)
  )
}

/** What of the rule depends on the request, or undefined when all of them fit. */
function requestPattern(rule: JsonMap): ((attributes: Attributes) => boolean) | undefined {
  const host = globIn(rule, 'Host')
  const method = globIn(rule, 'HTTPMethod')
  const path = globIn(rule, 'URLPath')
  const attributeGlobs = attributesIn(rule)
  if (!host && !method && !path && attributeGlobs.length === 0) return undefined
  return (attributes) => {
    if (!fitsText(method, textIn(attributes, HTTP_REQUEST_METHOD))) return false
    if (path !== undefined && !path(pathIn(attributes))) return false
    if (host !== undefined && !fitsHost(host, attributes)) return false
    return attributeGlobs.every(([key, glob]) => fitsText(glob, textIn(attributes, key)))
  }
}

/** With the port, as the header may have it, or without. */
function fitsHost(host: Glob, attributes: Attributes): boolean {
  const address = textIn(attributes, SERVER_ADDRESS)
  if (address === undefined) return false
  return host(address) || host(`${address}:${attributes[SERVER_PORT]}`)
}

/** A client's span has its address whole. Without any, X-Ray takes it for the root. */
function pathIn(attributes: Attributes): string {
  const path = textIn(attributes, URL_PATH)
  if (path !== undefined) return path
  const url = textIn(attributes, URL_FULL)
  return url !== undefined && URL.canParse(url) ? new URL(url).pathname : '/'
}

function textIn(attributes: Attributes, key: string): string | undefined {
  const value = attributes[key]
  return value === undefined || value === null ? undefined : String(value)
}

function fitsText(glob: Glob | undefined, text: string | undefined): boolean {
  return glob === undefined || (text !== undefined && glob(text))
}

function attributesIn({ Attributes: attributes }: JsonMap): [string, Glob | undefined][] {
  if (attributes === undefined || attributes === null) return []
  if (!isMap(attributes)) throw new Error('Attributes are no object')
  const keys = Object.keys(attributes)
  if (keys.length > ATTRIBUTES_MAX) throw new Error(`more than ${ATTRIBUTES_MAX} Attributes`)
  return keys.map((key) => [key, globOf(key, attributes[key])])
}

/** Undefined: `*`, which also fits what is not there. */
function globIn(rule: JsonMap, key: string): Glob | undefined {
  const pattern = rule[key]
  return pattern === undefined || pattern === '*' ? undefined : globOf(key, pattern)
}

function globOf(key: string, pattern: unknown): Glob {
  if (typeof pattern !== 'string' || pattern.length > PATTERN_CHARS_MAX) {
    throw new Error(`${key} is no pattern of up to ${PATTERN_CHARS_MAX} characters`)
  }
  return compileGlob(pattern, false)
}

function numberIn(rule: JsonMap, key: string, max: number): number {
  const value = numberOf(rule[key], max)
  if (value === undefined) throw new Error(`${key} ${rule[key]}`)
  return value
}
