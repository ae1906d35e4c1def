/**
 * Reads the catalogue's settings from an environment. An empty variable is an unset one; a bad value is
 * one notice and the default: an app never fails to start because of its tracer.
 */
import type { Notify } from '../notices.ts'
import type { SamplerName } from '../sample/head-sampler.ts'
import { CATALOGUE, type Setting, type SettingName } from './catalogue.ts'

export type Environment = Readonly<Record<string, string | undefined>>
export type Pairs = Readonly<Record<string, string>>

export interface Settings {
  readonly disabled: boolean
  readonly serviceName: string | undefined
  readonly environment: string | undefined
  readonly version: string | undefined
  readonly resourceAttributes: Pairs | undefined
  readonly endpoint: string
  readonly tracesEndpoint: string | undefined
  readonly metricsEndpoint: string | undefined
  readonly logsEndpoint: string | undefined
  readonly headers: Pairs | undefined
  readonly metricsHeaders: Pairs | undefined
  readonly logsHeaders: Pairs | undefined
  readonly timeoutMs: number
  readonly sampler: SamplerName
  readonly samplerArg: string | undefined
  readonly sampleRate: number | undefined
  readonly samplingRules: string | undefined
  readonly tracesPerSecondMax: number | undefined
  readonly samplingFromCollector: boolean
  readonly propagators: readonly ('tracecontext' | 'baggage' | 'none')[]
  readonly attributesMax: number
  readonly valueCharsMax: number
  readonly eventsMax: number
  readonly linksMax: number
  readonly eventAttributesMax: number
  readonly linkAttributesMax: number
  readonly spanStats: 'auto' | 'always' | 'never'
  readonly queueBytesMax: number
  readonly exitWaitMs: number
}

/** Undefined means that the text is not understood. */
type Parser = (text: string, choices: readonly string[], setting: AnySetting) => unknown
type AnySetting = Setting<string, unknown>

const NUMBER = /^(\d{1,15}(\.\d{0,15})?|\.\d{1,15})$/

const PARSERS: Readonly<Record<string, Parser>> = {
  text: (text) => text,
  boolean: (text) => {
    const word = text.toLowerCase()
    return word === 'true' ? true : word === 'false' ? false : undefined
  },
  count: (text) => (/^\d{1,15}$/.test(text) ? Number(text) : undefined),
  number: (text, _choices, { min = 0, max = Number.POSITIVE_INFINITY }) => {
    const value = NUMBER.test(text) ? Number(text) : Number.NaN
    return value >= min && value <= max ? value : undefined
  },
  url: parseUrl,
  pairs: parsePairs,
  choice: (text, choices) => (choices.includes(text) ? text : undefined),
  choices: (text, choices) => {
    const words = [...new Set(text.split(',').map((word) => word.trim()))]
    return words.every((word) => choices.includes(word)) ? words : undefined
  }
}

export function readSettings(environment: Environment, notify: Notify): Settings {
  const settings: Record<string, unknown> = {}
  for (const name of Object.keys(CATALOGUE) as SettingName[]) {
    settings[name] = readSetting(name, environment, notify)
  }
  return Object.freeze(settings) as unknown as Settings
}

function readSetting(name: SettingName, environment: Environment, notify: Notify): unknown {
  const setting: AnySetting = CATALOGUE[name]
  const choices = setting.choices ?? []
  for (const variable of setting.env) {
    const text = environment[variable]?.trim()
    if (text === undefined || text === '') continue
    const value = PARSERS[setting.kind]!(text, choices, setting)
    if (value !== undefined) return value
    const unsupported = setting.unsupported?.includes(text)
    const code = unsupported ? 'CONFIG_UNSUPPORTED' : 'CONFIG_BAD_VALUE'
    notify(code, variable, shown(variable, text), `the default (${setting.default})`)
    return setting.default
  }
  return setting.default
}

/** Headers carry credentials, and stderr is no place for them. */
function shown(variable: string, text: string): string {
  return variable.endsWith('HEADERS') ? '…' : text.slice(0, 100)
}

function parseUrl(text: string): string | undefined {
  try {
    const { protocol } = new URL(text)
    return protocol === 'http:' || protocol === 'https:' ? text : undefined
  } catch {
    return undefined
  }
}

/** `key=value,key=value` as in W3C baggage: percent-encoded, spaces around allowed. */
export function parsePairs(text: string): Pairs | undefined {
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
