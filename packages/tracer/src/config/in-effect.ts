/**
 * The settings that are in effect and where each comes from: `spanloom-tracer config`, and the line that
 * `SPANLOOM_STARTUP_LOG=true` asks for. What may hold credentials is not shown.
 */
import { SDK_VERSION } from '../version.ts'
import { CATALOGUE, GROUPS, type SettingName } from './catalogue.ts'
import type { TracerConfig } from './config.ts'
import type { Environment } from './environment.ts'
import { defaultText, type Sources } from './parse.ts'
import { type Setting, SIGNALS, variablesOf } from './setting.ts'

const HIDDEN = '…'
const NAME_WIDTH = 52

/** One line: where spans go, and what is not as it is by itself. */
export function startupLine(
  config: TracerConfig,
  sources: Sources,
  environment: Environment
): string {
  const set = [...new Set(sources.values())].map(
    (variable) => `${variable}=${shownValue(variable, environment)}`
  )
  const { socketPath } = config.endpoints.traces
  const to = withoutCredentials(socketPath ?? config.endpoints.traces.url)
  const doing = config.disabled ? 'Switched off' : `Version ${SDK_VERSION}, traces to ${to}`
  return `${doing}. ${set.length === 0 ? 'All settings are as they are by themselves.' : `Set: ${set.join(' ')}`}`
}

/** A line for each setting, with the variable it comes from, by group. */
export function inEffectText(
  config: TracerConfig,
  sources: Sources,
  environment: Environment
): string {
  const lines = ['In effect']
  for (const signal of SIGNALS) {
    const { url, socketPath } = config.endpoints[signal]
    const through = socketPath === undefined ? '' : ` through ${socketPath}`
    const isSent = !config.disabled && config.exporters[signal].includes('otlp')
    lines.push(row(signal, isSent ? `to ${withoutCredentials(url)}${through}` : 'not sent', ''))
  }
  lines.push(row('headers read', config.propagation.extract.join(',') || 'none', ''))
  lines.push(row('headers written', config.propagation.inject.join(',') || 'none', ''))
  for (const { title, settings } of GROUPS) {
    const rows = Object.entries(settings).flatMap(([name, setting]) =>
      rowsOf(name as SettingName, setting, sources, environment)
    )
    if (rows.length > 0) lines.push('', title, ...rows)
  }
  return `${lines.join('\n')}\n`
}

function rowsOf(
  name: SettingName,
  setting: Setting,
  sources: Sources,
  environment: Environment
): string[] {
  const keys = setting.perSignal ? SIGNALS.map((signal) => `${name}.${signal}`) : [name]
  const variables = new Set(keys.flatMap((key) => sources.get(key) ?? []))
  if (setting.kind === 'unused') {
    return [...variables].map((variable) => row(variable, 'no effect', setting.says))
  }
  const rows = [...variables].map((variable) =>
    row(variable, shownValue(variable, environment), '(set)')
  )
  // "none" could be a choice, where it only means that nobody chose.
  const unset = setting.default === undefined ? '-' : defaultText(setting)
  return rows.length > 0 ? rows : [row(setting.env[0], unset, '')]
}

function row(name: string, value: string, note: string): string {
  return `  ${name.padEnd(NAME_WIDTH)} ${value}${note === '' ? '' : `  ${note}`}`
}

let secrets: ReadonlySet<string> | undefined

function shownValue(variable: string, environment: Environment): string {
  const settings = Object.values<Setting>(CATALOGUE)
  secrets ??= new Set(settings.filter((setting) => setting.secret).flatMap(variablesOf))
  if (secrets.has(variable)) return HIDDEN
  return withoutCredentials(environment[variable]?.trim() ?? '')
}

function withoutCredentials(text: string): string {
  return text.replace(/\/\/[^/@\s]*@/, '//…@')
}
