/**
 * Every setting of the tracer, declared once: its names in the environment in order of precedence, its
 * kind, its default, and a sentence. The parser reads this table; `--help`, `spanloom-tracer config` and
 * docs/configuration.md are made from it. OpenTelemetry's names come first; `DD_*` are aliases for who
 * moves over.
 */

import type { Signal } from '../send/sender.ts'
import { EXPORT } from './catalogue/export.ts'
import { GENERAL, RESOURCE } from './catalogue/identity.ts'
import { INSTRUMENT, LIMITS, PROPAGATE, SAMPLE } from './catalogue/trace.ts'
import { UNUSED } from './catalogue/unused.ts'
import type { Group, KindValues, Setting } from './setting.ts'

export const CATALOGUE = {
  ...GENERAL,
  ...RESOURCE,
  ...EXPORT,
  ...SAMPLE,
  ...PROPAGATE,
  ...LIMITS,
  ...INSTRUMENT,
  ...UNUSED
} as const

/** In the order of the page. */
export const GROUPS: readonly { readonly title: string; readonly settings: Group }[] = [
  { title: 'General', settings: GENERAL },
  { title: 'Service and resource', settings: RESOURCE },
  { title: 'Sending', settings: EXPORT },
  { title: 'Sampling', settings: SAMPLE },
  { title: 'Propagation', settings: PROPAGATE },
  { title: 'Span limits', settings: LIMITS },
  { title: 'Instrumentation', settings: INSTRUMENT },
  { title: 'Without effect', settings: UNUSED }
]

export type Catalogue = typeof CATALOGUE
export type SettingName = keyof Catalogue

type OneValue<S extends Setting> = S['kind'] extends 'choice'
  ? NonNullable<S['choices']>[number]
  : S['kind'] extends 'choices'
    ? readonly NonNullable<S['choices']>[number][]
    : S['kind'] extends keyof KindValues
      ? KindValues[S['kind']]
      : never

type WithDefault<S extends Setting> =
  | OneValue<S>
  | (S['default'] extends undefined ? undefined : never)

type ValueOf<S extends Setting> = S['perSignal'] extends true
  ? Readonly<Record<Signal, WithDefault<S>>>
  : WithDefault<S>

/** What the environment comes to. */
export type Settings = { readonly [Name in SettingName]: ValueOf<Catalogue[Name]> }
