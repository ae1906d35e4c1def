/**
 * What a carrier's values may be: a header as node has it, or the bytes of a message's header (Kafka).
 * Nothing here throws, whatever a stranger sends.
 */
export type Header = string | Uint8Array | readonly (string | Uint8Array)[] | undefined
export type Headers = Readonly<Record<string, Header>>

/** More than any of the formats allows; what is longer is not looked at. */
const HEADER_CHARS_MAX = 8_192

/** The header's one value. Two of a kind that may be there once are none. */
export function oneOf(header: Header): string | undefined {
  if (typeof header === 'string') return header.length > HEADER_CHARS_MAX ? undefined : header
  if (header === undefined || header === null) return undefined
  if (header instanceof Uint8Array) return textOf(header)
  return Array.isArray(header) && header.length === 1 ? oneOf(header[0]) : undefined
}

/** The values of a header that is a list, as one. */
export function joinedOf(header: Header): string | undefined {
  if (!Array.isArray(header)) return oneOf(header)
  let joined = ''
  for (const value of header) {
    const text = oneOf(value)
    if (text === undefined || text === '') continue
    joined = joined === '' ? text : `${joined},${text}`
    if (joined.length > HEADER_CHARS_MAX) return undefined
  }
  return joined === '' ? undefined : joined
}

function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.length > HEADER_CHARS_MAX) return undefined
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
}
