/**
 * Rules for the sampling of roots, from one variable, in the shape that DD_TRACE_SAMPLING_RULES has:
 *
 *   [{ "service": "shop*", "name": "GET", "resource": "/orders/:id", "tags": { "user_agent.original": "*bot*" },
 *      "sample_rate": 0.1, "max_per_second": 50 }]
 *
 * The first that fits decides. What a rule does not name fits everything. The route of a request is not
 * known when its span starts, so `resource` (or `route`) is held against its path, as a route is: see
 * glob.ts. With a blank in it, it is held against method and path; without a path, against the span's
 * name. One bad rule and none is used: a list with a hole would sample what nobody asked for.
 */
import type { Attributes } from '@opentelemetry/api'
import { HTTP_REQUEST_METHOD, URL_PATH } from '@spanloom/otlp'
import { compileGlob, type Glob, PATTERN_CHARS_MAX } from './glob.ts'
import { RateLimiter } from './rate-limiter.ts'
import type { HeadRequest } from './sampling-result.ts'

const RULES_MAX = 100
const TAGS_MAX = 16

export interface Rule {
  readonly probability: number
  readonly limiter: RateLimiter | undefined
  /** Whether attributes decide if it fits. */
  readonly readsFacts: boolean
  fits(request: HeadRequest): boolean
}

export interface ParsedRules {
  readonly rules: readonly Rule[]
  /** What is wrong; then there is no rule. */
  readonly problem: string | undefined
}

/** Rules of other services are left out. */
export function parseRules(
  json: string | undefined,
  serviceName: string,
  nowMs: () => number
): ParsedRules {
  if (json === undefined) return { rules: [], problem: undefined }
  try {
    const list: unknown = JSON.parse(json)
    if (!Array.isArray(list)) throw new Error('no list of rules')
    if (list.length > RULES_MAX) throw new Error(`more than ${RULES_MAX} rules`)
    const rules = list.map((rule, index) => inRule(index + 1, () => parseRule(rule, nowMs)))
    return {
      rules: rules.filter(({ service }) => service?.(serviceName) ?? true),
      problem: undefined
    }
  } catch (error) {
    return { rules: [], problem: (error as Error).message }
  }
}

function inRule<Result>(ordinal: number, parse: () => Result): Result {
  try {
    return parse()
  } catch (error) {
    throw new Error(`rule ${ordinal}: ${(error as Error).message}`)
  }
}

const KEYS = new Set([
  'service',
  'name',
  'resource',
  'route',
  'tags',
  'attributes',
  'sample_rate',
  'max_per_second'
])

function parseRule(rule: unknown, nowMs: () => number): Rule & { service: Glob | undefined } {
  if (!isMap(rule)) throw new Error('it is no object')
  for (const key of Object.keys(rule)) if (!KEYS.has(key)) throw new Error(`"${key}" is unknown`)
  const perSecond = numberIn(rule, 'max_per_second', Number.POSITIVE_INFINITY)
  const name = globIn(rule, 'name')
  const resource = globIn(rule, 'resource') ?? globIn(rule, 'route')
  const withMethod = String(rule.resource ?? rule.route).includes(' ')
  const tags = tagsOf(rule.tags ?? rule.attributes ?? {})
  return {
    service: globIn(rule, 'service'),
    probability: numberIn(rule, 'sample_rate', 1) ?? 1,
    limiter: perSecond === undefined ? undefined : new RateLimiter(perSecond, nowMs),
    readsFacts: resource !== undefined || tags.length > 0,
    fits({ name: spanName, attributes }) {
      if (name !== undefined && !name(spanName)) return false
      if (resource !== undefined && !resource(targetOf(spanName, attributes, withMethod))) {
        return false
      }
      for (const [key, value] of tags) {
        const actual = attributes[key]
        if (actual === undefined || !value(String(actual))) return false
      }
      return true
    }
  }
}

function targetOf(spanName: string, attributes: Attributes, withMethod: boolean): string {
  const path = attributes[URL_PATH]
  if (typeof path !== 'string') return spanName
  return withMethod ? `${attributes[HTTP_REQUEST_METHOD]} ${path}` : path
}

function tagsOf(tags: unknown): [string, Glob][] {
  if (!isMap(tags)) throw new Error('"tags" is no object')
  const keys = Object.keys(tags)
  if (keys.length > TAGS_MAX) throw new Error(`"tags" has more than ${TAGS_MAX} keys`)
  return keys.map((key) => [key, globIn(tags, key)!])
}

function globIn(map: Record<string, unknown>, key: string): Glob | undefined {
  const value = map[key]
  if (value === undefined) return undefined
  const pattern = typeof value === 'number' || typeof value === 'boolean' ? `${value}` : value
  if (typeof pattern !== 'string') throw new Error(`"${key}" is no text`)
  if (pattern.length > PATTERN_CHARS_MAX) {
    throw new Error(`"${key}" is longer than ${PATTERN_CHARS_MAX} characters`)
  }
  return compileGlob(pattern)
}

function numberIn(map: Record<string, unknown>, key: string, max: number): number | undefined {
  const value = map[key]
  if (value === undefined) return undefined
  if (typeof value === 'number' && value >= 0 && value <= max) return value
  throw new Error(`"${key}" is no number from 0${max === 1 ? ' to 1' : ''}`)
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
