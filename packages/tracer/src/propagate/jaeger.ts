/**
 * Jaeger's own headers:
 *
 *   uber-trace-id    trace-id ":" span-id ":" parent-span-id ":" flags     hex; flags' lowest bit: sampled
 *   uberctx-<key>    an entry of the baggage, percent-encoded
 *
 * Ids may be shorter and the whole may be percent-encoded, as some of Jaeger's clients have it. At most
 * 64 entries of baggage are read and written.
 */
import { type Baggage, type BaggageEntry, propagation } from '@opentelemetry/api'
import { hexOfByte } from '../lib/hex.ts'
import type { InertSpan } from '../trace/inert-span.ts'
import { type Headers, oneOf } from './carrier.ts'
import type { Format } from './format.ts'
import { remoteSpan } from './ids.ts'

const HEADER = 'uber-trace-id'
const BAGGAGE_PREFIX = 'uberctx-'
const BAGGAGE_ENTRIES_MAX = 64
const SAMPLED = 1
/** A header's name: what else would be refused by whoever sends it. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

export const jaeger: Format = {
  fields: [HEADER],
  prefix: BAGGAGE_PREFIX,
  extract,
  inject(span, set) {
    set(HEADER, `${span.traceId}:${span.spanId}:0:${hexOfByte(span.traceFlags & SAMPLED)}`)
  },
  extractBaggage,
  injectBaggage(baggage, set) {
    let count = 0
    for (const [key, entry] of baggage.getAllEntries()) {
      const value = encoded(entry.value)
      if (!TOKEN.test(key) || value === undefined) continue
      if (count++ === BAGGAGE_ENTRIES_MAX) return
      set(BAGGAGE_PREFIX + key, value)
    }
  }
}

function extract(headers: Headers): InertSpan | undefined {
  const header = oneOf(headers[HEADER])
  if (header === undefined) return undefined
  const [traceId, spanId, , flags] = decoded(header).split(':', 5)
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined
  if (!/^[0-9a-fA-F]{1,2}$/.test(flags)) return undefined
  return remoteSpan(traceId, spanId, (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED, '')
}

function extractBaggage(headers: Headers): Baggage | undefined {
  let entries: Record<string, BaggageEntry> | undefined
  let count = 0
  for (const name of Object.keys(headers)) {
    if (!name.startsWith(BAGGAGE_PREFIX) || name.length === BAGGAGE_PREFIX.length) continue
    const value = oneOf(headers[name])
    if (value === undefined) continue
    if (count++ === BAGGAGE_ENTRIES_MAX) break
    entries ??= {}
    entries[name.slice(BAGGAGE_PREFIX.length)] = { value: decoded(value) }
  }
  return entries === undefined ? undefined : propagation.createBaggage(entries)
}

function encoded(text: string): string | undefined {
  try {
    return encodeURIComponent(text)
  } catch {
    // Half a surrogate.
    return undefined
  }
}

function decoded(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
