/**
 * The header in which sender and collector speak about head sampling:
 *
 *   request    spanloom-head-rate: shop=0.25          this service samples so much of the traces that it begins
 *   response   spanloom-head-rate: shop=0.125,*=1     … and may sample so much of them from now on
 *
 *   header  = pair *("," pair)          at most 1024 characters; the first pair that fits is the one
 *   pair    = name "=" rate
 *   name    = "*" (every service) | the service's name, percent-encoded to A-Z a-z 0-9 - _ . ! ~ ' ( ),
 *             at most 256 characters so
 *   rate    = "1" | "0." 1*6DIGIT       above 0
 *
 * Names come from strangers: they are compared in their encoded form, are never decoded, and one that is
 * too long or cannot be encoded takes no part.
 */
export const HEAD_RATE_HEADER = 'spanloom-head-rate'

const NAME_CHARS_MAX = 256
const HEADER_CHARS_MAX = 1_024
const PAIR = /^([\w\-.!~'()%]+|\*)=(1|0\.\d{1,6})$/

/** The name as the header has it; undefined: it takes no part. */
export function headRateName(serviceName: string): string | undefined {
  // Beyond this the encoded name is too long in any case, and encoding would take time for nothing.
  if (serviceName === '' || serviceName.length > NAME_CHARS_MAX) return undefined
  try {
    const name = encodeURIComponent(serviceName).replaceAll('*', '%2A')
    return name.length > NAME_CHARS_MAX ? undefined : name
  } catch {
    // Half a surrogate pair.
    return undefined
  }
}

/** `rate` in (0, 1], to six digits, and never rounded to nothing. */
export function formatHeadRate(name: string, rate: number): string {
  const rounded = Math.max(1e-6, Math.round(Math.min(1, rate) * 1e6) / 1e6)
  return `${name}=${rounded === 1 ? '1' : rounded.toFixed(6).replace(/0+$/, '')}`
}

/** What the header says of the service with this encoded name; undefined: nothing. */
export function headRateFor(name: string, header: string): number | undefined {
  if (header.length > HEADER_CHARS_MAX) return undefined
  for (const pair of header.split(',')) {
    const [, whose, rate] = PAIR.exec(pair.trim()) ?? []
    if (whose === name || whose === '*') return Number(rate) || undefined
  }
  return undefined
}

/** The first pair; undefined: there is none that is well-formed. */
export function readHeadRate(header: string): { name: string; rate: number } | undefined {
  if (header.length > HEADER_CHARS_MAX) return undefined
  const [, name, text] = PAIR.exec(header.split(',', 1)[0]!.trim()) ?? []
  const rate = Number(text)
  if (name === undefined || name === '*' || name.length > NAME_CHARS_MAX || !(rate > 0)) {
    return undefined
  }
  return { name, rate }
}
