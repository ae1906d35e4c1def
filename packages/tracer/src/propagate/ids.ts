/** Ids as other formats write them: hexadecimal of any length up to the full one, and decimal. */
import { wordFromHex } from '../lib/hex.ts'
import { InertSpan } from '../trace/inert-span.ts'

const SAMPLED = 1
const TRACE_DIGITS = 32
const SPAN_DIGITS = 16
const TWO_32 = 0x1_0000_0000

/** A remote parent by ids in hex, filled up with zeros; undefined when they are none. */
export function remoteSpan(
  traceId: string,
  spanId: string,
  sampled: boolean,
  traceState: string
): InertSpan | undefined {
  const trace = filled(traceId, TRACE_DIGITS)
  const span = filled(spanId, SPAN_DIGITS)
  if (trace === undefined || span === undefined) return undefined
  return remoteSpanOfWords(
    wordFromHex(trace, 0),
    wordFromHex(trace, 8),
    wordFromHex(trace, 16),
    wordFromHex(trace, 24),
    wordFromHex(span, 0),
    wordFromHex(span, 8),
    sampled,
    traceState
  )
}

export function remoteSpanOfWords(
  trace0: number,
  trace1: number,
  trace2: number,
  trace3: number,
  span0: number,
  span1: number,
  sampled: boolean,
  traceState: string
): InertSpan | undefined {
  if (trace0 < 0 || trace1 < 0 || trace2 < 0 || trace3 < 0) return undefined
  if (span0 < 0 || span1 < 0) return undefined
  if ((trace0 | trace1 | trace2 | trace3) === 0 || (span0 | span1) === 0) return undefined
  const flags = sampled ? SAMPLED : 0
  return new InertSpan(trace0, trace1, trace2, trace3, span0, span1, flags, traceState, true)
}

function filled(id: string, digits: number): string | undefined {
  const text = id.trim().toLowerCase()
  return text === '' || text.length > digits ? undefined : text.padStart(digits, '0')
}

/**
 * The two words of an unsigned 64-bit number in decimal. Five digits at a time: the product stays below
 * 2^53, and no BigInt is made. Undefined when it is none or too large.
 */
export function wordsOfDecimal(text: string): { high: number; low: number } | undefined {
  if (text.length === 0 || text.length > 20) return undefined
  let high = 0
  let low = 0
  for (let start = 0; start < text.length; start += 5) {
    const end = Math.min(start + 5, text.length)
    let chunk = 0
    let scale = 1
    for (let index = start; index < end; index++) {
      const digit = text.charCodeAt(index) - 48
      if (digit < 0 || digit > 9) return undefined
      chunk = chunk * 10 + digit
      scale *= 10
    }
    const sum = low * scale + chunk
    low = sum % TWO_32
    high = high * scale + Math.floor(sum / TWO_32)
    if (high >= TWO_32) return undefined
  }
  return { high, low }
}

const MILLION = 1_000_000

/** The decimal text of an unsigned 64-bit number, six digits at a time, from the last. */
export function decimalOfWords(high: number, low: number): string {
  let text = ''
  let upper = high >>> 0
  let lower = low >>> 0
  while (upper > 0 || lower >= MILLION) {
    const rest = (upper % MILLION) * TWO_32 + lower
    upper = Math.floor(upper / MILLION)
    lower = Math.floor(rest / MILLION)
    text = String(rest % MILLION).padStart(6, '0') + text
  }
  return String(lower) + text
}
