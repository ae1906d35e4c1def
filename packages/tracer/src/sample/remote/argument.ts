/** `OTEL_TRACES_SAMPLER_ARG` of the remote samplers: `endpoint=http://host:port,interval=60`. */
import type { Notify } from '../../notices.ts'

export interface Field<Value> {
  readonly default: Value
  /** Undefined: the text is not understood. */
  readonly parse: (text: string) => Value | undefined
}

type Fields<Values> = { readonly [Key in keyof Values]: Field<Values[Key]> }

const TEXT_CHARS_MAX = 100

/** What is not understood is one warning for all of it, and the default for each. */
export function readArgument<Values extends object>(
  text: string | undefined,
  fields: Fields<Values>,
  notify: Notify
): Values {
  const entries = Object.entries(fields) as [keyof Values & string, Field<unknown>][]
  const values: Record<string, unknown> = {}
  for (const [key, field] of entries) values[key] = field.default
  const bad: string[] = []
  for (const part of text?.split(',') ?? []) {
    if (part.trim() === '') continue
    const equals = part.indexOf('=')
    const key = part.slice(0, Math.max(0, equals)).trim()
    const field = Object.hasOwn(fields, key) ? fields[key as keyof Values] : undefined
    const value = field?.parse(part.slice(equals + 1).trim())
    if (value === undefined) bad.push(part.trim())
    else values[key] = value
  }
  if (bad.length > 0) {
    const used = entries.map(([key, field]) => `${key}=${String(field.default)}`).join(',')
    // An address may hold a password.
    const shown = bad.map((part) => part.replace(/\/\/[^/]*@/, '//…@')).join(',')
    notify(
      'CONFIG_BAD_VALUE',
      'OTEL_TRACES_SAMPLER_ARG',
      shown.slice(0, TEXT_CHARS_MAX),
      `the default for it (${used})`
    )
  }
  return values as Values
}

export function address(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? text : undefined
}

export function numberFrom(min: number, max: number): (text: string) => number | undefined {
  return (text) => {
    if (!/^(\d{1,15}(\.\d{0,15})?|\.\d{1,15})$/.test(text)) return undefined
    const value = Number(text)
    return value >= min && value <= max ? value : undefined
  }
}
