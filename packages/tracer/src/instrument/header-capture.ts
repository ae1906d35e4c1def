/**
 * Headers that the app's operator asked for by name: attributes of the HTTP spans, as lists of values,
 * which is the conventions' form. Nothing is asked of a request when nothing was named.
 */
import type { CaptureHeaders } from '../config/config.ts'
import type { RecordingSpan } from '../trace/span.ts'

export interface CapturedHeader {
  /** Lower-case. */
  readonly name: string
  readonly key: string
}

export type HeaderCapture = Readonly<Record<keyof CaptureHeaders, readonly CapturedHeader[]>>

const VALUE_CHARS_MAX = 1_024
const VALUES_MAX = 16

export function headerCapture(names: CaptureHeaders): HeaderCapture {
  const of = (list: readonly string[], direction: 'request' | 'response') =>
    list.map((name) => ({ name, key: `http.${direction}.header.${name}` }))
  return {
    serverRequest: of(names.serverRequest, 'request'),
    serverResponse: of(names.serverResponse, 'response'),
    clientRequest: of(names.clientRequest, 'request'),
    clientResponse: of(names.clientResponse, 'response')
  }
}

/** `read` gives a header's value, its values, or undefined. */
export function captureHeaders(
  span: RecordingSpan,
  headers: readonly CapturedHeader[],
  read: (name: string) => unknown
): void {
  for (const { name, key } of headers) {
    const found = read(name)
    if (found === undefined || found === null) continue
    const values = Array.isArray(found) ? found.slice(0, VALUES_MAX) : [found]
    span.setAttribute(
      key,
      values.map((value) => String(value).slice(0, VALUE_CHARS_MAX))
    )
  }
}

/** Reads from names and values in turn, which may be bytes. */
export function fromPairs(pairs: unknown): (name: string) => unknown {
  return (name) => {
    if (!Array.isArray(pairs)) return undefined
    const values: unknown[] = []
    for (let index = 0; index + 1 < pairs.length; index += 2) {
      if (String(pairs[index]).toLowerCase() === name) values.push(pairs[index + 1])
    }
    return values.length === 0 ? undefined : values.flat()
  }
}
