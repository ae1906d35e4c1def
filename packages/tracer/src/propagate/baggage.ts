/** W3C Baggage: `key=value;metadata,key=value`, percent-encoded values, within the standard's bounds. */
import {
  type Baggage,
  type BaggageEntry,
  baggageEntryMetadataFromString,
  propagation
} from '@opentelemetry/api'
import { joinedOf } from './carrier.ts'
import type { Format } from './format.ts'

const HEADER_CHARS_MAX = 8_192
const PAIRS_MAX = 180
const PAIR_CHARS_MAX = 4_096

export const w3cBaggage: Format = {
  fields: ['baggage'],
  extractBaggage(headers) {
    const header = joinedOf(headers.baggage)
    return header === undefined ? undefined : parseBaggage(header)
  },
  injectBaggage(baggage, set) {
    const header = formatBaggage(baggage)
    if (header !== '') set('baggage', header)
  }
}

export function parseBaggage(header: string): Baggage | undefined {
  if (header.length > HEADER_CHARS_MAX) return undefined
  const entries: Record<string, BaggageEntry> = {}
  let count = 0
  for (const pair of header.split(',')) {
    if (count === PAIRS_MAX) break
    const entry = pair.length > PAIR_CHARS_MAX ? undefined : parsePair(pair)
    if (entry === undefined) continue
    entries[entry.key] = entry.value
    count++
  }
  return count === 0 ? undefined : propagation.createBaggage(entries)
}

export function formatBaggage(baggage: Baggage): string {
  let header = ''
  let count = 0
  for (const [key, entry] of baggage.getAllEntries()) {
    const pair = formatPair(key, entry)
    if (pair === undefined) continue
    if (pair.length > PAIR_CHARS_MAX || header.length + pair.length + 1 > HEADER_CHARS_MAX) continue
    if (count++ === PAIRS_MAX) break
    header += header === '' ? pair : `,${pair}`
  }
  return header
}

/** A pair that no header could hold is left out: half a surrogate, or a line's end in its metadata. */
function formatPair(key: string, entry: BaggageEntry): string | undefined {
  try {
    const { value, metadata } = entry
    if (key === '' || typeof value !== 'string') return undefined
    const suffix = metadata ? `;${metadata.toString()}` : ''
    const pair = `${encodeURIComponent(key)}=${encodeURIComponent(value)}${suffix}`
    return /[^\t\x20-\x7e]/.test(suffix) ? undefined : pair
  } catch {
    return undefined
  }
}

function parsePair(pair: string): { key: string; value: BaggageEntry } | undefined {
  const [property = '', ...metadata] = pair.split(';')
  const equals = property.indexOf('=')
  if (equals < 1) return undefined
  try {
    const key = decodeURIComponent(property.slice(0, equals).trim())
    const value = decodeURIComponent(property.slice(equals + 1).trim())
    if (key === '') return undefined
    return {
      key,
      value:
        metadata.length === 0
          ? { value }
          : { value, metadata: baggageEntryMetadataFromString(metadata.join(';').trim()) }
    }
  } catch {
    return undefined
  }
}
