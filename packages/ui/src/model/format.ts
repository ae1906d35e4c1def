/**
 * Every number that people read, written in one way: three significant digits, a thin unit after a
 * space that does not break, and a dash for what was not measured (which is not zero).
 */
const SPACE = '\u00a0'
export const NOTHING = '–'

const SECOND_MS = 1_000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

/** 812 ns, 4.21 µs, 46.2 ms, 3.05 s, 2 m 05 s, 1 h 02 m. */
export function formatDurationMs(ms: number | undefined): string {
  if (ms === undefined || !Number.isFinite(ms)) return NOTHING
  if (ms < 0) return `−${formatDurationMs(-ms)}`
  if (ms === 0) return `0${SPACE}ms`
  if (ms < 0.000_999_5) return `${digits(ms * 1e6)}${SPACE}ns`
  if (ms < 0.999_5) return `${digits(ms * 1e3)}${SPACE}µs`
  if (ms < 999.5) return `${digits(ms)}${SPACE}ms`
  if (ms < MINUTE_MS - 5) return `${digits(ms / SECOND_MS)}${SPACE}s`
  const seconds = Math.round(ms / SECOND_MS)
  if (seconds < 3_600) {
    return `${Math.floor(seconds / 60)}${SPACE}m${SPACE}${two(seconds % 60)}${SPACE}s`
  }
  const minutes = Math.floor(seconds / 60)
  if (minutes < 48 * 60) {
    return `${Math.floor(minutes / 60)}${SPACE}h${SPACE}${two(minutes % 60)}${SPACE}m`
  }
  return `${Math.floor(minutes / 1440)}${SPACE}d${SPACE}${Math.floor((minutes % 1440) / 60)}${SPACE}h`
}

export function formatDurationNano(nanos: number): string {
  return formatDurationMs(nanos / 1e6)
}

/** A figure per second without its unit: the column says what is counted. */
export function formatRate(perSecond: number | undefined): string {
  if (perSecond === undefined || !Number.isFinite(perSecond)) return NOTHING
  if (perSecond === 0) return '0'
  if (perSecond < 0.005) return '<0.01'
  if (perSecond < 1) return perSecond.toFixed(2)
  return formatCount(perSecond)
}

/** 7, 1,234, 45.1 k, 8.12 M: exact below ten thousand. */
export function formatCount(count: number | undefined): string {
  if (count === undefined || !Number.isFinite(count)) return NOTHING
  if (count < 0) return `−${formatCount(-count)}`
  if (count < 9_999.5) {
    return Number.isInteger(count) ? grouped(count) : count < 99.95 ? digits(count) : grouped(count)
  }
  for (const [unit, size] of [
    ['k', 1e3],
    ['M', 1e6],
    ['G', 1e9]
  ] as const) {
    if (count < size * 999.5) return `${digits(count / size)}${SPACE}${unit}`
  }
  return `${digits(count / 1e12)}${SPACE}T`
}

/** All digits, for the hover text beside a shortened count. */
export function formatExact(count: number): string {
  return grouped(count)
}

/** The share of `part` in `whole`. Some is never written as 0 %, nor almost all as 100 %. */
export function formatShare(part: number, whole: number): string {
  if (whole <= 0) return NOTHING
  const percent = (part / whole) * 100
  if (part <= 0) return `0${SPACE}%`
  if (percent < 0.01) return `<0.01${SPACE}%`
  if (part < whole && percent > 99.9) return `>99.9${SPACE}%`
  return `${percent < 10 ? trimmed(percent.toFixed(2)) : trimmed(percent.toFixed(1))}${SPACE}%`
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'] as const
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${digits(value)}${SPACE}${units[unit]}`
}

/** 14:03:09, local time, 24 hours: what one reads aloud in an incident. */
export function formatClock(unixMs: number, withMillis = false): string {
  const date = new Date(unixMs)
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  return withMillis ? `${clock}.${String(date.getMilliseconds()).padStart(3, '0')}` : clock
}

/** 2026-11-23 14:03:09.123, local time. */
export function formatDateTime(unixMs: number): string {
  return `${formatDate(unixMs)} ${formatClock(unixMs, true)}`
}

/** The clock today, with the date before it on any other day. */
export function formatMoment(unixMs: number, nowUnixMs: number): string {
  const clock = formatClock(unixMs)
  return formatDate(unixMs) === formatDate(nowUnixMs) ? clock : `${formatDate(unixMs)} ${clock}`
}

/** "12 s ago", for what is fresh; coarser the older. */
export function formatAgo(unixMs: number, nowUnixMs: number): string {
  const ago = nowUnixMs - unixMs
  if (ago < SECOND_MS) return 'just now'
  if (ago < MINUTE_MS) return `${Math.floor(ago / SECOND_MS)}${SPACE}s ago`
  if (ago < HOUR_MS) return `${Math.floor(ago / MINUTE_MS)}${SPACE}min ago`
  if (ago < DAY_MS) return `${Math.floor(ago / HOUR_MS)}${SPACE}h ago`
  return `${Math.floor(ago / DAY_MS)}${SPACE}d ago`
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`
}

function formatDate(unixMs: number): string {
  const date = new Date(unixMs)
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

function digits(value: number): string {
  if (value >= 99.95) return String(Math.round(value))
  if (value >= 9.995) return trimmed(value.toFixed(1))
  return trimmed(value.toFixed(2))
}

function trimmed(decimal: string): string {
  return decimal.replace(/\.?0+$/, '')
}

function grouped(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',')
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
