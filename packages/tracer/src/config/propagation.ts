/** Which headers are read and written: OpenTelemetry's list, else Datadog's styles, else W3C's two. */
import type { Settings } from './catalogue.ts'

export const FORMAT_NAMES = [
  'tracecontext',
  'baggage',
  'b3',
  'b3multi',
  'jaeger',
  'xray',
  'datadog'
] as const
export type FormatName = (typeof FORMAT_NAMES)[number]

export interface PropagatorConfig {
  /** In order: the first that finds a valid context wins. */
  readonly extract: readonly FormatName[]
  /** All are written. */
  readonly inject: readonly FormatName[]
  readonly behavior: 'continue' | 'restart' | 'ignore'
}

const DEFAULT_FORMATS: readonly FormatName[] = ['tracecontext', 'baggage']

type Style = NonNullable<Settings['extractStyles']>[number]

export function propagationOf(settings: Settings): PropagatorConfig {
  const { propagators, extractStyles, injectStyles, extractBehavior } = settings
  return {
    extract: propagators ? formatsOf(propagators) : fromStyles(extractStyles),
    inject: propagators ? formatsOf(propagators) : fromStyles(injectStyles),
    behavior: extractBehavior
  }
}

function formatsOf(names: readonly (FormatName | 'none')[]): readonly FormatName[] {
  return names.includes('none') ? [] : (names as readonly FormatName[])
}

/** Datadog's `b3` is the headers, and the one header has a name of its own. */
function fromStyles(styles: readonly Style[] | undefined): readonly FormatName[] {
  if (styles === undefined) return DEFAULT_FORMATS
  const formats = styles.map((style) => {
    if (style === 'b3 single header') return 'b3'
    return style === 'b3' ? 'b3multi' : style
  })
  return formatsOf([...new Set(formats)])
}
