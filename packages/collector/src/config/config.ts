/**
 * All options of the collector, from where each stage declares its own, and how they get their
 * values: flags before environment before defaults.
 *
 *   receive.bodyBytesMax  ⇒  --receive-body-bytes-max  ⇒  SPANLOOM_RECEIVE_BODY_BYTES_MAX
 */

import { deriveOptions } from '../derive/options.ts'
import { CollectorError } from '../errors.ts'
import { journalOptions } from '../journal/options.ts'
import type { Option, Options, ValuesOf } from '../lib/option.ts'
import { intakeOptions, pipelineOptions as shardOptions } from '../pipeline/options.ts'
import { receiveOptions } from '../receive/options.ts'
import { sampleOptions } from '../sample/options.ts'
import { stitchOptions } from '../stitch/options.ts'
import { STORE_OPTIONS } from '../store/options.ts'
import { commonOptions } from './common-options.ts'
import { nearestOf } from './nearest.ts'

export const SECTIONS = {
  common: commonOptions,
  receive: receiveOptions,
  journal: journalOptions,
  pipeline: { ...intakeOptions, ...shardOptions },
  stitch: stitchOptions,
  derive: deriveOptions,
  sample: sampleOptions,
  store: STORE_OPTIONS
} as const satisfies Record<string, Options>

type Sections = typeof SECTIONS

export type CollectorConfig = { readonly [Name in keyof Sections]: ValuesOf<Sections[Name]> }

export type ConfigOverrides = {
  readonly [Name in keyof Sections]?: Partial<ValuesOf<Sections[Name]>>
}

/** One option with all its names. */
export interface NamedOption {
  readonly section: keyof Sections
  readonly name: string
  readonly flag: string
  readonly variable: string
  readonly option: Option
}

export const NAMED_OPTIONS: readonly NamedOption[] = Object.entries(SECTIONS).flatMap(
  ([section, options]) =>
    Object.entries(options as Options).map(([name, option]) => {
      const words = section === 'common' ? dashed(name) : `${section}-${dashed(name)}`
      const variable = `SPANLOOM_${words.toUpperCase().replaceAll('-', '_')}`
      return { section: section as keyof Sections, name, flag: `--${words}`, variable, option }
    })
)

/** `--help` and `--version` ask for a text instead of a collector. */
export type Parsed =
  | { readonly show: 'help' | 'version' }
  | { readonly config: CollectorConfig; readonly unknownVariables: readonly string[] }

/** @throws CollectorError CONFIG_UNKNOWN_OPTION, CONFIG_BAD_VALUE */
export function parseConfig(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>
): Parsed {
  const values = new Map<NamedOption, string | number>()
  for (const named of NAMED_OPTIONS) {
    const text = environment[named.variable]
    if (text !== undefined) values.set(named, parseValue(named, named.variable, text))
  }
  const rest = [...argv]
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--help' || word === '-h') return { show: 'help' }
    if (word === '--version' || word === '-v') return { show: 'version' }
    const [flag, inline] = splitAtEquals(word)
    const named = NAMED_OPTIONS.find((one) => one.flag === flag)
    if (named === undefined) throw unknownOption(flag)
    values.set(named, parseValue(named, flag, inline ?? rest.shift()))
  }
  return { config: configOf(values), unknownVariables: unknownVariables(environment) }
}

/** The configuration from the environment of this process: the one place that reads it. */
export function parseProcessConfig(argv: readonly string[]): Parsed {
  return parseConfig(argv, process.env)
}

/** Defaults with some values replaced; for a collector that is started by code. */
export function configWith(overrides: ConfigOverrides): CollectorConfig {
  const values = new Map<NamedOption, string | number>()
  for (const named of NAMED_OPTIONS) {
    const given = overrides[named.section] as Record<string, string | number | undefined>
    const value = given?.[named.name]
    if (value !== undefined) values.set(named, parseValue(named, named.flag, String(value)))
  }
  return configOf(values)
}

function configOf(values: ReadonlyMap<NamedOption, string | number>): CollectorConfig {
  const config: Record<string, Record<string, string | number>> = {}
  for (const named of NAMED_OPTIONS) {
    config[named.section] ??= {}
    config[named.section]![named.name] = values.get(named) ?? named.option.default
  }
  const { receive, journal } = config as unknown as CollectorConfig
  atMost('--receive-body-bytes-max', receive.bodyBytesMax, 'receive.bodiesBytesMax', receive)
  atMost('--receive-body-bytes-max', receive.bodyBytesMax, 'receive.inflatedBytesMax', receive)
  if (receive.bodyBytesMax > journal.bytesMax / 4) {
    throw badValue(
      '--receive-body-bytes-max',
      String(receive.bodyBytesMax),
      'at most a quarter of --journal-bytes-max'
    )
  }
  for (const section of Object.values(config)) Object.freeze(section)
  return Object.freeze(config) as unknown as CollectorConfig
}

function atMost(flag: string, value: number, other: string, section: object): void {
  const [name, key] = other.split('.') as [string, string]
  if (value <= (section as Record<string, number>)[key]!) return
  throw badValue(flag, String(value), `at most --${name}-${dashed(key)}`)
}

function parseValue(named: NamedOption, from: string, text: string | undefined): string | number {
  const { option } = named
  if (option.type === 'text') {
    if (text !== undefined && text !== '' && text.length <= option.maxChars) return text
    throw badValue(from, text ?? '', `1 to ${option.maxChars} characters`)
  }
  const number = text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (number >= option.min && number <= option.max) return number
  throw badValue(from, text ?? '', `a whole number from ${option.min} to ${option.max}`)
}

function badValue(flag: string, value: string, wanted: string): CollectorError {
  return new CollectorError('CONFIG_BAD_VALUE', [flag, value.slice(0, 200), wanted])
}

function unknownOption(flag: string): CollectorError {
  const known = [...NAMED_OPTIONS.map((named) => named.flag), '--help', '--version']
  return new CollectorError('CONFIG_UNKNOWN_OPTION', [flag.slice(0, 200), nearestOf(flag, known)])
}

/** Only told: other programs of ours may share the environment. */
function unknownVariables(environment: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set(NAMED_OPTIONS.map((named) => named.variable))
  return Object.keys(environment).filter((key) => key.startsWith('SPANLOOM_') && !known.has(key))
}

function splitAtEquals(word: string): [flag: string, value: string | undefined] {
  const at = word.indexOf('=')
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)]
}

function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
