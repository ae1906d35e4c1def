/**
 * Datadog's headers:
 *
 *   x-datadog-trace-id            the id's lower 64 bits, decimal
 *   x-datadog-parent-id           decimal
 *   x-datadog-sampling-priority   -1, 0: not sampled; 1, 2: sampled
 *   x-datadog-origin              where the trace began: `synthetics`, `rum`
 *   x-datadog-tags                _dd.p.tid=<upper 64 bits, hex>,_dd.p.dm=-4
 *
 * What our span has no field for is kept as Datadog's own member of the tracestate, and so reaches the
 * next process in whichever format it is sent:
 *
 *   dd=s:2;o:rum;t.dm:-4
 *
 * Tags beyond 512 characters are not carried on, which is Datadog's own bound.
 */
import { hexOfWord, wordFromHex } from '../lib/hex.ts'
import type { InertSpan } from '../trace/inert-span.ts'
import type { SpanIdentity } from '../trace/span-identity.ts'
import { type Headers, oneOf } from './carrier.ts'
import type { Format, SetHeader } from './format.ts'
import { decimalOfWords, remoteSpanOfWords, wordsOfDecimal } from './ids.ts'

const TRACE_ID = 'x-datadog-trace-id'
const PARENT_ID = 'x-datadog-parent-id'
const PRIORITY = 'x-datadog-sampling-priority'
const ORIGIN = 'x-datadog-origin'
const TAGS = 'x-datadog-tags'

const TAGS_CHARS_MAX = 512
/** What the tracestate takes of a member, with room for the others. */
const MEMBER_CHARS_MAX = 256
const TAG_PREFIX = '_dd.p.'
const UPPER_BITS_TAG = '_dd.p.tid'

export const datadog: Format = {
  fields: [TRACE_ID, PARENT_ID, PRIORITY, ORIGIN, TAGS],
  extract,
  inject
}

function extract(headers: Headers): InertSpan | undefined {
  const trace = wordsOfDecimal(oneOf(headers[TRACE_ID])?.trim() ?? '')
  const span = wordsOfDecimal(oneOf(headers[PARENT_ID])?.trim() ?? '')
  if (trace === undefined || span === undefined) return undefined
  const tags = tagsOf(oneOf(headers[TAGS]))
  const upper = tags?.get(UPPER_BITS_TAG)
  const upperIsHex = upper !== undefined && /^[0-9a-f]{16}$/.test(upper)
  const priority = oneOf(headers[PRIORITY])?.trim()
  return remoteSpanOfWords(
    upperIsHex ? wordFromHex(upper, 0) : 0,
    upperIsHex ? wordFromHex(upper, 8) : 0,
    trace.high,
    trace.low,
    span.high,
    span.low,
    // Without a priority the decision is ours.
    priority === undefined || !/^(-\d+|0)$/.test(priority),
    memberOf(priority, oneOf(headers[ORIGIN]), tags)
  )
}

function inject(span: SpanIdentity, set: SetHeader): void {
  set(TRACE_ID, decimalOfWords(span.trace2, span.trace3))
  set(PARENT_ID, decimalOfWords(span.span0, span.span1))
  const sampled = (span.traceFlags & 1) === 1
  const upper = (span.trace0 | span.trace1) !== 0
  let tags = upper ? `${UPPER_BITS_TAG}=${hexOfWord(span.trace0)}${hexOfWord(span.trace1)}` : ''
  let priority = sampled ? '1' : '0'
  for (const part of partsOfMember(span.traceState)) {
    const colon = part.indexOf(':')
    if (colon < 1) continue
    const key = part.slice(0, colon)
    const value = part.slice(colon + 1).replaceAll('~', '=')
    if (key === 's' && /^-?\d$/.test(value) && Number(value) > 0 === sampled) priority = value
    else if (key === 'o') set(ORIGIN, value)
    else if (key.startsWith('t.')) {
      const tag = `${TAG_PREFIX}${key.slice(2)}=${value}`
      if (tags.length + tag.length < TAGS_CHARS_MAX) tags += tags === '' ? tag : `,${tag}`
    }
  }
  set(PRIORITY, priority)
  if (tags !== '') set(TAGS, tags)
}

function tagsOf(header: string | undefined): ReadonlyMap<string, string> | undefined {
  if (header === undefined || header.length > TAGS_CHARS_MAX) return undefined
  const tags = new Map<string, string>()
  for (const tag of header.split(',')) {
    const equals = tag.indexOf('=')
    if (equals > 0) tags.set(tag.slice(0, equals).trim(), tag.slice(equals + 1).trim())
  }
  return tags
}

function memberOf(
  priority: string | undefined,
  origin: string | undefined,
  tags: ReadonlyMap<string, string> | undefined
): string {
  const parts: string[] = []
  if (priority !== undefined && /^-?\d$/.test(priority)) parts.push(`s:${priority}`)
  if (origin !== undefined && origin !== '') parts.push(`o:${stateValue(origin)}`)
  for (const [name, value] of tags ?? []) {
    if (!name.startsWith(TAG_PREFIX) || name === UPPER_BITS_TAG || value === '') continue
    parts.push(`t.${stateValue(name.slice(TAG_PREFIX.length))}:${stateValue(value)}`)
  }
  let member = ''
  for (const part of parts) {
    if (member.length + part.length >= MEMBER_CHARS_MAX) break
    member += member === '' ? part : `;${part}`
  }
  return member === '' ? '' : `dd=${member}`
}

/** `=`, which ends a key of the tracestate, is written `~`; what it cannot hold is `_`. */
function stateValue(text: string): string {
  return text.replace(/[^\x20-\x7e]|[,;:~]/g, '_').replaceAll('=', '~')
}

function partsOfMember(traceState: string): readonly string[] {
  if (!traceState.includes('dd=')) return []
  for (const member of traceState.split(',')) {
    const text = member.trim()
    if (text.startsWith('dd=')) return text.slice(3).split(';')
  }
  return []
}
