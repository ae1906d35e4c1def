/** Traces for tests, written as `id parent start duration service status`. */
import type { TraceResponse, TraceSpan } from '@spanloom/query-api'

const START_UNIX_NANO = 1_795_000_000_000_000_000n

interface Spec {
  readonly id: string
  readonly parent?: string
  /** Nanoseconds after the start of the trace; may be below zero. */
  readonly at: number
  readonly for: number
  readonly service?: string
  readonly error?: boolean
  readonly name?: string
  readonly attributes?: Readonly<Record<string, string>>
}

export function traceOf(specs: readonly Spec[]): TraceResponse {
  return {
    traceId: 'ab'.repeat(16),
    spans: specs.map(spanOf),
    resources: [{}],
    truncated: false
  }
}

function spanOf(spec: Spec): TraceSpan {
  return {
    spanId: spec.id,
    ...(spec.parent === undefined ? {} : { parentSpanId: spec.parent }),
    service: spec.service ?? 'shop',
    name: spec.name ?? spec.id,
    kind: 'internal',
    status: spec.error === true ? 'error' : 'unset',
    startTimeUnixNano: String(START_UNIX_NANO + BigInt(spec.at)),
    durationNano: String(spec.for),
    selfTimeNano: String(spec.for),
    scopeName: '',
    attributes: spec.attributes ?? {},
    events: [],
    links: [],
    resource: 0
  }
}
