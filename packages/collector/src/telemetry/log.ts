/**
 * The collector's log: one line per event, to stderr.
 *
 *   2026-11-23T09:00:00.000Z warn store write failed code=STORE_UNAVAILABLE retryMs=200
 *
 * Values may come from senders: whatever is not plain is quoted as JSON, with every control and
 * format character escaped, so that a span name cannot fake a line or drive a terminal.
 */
import type { Clock } from '../lib/clock.ts'

export type LogFacts = Readonly<Record<string, string | number | boolean | undefined>>

export interface Log {
  info(event: string, facts?: LogFacts): void
  warn(event: string, facts?: LogFacts): void
  error(event: string, facts?: LogFacts): void
}

/** Of one value; the rest is cut. */
const VALUE_CHARS_MAX = 1_000
const PLAIN = /^[\w.:/@+-]+$/
/** Control, format (bidi), surrogate, line and paragraph separators. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

export function createLog(clock: Clock, writeLine: (line: string) => void): Log {
  const write = (level: string) => (event: string, facts?: LogFacts) => {
    writeLine(`${new Date(clock.unixMs()).toISOString()} ${level} ${event}${formatted(facts)}\n`)
  }
  return { info: write('info'), warn: write('warn'), error: write('error') }
}

function formatted(facts: LogFacts = {}): string {
  let text = ''
  for (const [name, value] of Object.entries(facts)) {
    if (value !== undefined) text += ` ${name}=${typeof value === 'string' ? quoted(value) : value}`
  }
  return text
}

function quoted(value: string): string {
  const cut = value.length > VALUE_CHARS_MAX ? `${value.slice(0, VALUE_CHARS_MAX)}…` : value
  return PLAIN.test(cut) ? cut : `"${escapeUnsafe(cut.replace(/["\\]/g, '\\$&'))}"`
}

/** Text from elsewhere as part of one line of ours. */
export function escapeUnsafe(text: string): string {
  return text.replace(UNSAFE, (char) =>
    char === '\n' ? '\\n' : `\\u{${char.codePointAt(0)!.toString(16)}}`
  )
}
