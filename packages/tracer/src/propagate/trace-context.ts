/**
 * W3C Trace Context, level 1:
 *
 *   traceparent  version "-" trace-id "-" parent-id "-" trace-flags     2-32-16-2 lower-case hex digits
 *   tracestate   list of vendor=value, carried on as it came: at most 32 members and 512 characters
 *
 * A higher version is read as this one if it starts like it; `ff` and ids of zeros are invalid, and what
 * is invalid starts a new trace.
 */
import { byteFromHex, putHexOfByte, putHexOfWord, wordFromHex } from '../lib/hex.ts'
import { InertSpan } from '../trace/inert-span.ts'
import type { SpanIdentity } from '../trace/span-identity.ts'
import { type Headers, joinedOf, oneOf } from './carrier.ts'
import type { Format, SetHeader } from './format.ts'

const LENGTH = 55
const DASH = 45
const STATE_CHARS_MAX = 512
const STATE_MEMBERS_MAX = 32
const COMMA = 44
const TAB = 9

export const traceContext: Format = {
  fields: ['traceparent', 'tracestate'],
  extract,
  inject
}

/** @hot */
function extract(headers: Headers): InertSpan | undefined {
  // Two traceparent headers are none: the standard has one.
  const header = oneOf(headers.traceparent)
  return header === undefined ? undefined : parseTraceparent(header, joinedOf(headers.tracestate))
}

/** @hot */
function inject(span: SpanIdentity, set: SetHeader): void {
  set('traceparent', formatTraceparent(span))
  if (span.traceState !== '') set('tracestate', span.traceState)
}

/** @hot The remote parent, or undefined. */
export function parseTraceparent(header: string, state: string | undefined): InertSpan | undefined {
  const text = header.length === LENGTH ? header : header.trim()
  const version = byteFromHex(text, 0)
  if (version < 0 || version === 0xff || text.length < LENGTH) return undefined
  if (text.length > LENGTH && (version === 0 || text.charCodeAt(LENGTH) !== DASH)) return undefined
  if (text.charCodeAt(2) !== DASH || text.charCodeAt(35) !== DASH) return undefined
  if (text.charCodeAt(52) !== DASH) return undefined
  const trace0 = wordFromHex(text, 3)
  const trace1 = wordFromHex(text, 11)
  const trace2 = wordFromHex(text, 19)
  const trace3 = wordFromHex(text, 27)
  const span0 = wordFromHex(text, 36)
  const span1 = wordFromHex(text, 44)
  const flags = byteFromHex(text, 53)
  if (trace0 < 0 || trace1 < 0 || trace2 < 0 || trace3 < 0) return undefined
  if (span0 < 0 || span1 < 0 || flags < 0) return undefined
  if ((trace0 | trace1 | trace2 | trace3) === 0 || (span0 | span1) === 0) return undefined
  const carried = state === undefined ? '' : carriedState(state)
  return new InertSpan(trace0, trace1, trace2, trace3, span0, span1, flags, carried, true)
}

/**
 * As it came, or not at all: what is beyond the bounds cannot be cut without breaking somebody's member,
 * and a character that is not printable ASCII would make the next request fail (a message's header, unlike
 * HTTP's, can hold it).
 */
function carriedState(state: string): string {
  if (state.length > STATE_CHARS_MAX) return ''
  let members = 1
  for (let index = 0; index < state.length; index++) {
    const unit = state.charCodeAt(index)
    if (unit === COMMA) members++
    else if ((unit < 0x20 && unit !== TAB) || unit > 0x7e) return ''
  }
  return members > STATE_MEMBERS_MAX ? '' : state.trim()
}

const traceparent = Buffer.from(`00-${'0'.repeat(32)}-${'0'.repeat(16)}-00`, 'latin1')

/** @hot As bytes first, because putting two dozen pieces of text together takes thrice the time. */
export function formatTraceparent(span: SpanIdentity): string {
  putHexOfWord(traceparent, 3, span.trace0)
  putHexOfWord(traceparent, 11, span.trace1)
  putHexOfWord(traceparent, 19, span.trace2)
  putHexOfWord(traceparent, 27, span.trace3)
  putHexOfWord(traceparent, 36, span.span0)
  putHexOfWord(traceparent, 44, span.span1)
  putHexOfByte(traceparent, 53, span.traceFlags)
  return traceparent.toString('latin1')
}
