/** OTLP's numbers and their names. */
export const SpanKind = {
  UNSPECIFIED: 0,
  INTERNAL: 1,
  SERVER: 2,
  CLIENT: 3,
  PRODUCER: 4,
  CONSUMER: 5
} as const
export type SpanKind = (typeof SpanKind)[keyof typeof SpanKind]

export const StatusCode = { UNSET: 0, OK: 1, ERROR: 2 } as const
export type StatusCode = (typeof StatusCode)[keyof typeof StatusCode]

/** By number: 'UNSPECIFIED' … 'CONSUMER'. */
export const SPAN_KIND_NAMES = Object.keys(SpanKind) as ReadonlyArray<keyof typeof SpanKind>

/** By number: 'UNSET', 'OK', 'ERROR'. */
export const STATUS_CODE_NAMES = Object.keys(StatusCode) as ReadonlyArray<keyof typeof StatusCode>

/** Bits of a span's `flags`: the W3C trace flags, then whether the parent is in another process. */
export const SpanFlags = {
  SAMPLED: 0x01,
  TRACE_FLAGS_MASK: 0xff,
  HAS_IS_REMOTE: 0x100,
  IS_REMOTE: 0x200
} as const

/** A kind that OTLP does not know (yet) is read as unspecified. */
export function knownKind(kind: number): SpanKind {
  return (kind >= 0 && kind < SPAN_KIND_NAMES.length ? kind : 0) as SpanKind
}

/** A status code that OTLP does not know (yet) is read as unset. */
export function knownStatusCode(code: number): StatusCode {
  return (code >= 0 && code < STATUS_CODE_NAMES.length ? code : 0) as StatusCode
}
