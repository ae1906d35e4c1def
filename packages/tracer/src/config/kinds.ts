/** Texts of the environment as values, one parser for each kind. Undefined: the text is not understood. */
import type { KindValues, Pairs, Setting } from './setting.ts'

type Parser = (text: string, setting: Setting, variable: string) => unknown

const NUMBER = /^[+-]?(\d{1,15}(\.\d{0,15})?|\.\d{1,15})$/

const PARSERS: Readonly<Record<keyof KindValues | 'choice' | 'choices', Parser>> = {
  text: (text) => text,
  boolean: parseBoolean,
  count: (text, setting) => (/^\d{1,15}$/.test(text) ? bounded(Number(text), setting) : undefined),
  number: (text, setting) => (NUMBER.test(text) ? bounded(Number(text), setting) : undefined),
  url: parseUrl,
  pairs: parsePairs,
  tags: parseTags,
  list: (text) => wordsOf(text),
  choice: (text, { choices }) => {
    const word = text.toLowerCase()
    return choices?.includes(word) ? word : undefined
  },
  choices: (text, { choices }) => {
    const words = [...new Set(wordsOf(text.toLowerCase()))]
    return words.every((word) => choices?.includes(word)) ? words : undefined
  },
  switches: (text, setting, variable) => parseBoolean(text, setting, variable),
  unused: (text) => text
}

export function parseValue(text: string, setting: Setting, variable: string): unknown {
  return PARSERS[setting.kind](text, setting, variable)
}

/** Whether each of the text's words is one of the standard's, and some are not this tracer's. */
export function isUnsupported(text: string, { choices, unsupported }: Setting): boolean {
  if (unsupported === undefined) return false
  const words = wordsOf(text.toLowerCase())
  return words.every((word) => unsupported.includes(word) || choices?.includes(word))
}

function wordsOf(text: string): string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
}

function bounded(value: number, { min, max }: Setting): number | undefined {
  if (min !== undefined && value < min) return undefined
  return max !== undefined && value > max ? undefined : value
}

function parseBoolean(text: string, _: Setting, variable: string): boolean | undefined {
  const word = text.toLowerCase()
  if (word === 'true') return true
  if (word === 'false') return false
  // The specification has no numbers here; who moves over has them.
  if (variable.startsWith('DD_') && (word === '1' || word === '0')) return word === '1'
  return undefined
}

function parseUrl(text: string): string | undefined {
  try {
    const { protocol, pathname, host } = new URL(text)
    if (protocol === 'unix:') return host === '' && pathname.length > 1 ? text : undefined
    return protocol === 'http:' || protocol === 'https:' ? text : undefined
  } catch {
    return undefined
  }
}

/** `key=value,key=value` as in W3C baggage: percent-encoded, spaces around allowed. */
function parsePairs(text: string): Pairs | undefined {
  const pairs: Record<string, string> = {}
  for (const part of text.split(',')) {
    if (part.trim() === '') continue
    const equals = part.indexOf('=')
    if (equals < 1) return undefined
    try {
      const key = decodeURIComponent(part.slice(0, equals).trim())
      if (key === '') return undefined
      pairs[key] = decodeURIComponent(part.slice(equals + 1).trim())
    } catch {
      return undefined
    }
  }
  return pairs
}

/** `key:value` with commas between, or blanks when there is no comma. A key alone is a tag without a value. */
function parseTags(text: string): Pairs {
  const pairs: Record<string, string> = {}
  for (const part of text.split(text.includes(',') ? ',' : /\s+/)) {
    const colon = part.indexOf(':')
    const key = (colon < 0 ? part : part.slice(0, colon)).trim()
    if (key !== '') pairs[key] = colon < 0 ? '' : part.slice(colon + 1).trim()
  }
  return pairs
}
