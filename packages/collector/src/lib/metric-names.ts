/**
 * OpenTelemetry's metric names as Prometheus has them: dots become underscores, the unit is the last
 * word, in full. A counter's `_total` is the text format's business, and not here.
 * https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
 */
const UNITS: Readonly<Record<string, string>> = {
  d: 'days',
  h: 'hours',
  min: 'minutes',
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
  By: 'bytes',
  KiBy: 'kibibytes',
  MiBy: 'mebibytes',
  GiBy: 'gibibytes',
  TiBy: 'tebibytes',
  KBy: 'kilobytes',
  MBy: 'megabytes',
  GBy: 'gigabytes',
  TBy: 'terabytes',
  m: 'meters',
  V: 'volts',
  A: 'amperes',
  J: 'joules',
  W: 'watts',
  g: 'grams',
  Cel: 'celsius',
  Hz: 'hertz',
  '%': 'percent'
}

const PER: Readonly<Record<string, string>> = {
  s: 'second',
  min: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
  mo: 'month',
  y: 'year'
}

export interface FamilyName {
  readonly name: string
  /** When the name ends with it, as OpenMetrics asks of a unit. */
  readonly unit?: string
}

export function familyName(
  name: string,
  unit: string,
  type: 'counter' | 'gauge' | 'histogram'
): FamilyName {
  const word = unit === '1' ? (type === 'gauge' ? 'ratio' : '') : unitWord(unit)
  let plain = sanitized(name, /[^a-zA-Z0-9_:]+/g)
  if (type === 'counter') plain = plain.replace(/_total$/, '')
  if (word === '') return { name: plain }
  return { name: plain.endsWith(`_${word}`) ? plain : `${plain}_${word}`, unit: word }
}

export function labelName(key: string): string {
  return sanitized(key, /[^a-zA-Z0-9_]+/g)
}

function sanitized(text: string, others: RegExp): string {
  const plain = text.replace(others, '_').replace(/_{2,}/g, '_').replace(/^_|_$/g, '')
  return /^[0-9]/.test(plain) || plain === '' ? `_${plain}` : plain
}

/** `By/s` is bytes_per_second; what stands in braces is a remark. */
function unitWord(unit: string): string {
  const [what = '', per] = unit.replace(/\{[^}]*\}/g, '').split('/', 2)
  const top = UNITS[what] ?? what
  const bottom = per === undefined || per === '' ? '' : `per_${PER[per] ?? per}`
  const joined = [top, bottom].filter((word) => word !== '').join('_')
  return joined === '' ? '' : sanitized(joined, /[^a-zA-Z0-9_:]+/g)
}
