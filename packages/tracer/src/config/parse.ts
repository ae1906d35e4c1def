/**
 * Reads the catalogue's settings from an environment:
 *
 *   environment ─→ our names in it ─→ a value for each setting ─→ Settings
 *        └─ names that are nearly ours: "did you mean"
 *
 * An empty variable is an unset one; a bad value is one notice and the default: an app never fails to
 * start because of its tracer. The environment's names are walked once, and the settings then look into
 * what is ours: mostly nothing.
 */
import type { Notify } from '../notices.ts'
import { CATALOGUE, type SettingName, type Settings } from './catalogue.ts'
import type { Environment } from './environment.ts'
import { isUnsupported, parseValue } from './kinds.ts'
import { closestName } from './nearest.ts'
import { type Setting, SIGNALS, signalVariable, variablesOf } from './setting.ts'

/** Which variable a setting was read from; a setting by signal has a name for each: `headers.traces`. */
export type Sources = Map<string, string>

const INTEGRATION = /^DD_TRACE_([A-Z0-9_]+)_ENABLED$/
/** Names that others own: instrumentations and libraries of OpenTelemetry, the language agents. */
const FOREIGN = /^OTEL_(INSTRUMENTATION|JAVA|JAVAAGENT|PYTHON|DOTNET|GO|PHP|RUBY)_/
const TYPOS_MAX = 5

interface Reading {
  /** Our names that are set, without the empty ones. */
  readonly texts: Readonly<Record<string, string>>
  readonly notify: Notify
  readonly sources: Sources
  /** A bad value that several signals share is one notice. */
  readonly told: Set<string>
}

export function readSettings(
  environment: Environment,
  notify: Notify,
  sources: Sources = new Map()
): Settings {
  const reading: Reading = { texts: ourTexts(environment), notify, sources, told: new Set() }
  const settings: Record<string, unknown> = {}
  for (const name of Object.keys(CATALOGUE) as SettingName[]) {
    settings[name] = readSetting(name, reading)
  }
  tellUnused(reading)
  tellTypos(reading)
  return Object.freeze(settings) as unknown as Settings
}

function ourTexts(environment: Environment): Record<string, string> {
  const texts: Record<string, string> = {}
  for (const name of Object.keys(environment)) {
    if (!name.startsWith('OTEL_') && !name.startsWith('DD_') && !name.startsWith('SPANLOOM_')) {
      continue
    }
    const text = environment[name]?.trim()
    if (text !== undefined && text !== '') texts[name] = text
  }
  return texts
}

function readSetting(name: SettingName, reading: Reading): unknown {
  const setting: Setting = CATALOGUE[name]
  if (setting.kind === 'switches') return readSwitches(name, reading)
  if (setting.perSignal !== true) return readFirst(name, setting, setting.env, reading)
  const values: Record<string, unknown> = {}
  for (const signal of SIGNALS) {
    const own = setting.env.map((variable) => signalVariable(variable, signal))
    values[signal] = readFirst(`${name}.${signal}`, setting, [...own, ...setting.env], reading)
  }
  return values
}

function readFirst(
  name: string,
  setting: Setting,
  variables: readonly string[],
  reading: Reading
): unknown {
  for (const variable of variables) {
    const text = reading.texts[variable]
    if (text === undefined) continue
    const value = parseValue(text, setting, variable)
    if (value === undefined) {
      tellBad(variable, text, setting, reading)
      return setting.default
    }
    reading.sources.set(name, variable)
    return setting.kind === 'unused' ? undefined : value
  }
  return setting.default
}

/** The integration's name is part of the variable's. */
function readSwitches(name: SettingName, reading: Reading): Record<string, boolean> {
  const switches: Record<string, boolean> = {}
  for (const [variable, text] of Object.entries(reading.texts)) {
    const integration = INTEGRATION.exec(variable)?.[1]
    if (integration === undefined || isDeclared(variable)) continue
    const value = parseValue(text, CATALOGUE[name], variable)
    if (value === undefined) tellBad(variable, text, CATALOGUE[name], reading)
    else switches[integration.toLowerCase().replaceAll('_', '-')] = value as boolean
    if (value !== undefined) reading.sources.set(name, variable)
  }
  return switches
}

function tellBad(variable: string, text: string, setting: Setting, reading: Reading): void {
  if (reading.told.has(variable)) return
  reading.told.add(variable)
  const code = isUnsupported(text, setting) ? 'CONFIG_UNSUPPORTED' : 'CONFIG_BAD_VALUE'
  const shown = setting.secret === true ? '…' : text.slice(0, 100)
  reading.notify(code, variable, shown, `the default (${defaultText(setting)})`)
}

export function defaultText({ default: value, unset }: Setting): string {
  if (value === undefined) return unset ?? 'none'
  if (value === Number.POSITIVE_INFINITY) return 'no limit'
  if (typeof value === 'object' && value !== null && Object.keys(value).length === 0) return 'none'
  return String(value)
}

function tellUnused({ sources, notify }: Reading): void {
  const names: string[] = []
  for (const [name, variable] of sources) {
    const [own = ''] = name.split('.')
    if (CATALOGUE[own as SettingName].kind === 'unused') names.push(variable)
  }
  if (names.length > 0) notify('CONFIG_NO_EFFECT', [...new Set(names)].sort().join(', '))
}

/** `SPANLOOM_*` may be the collector's and `OTEL_*` anybody's: only what is close to a name is a typo of it. */
function tellTypos({ texts, notify }: Reading): void {
  let told = 0
  for (const variable of Object.keys(texts)) {
    if (variable.startsWith('DD_') || isDeclared(variable) || FOREIGN.test(variable)) continue
    const lettersMax = variable.startsWith('SPANLOOM_') ? 3 : 2
    const nearest = closestName(variable, declaredNames(), lettersMax)
    if (nearest === undefined) continue
    notify('CONFIG_UNKNOWN', variable, nearest)
    if (++told === TYPOS_MAX) return
  }
}

let declared: ReadonlySet<string> | undefined

function declaredNames(): ReadonlySet<string> {
  declared ??= new Set(Object.values(CATALOGUE).flatMap(variablesOf))
  return declared
}

function isDeclared(variable: string): boolean {
  return declaredNames().has(variable)
}
