/**
 * Literals and identifiers for SQL text. Everything that a span carries is hostile, and bound
 * parameters are serialised process-wide in the embedded engine, so values are written into the
 * text by these functions and by nothing else.
 *
 * ClickHouse reads backslash escapes inside '…'. Only two characters can end or bend a literal
 * (quote and backslash); NUL is escaped as well, because the embedded engine takes C strings.
 */

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', "'": "\\'", '\0': '\\0' }

/** With the flag `u`, pairs are whole characters and do not match. */
const LONE_SURROGATE = /\p{Surrogate}/gu

/** A String literal. Lone surrogates become U+FFFD, as they do in what was stored. */
export function lit(text: string): string {
  return `'${text.replace(LONE_SURROGATE, '\ufffd').replace(/[\\'\0]/g, (char) => ESCAPES[char]!)}'`
}

/** A name of a table, column or database. Ours only, so anything unusual is a bug. */
export function ident(name: string): string {
  if (!/^[a-z_][a-z0-9_]{0,63}$/.test(name)) throw new TypeError(`not an identifier: ${name}`)
  return `\`${name}\``
}

/** UInt64 from decimal digits, a bigint or a safe, not negative integer. */
export function uint64(value: bigint | number | string): string {
  const number = typeof value === 'number' && !Number.isSafeInteger(value) ? -1n : BigInt(value)
  if (number < 0n || number > 0xffff_ffff_ffff_ffffn) throw new RangeError('not a UInt64')
  return `toUInt64(${number})`
}

/** FixedString(16) from a trace id in hex. */
export function traceIdLit(traceId: string): string {
  if (!/^[0-9a-f]{32}$/.test(traceId)) throw new TypeError('not a trace id in lower-case hex')
  return `toFixedString(unhex('${traceId}'), 16)`
}

/** Nanoseconds, as decimal digits, of Unix milliseconds that may have a fraction. */
export function unixNanoOfMs(unixMs: number): bigint {
  // Milliseconds and their fraction apart: 2^53 cannot hold today's time in microseconds times 1e3.
  const whole = Math.floor(unixMs)
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((unixMs - whole) * 1_000_000))
}
