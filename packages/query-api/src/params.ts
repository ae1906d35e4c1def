/**
 * Parameters of the query API: each declared once with its bounds, parsed by the collector, typed
 * for the client. A value out of bounds is refused with a sentence, never silently clamped.
 */

export const LIMITS = {
  tracesPerPage: 200,
  spansPerTrace: 10_000,
  serviceNameChars: 255,
  operationChars: 1_024,
  attributeChars: 2_048,
  attributesPerQuery: 10,
  cursorChars: 128,
  sparklinePoints: 240
} as const

interface NumberParam {
  readonly type: 'number'
  readonly min: number
  readonly max: number
  readonly optional: boolean
  readonly says: string
}
interface TextParam {
  readonly type: 'text'
  readonly maxChars: number
  readonly oneOf?: readonly string[]
  readonly optional: boolean
  readonly says: string
}
interface ListParam {
  readonly type: 'list'
  readonly maxChars: number
  readonly maxItems: number
  readonly optional: true
  readonly says: string
}
export type Param = NumberParam | TextParam | ListParam
export type Params = Readonly<Record<string, Param>>

type ValueOf<P extends Param> = P extends NumberParam
  ? number
  : P extends ListParam
    ? readonly string[]
    : P extends { readonly oneOf: readonly (infer Word)[] }
      ? Word
      : string

export type ParamsOf<P extends Params> = {
  readonly [Name in keyof P as P[Name]['optional'] extends false ? Name : never]: ValueOf<P[Name]>
} & {
  readonly [Name in keyof P as P[Name]['optional'] extends false ? never : Name]?:
    | ValueOf<P[Name]>
    | undefined
}

/** The body of every answer with a status of 400 and above. */
export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string }
}

export interface ParamProblem {
  readonly name: string
  /** A whole sentence: what is wrong and what would be right. */
  readonly message: string
}

type Query = Readonly<Record<string, string | readonly string[] | undefined>>

/** Reads what a query string gave. Returns the values, or the first problem. */
export function parseParams<P extends Params>(
  params: P,
  query: Query
): { readonly values: ParamsOf<P> } | { readonly problem: ParamProblem } {
  const values: Record<string, unknown> = {}
  for (const name of Object.keys(query)) {
    if (!Object.hasOwn(params, name)) {
      const known = Object.keys(params).join(', ') || 'none'
      return { problem: { name, message: `Unknown parameter "${name}". Known here: ${known}.` } }
    }
  }
  for (const [name, param] of Object.entries(params)) {
    const given = query[name]
    if (given === undefined || given === '') {
      if (param.optional) continue
      return { problem: { name, message: `The parameter "${name}" is missing: ${param.says}` } }
    }
    const parsed = parseValue(name, param, given)
    if (typeof parsed === 'object' && 'message' in parsed) return { problem: parsed }
    values[name] = parsed.value
  }
  return { values: values as ParamsOf<P> }
}

function parseValue(
  name: string,
  param: Param,
  given: string | readonly string[]
): { readonly value: unknown } | ParamProblem {
  if (param.type === 'list') return parseList(name, param, given)
  if (typeof given !== 'string') {
    return { name, message: `The parameter "${name}" was given more than once.` }
  }
  if (param.type === 'number') return parseNumber(name, param, given)
  if (given.length > param.maxChars) {
    return { name, message: `"${name}" is longer than ${param.maxChars} characters.` }
  }
  if (param.oneOf !== undefined && !param.oneOf.includes(given)) {
    return { name, message: `"${name}" must be one of ${param.oneOf.join(', ')}.` }
  }
  return { value: given }
}

function parseNumber(name: string, param: NumberParam, given: string) {
  const value = Number(given)
  if (given.trim() === '' || !Number.isFinite(value) || value < param.min || value > param.max) {
    return { name, message: `"${name}" must be a number from ${param.min} to ${param.max}.` }
  }
  return { value }
}

function parseList(name: string, param: ListParam, given: string | readonly string[]) {
  const items = typeof given === 'string' ? [given] : given
  if (items.length > param.maxItems) {
    return { name, message: `"${name}" was given more than ${param.maxItems} times.` }
  }
  if (items.some((item) => item.length > param.maxChars)) {
    return { name, message: `"${name}" is longer than ${param.maxChars} characters.` }
  }
  return { value: items }
}
