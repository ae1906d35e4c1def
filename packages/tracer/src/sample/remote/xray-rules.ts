/**
 * The rules that X-Ray's service gave us, in order, with what they count and what it grants them:
 *
 *   GetSamplingRules ─→ rules by priority, then by name ─→ the first that fits decides
 *   SamplingTargets  ←─ what each has counted since the last answer
 *                    ─→ rate, quota and its end for each
 *
 * Counts that did not arrive are reported with the next ones; an answer that was lost on its way back lets
 * them count twice, rather than not at all. A rule that comes again unchanged keeps its state, and one that
 * was changed its counts. While no
 * rules are known, for the first answer or for an hour of silence, one trace a second and 5 % of the others are kept,
 * as X-Ray's default rule has it. Limits: 100 rules, 16 attributes in each.
 */
import { ratio, unweighted } from '../decide.ts'
import { RateLimiter } from '../rate-limiter.ts'
import { type HeadRequest, RECORD_AND_SAMPLE, type SamplingResult } from '../sampling-result.ts'
import type { SamplerParts } from '../sampling-settings.ts'
import { isMap, type JsonMap, numberOf } from './remote-sampler.ts'
import { type Counts, type Quota, type Service, XrayRule } from './xray-rule.ts'

export const RULES_MAX = 100
/** The service's bound for one request. */
export const DOCUMENTS_MAX = 25
export const RULES_VALID_MS = 3_600_000
const FALLBACK_PER_SECOND = 1
const FALLBACK_RATE = 0.05
const SECOND_MS = 1_000
const INTERVAL_S_MAX = 3_600

export interface StatisticsDocument extends Counts {
  readonly ClientID: string
  readonly RuleName: string
  readonly Timestamp: number
}

export interface TargetsTaken {
  readonly problem: string | undefined
  /** Until the next report, where the service says it. */
  readonly intervalMs: number | undefined
  readonly rulesHaveChanged: boolean
}

export class XrayRules {
  readonly #service: Service
  readonly #clientId: string
  readonly #parts: SamplerParts
  readonly #decideWithoutRules: (request: HeadRequest) => SamplingResult
  #rules: readonly XrayRule[] = []
  #validUntilMs = Number.NEGATIVE_INFINITY
  #takenAtEpochMs = 0
  #lastModification: number | undefined = undefined
  readsFacts = false

  constructor(service: Service, clientId: string, parts: SamplerParts) {
    this.#service = service
    this.#clientId = clientId
    this.#parts = parts
    this.#decideWithoutRules = fallback(parts.nowMs)
  }

  get areKnown(): boolean {
    return this.#parts.nowMs() < this.#validUntilMs
  }

