/** What a setting is. The catalogue declares them; parser, `--help` and the page of settings read them. */
import type { Signal } from '../send/sender.ts'

export const SIGNALS: readonly Signal[] = ['traces', 'metrics', 'logs']

export type Pairs = Readonly<Record<string, string>>

/** What each kind of text comes to. `choice` and `choices` come to the words that are declared. */
export interface KindValues {
  readonly text: string
  /** The specification's: `true` and `false` in any case. `DD_*` also has 1 and 0. */
  readonly boolean: boolean
  /** Digits, within `min` and `max`. */
  readonly count: number
  /** A decimal number, within `min` and `max`. */
  readonly number: number
  /** http, https or `unix:///path/to.sock`. */
  readonly url: string
  /** `key=value,key=value`, percent-encoded. One bad pair and none is used. */
  readonly pairs: Pairs
  /** Datadog's `key:value,key:value`, or with blanks between. */
  readonly tags: Pairs
  /** Words with commas between. */
  readonly list: readonly string[]
  /** One variable for each integration: `DD_TRACE_<INTEGRATION>_ENABLED`. */
  readonly switches: Readonly<Record<string, boolean>>
  /** Understood, and without effect; `says` has the reason. */
  readonly unused: undefined
}

export interface Setting {
  /** In order of precedence: the first that is set wins. */
  readonly env: readonly [string, ...string[]]
  readonly kind: keyof KindValues | 'choice' | 'choices'
  readonly default: unknown
  /** What `default: undefined` comes to, for people: 'none' unless it is said. */
  readonly unset?: string
  readonly says: string
  readonly choices?: readonly string[]
  /** Values that the standard has and this tracer does not: a notice of their own, and the default. */
  readonly unsupported?: readonly string[]
  readonly min?: number
  readonly max?: number
  /** Each of `OTEL_EXPORTER_OTLP_*` also has a name for each signal, which wins for that signal. */
  readonly perSignal?: true
  /** Its value is not shown: it may hold credentials. */
  readonly secret?: true
}

export type Group = Readonly<Record<string, Setting>>

/** `OTEL_EXPORTER_OTLP_HEADERS` of a signal is `OTEL_EXPORTER_OTLP_TRACES_HEADERS`. */
export function signalVariable(variable: string, signal: Signal): string {
  return variable.replace('_OTLP_', `_OTLP_${signal.toUpperCase()}_`)
}

/** All names in the environment that a setting is read from, in order of precedence. */
export function variablesOf(setting: Setting): string[] {
  if (setting.perSignal !== true) return [...setting.env]
  const bySignal = SIGNALS.flatMap((signal) =>
    setting.env.map((variable) => signalVariable(variable, signal))
  )
  return [...bySignal, ...setting.env]
}