  /** @hot */
  readonly decide = (request: HeadRequest): SamplingResult => {
    if (this.areKnown) {
      for (const rule of this.#rules) if (rule.fits(request)) return rule.decide(request)
    }
    return this.#decideWithoutRules(request)
  }

  /** The records of all pages. What is wrong is left out, and said. */
  takeRules(records: readonly unknown[]): string | undefined {
    const before = new Map(this.#rules.map((rule) => [rule.name, rule]))
    const rules: XrayRule[] = []
    let problem: string | undefined
    for (const record of records) {
      try {
        const rule = this.#ruleOf(record)
        if (rule.isOurs) rules.push(keptState(before.get(rule.name), rule))
      } catch (error) {
        const name = isMap(record) && isMap(record.SamplingRule) ? record.SamplingRule.RuleName : ''
        problem = `rule ${String(name).slice(0, 40)}: ${(error as Error).message}`
      }
    }
    rules.sort(byPriority)
    if (rules.length > RULES_MAX) problem = `more than ${RULES_MAX} rules`
    this.#rules = rules.slice(0, RULES_MAX)
    this.readsFacts = this.#rules.some((rule) => rule.readsFacts)
    this.#validUntilMs = this.#parts.nowMs() + RULES_VALID_MS
    this.#takenAtEpochMs = this.#parts.epochMs()
    return problem
  }

  #ruleOf(record: unknown): XrayRule {
    const rule = isMap(record) ? record.SamplingRule : undefined
    if (!isMap(rule)) throw new Error('no SamplingRule')
    return new XrayRule(rule, this.#service, this.#parts.nowMs)
  }

  /** What was counted since the last call, in as many as one request may have. */
  takeStatistics(): StatisticsDocument[][] {
    const Timestamp = Math.floor(this.#parts.epochMs() / SECOND_MS)
    const documents: StatisticsDocument[] = []
    for (const rule of this.#rules) {
      const counts = rule.takeCounts()
      if (counts === undefined) continue
      documents.push({ ClientID: this.#clientId, RuleName: rule.name, Timestamp, ...counts })
    }
    const requests: StatisticsDocument[][] = []
    for (let at = 0; at < documents.length; at += DOCUMENTS_MAX) {
      requests.push(documents.slice(at, at + DOCUMENTS_MAX))
    }
    return requests
  }

  giveBack(documents: readonly StatisticsDocument[]): void {
    const byName = new Map(documents.map((document) => [document.RuleName, document]))
    for (const rule of this.#rules) {
      const counts = byName.get(rule.name)
      if (counts !== undefined) rule.giveBack(counts)
    }
  }

  takeTargets(answer: unknown): TargetsTaken {
    const documents = isMap(answer) ? answer.SamplingTargetDocuments : undefined
    if (!isMap(answer) || !Array.isArray(documents)) {
      const problem = 'no SamplingTargetDocuments'
      return { problem, intervalMs: undefined, rulesHaveChanged: false }
    }
    const rules = new Map(this.#rules.map((rule) => [rule.name, rule]))
    let problem: string | undefined
    let intervalS = Number.POSITIVE_INFINITY
    for (const target of documents as readonly unknown[]) {
      const rule = isMap(target) ? rules.get(String(target.RuleName)) : undefined
      if (!isMap(target) || rule === undefined) continue
      const rate = target.FixedRate ?? undefined
      const fixedRate = rate === undefined ? undefined : numberOf(rate, 1)
      if (rate !== undefined && fixedRate === undefined) problem = `FixedRate ${rate}`
      rule.takeTarget(fixedRate, this.#quotaOf(target))
      const own = numberOf(target.Interval, INTERVAL_S_MAX) ?? 0
      if (own >= 1) intervalS = Math.min(intervalS, own)
    }
    return {
      problem,
      intervalMs: Number.isFinite(intervalS) ? intervalS * SECOND_MS : undefined,
      rulesHaveChanged: this.#haveChanged(answer.LastRuleModification)
    }
  }

  #quotaOf({ ReservoirQuota, ReservoirQuotaTTL }: JsonMap): Quota | undefined {
    if (typeof ReservoirQuota !== 'number' || !(ReservoirQuota >= 0)) return undefined
    if (typeof ReservoirQuotaTTL !== 'number') return undefined
    const validMs = ReservoirQuotaTTL * SECOND_MS - this.#parts.epochMs()
    return { perSecond: ReservoirQuota, validMs }
  }

  /** Compared with the last one heard: the clocks of two machines are not one. */
  #haveChanged(modification: unknown): boolean {
    if (typeof modification !== 'number') return false
    const before = this.#lastModification
    this.#lastModification = modification
    if (before !== undefined) return modification !== before
    return modification * SECOND_MS > this.#takenAtEpochMs
  }
}

function keptState(before: XrayRule | undefined, rule: XrayRule): XrayRule {
  if (before === undefined || before.text === rule.text) return before ?? rule
  const counts = before.takeCounts()
  if (counts !== undefined) rule.giveBack(counts)
  return rule
}

function byPriority(one: XrayRule, other: XrayRule): number {
  if (one.priority !== other.priority) return one.priority - other.priority
  return one.name < other.name ? -1 : 1
}

function fallback(nowMs: () => number): (request: HeadRequest) => SamplingResult {
  const reservoir = new RateLimiter(FALLBACK_PER_SECOND, nowMs)
  const decideByRate = ratio(FALLBACK_RATE, true)
  return (request) =>
    reservoir.take() ? unweighted(request, RECORD_AND_SAMPLE) : decideByRate(request)
}
