/** What a wire format of the trace context is. The propagator is made of those that are configured. */
import type { Baggage } from '@opentelemetry/api'
import type { InertSpan } from '../trace/inert-span.ts'
import type { SpanIdentity } from '../trace/span-identity.ts'
import type { Headers } from './carrier.ts'

export type SetHeader = (name: string, value: string) => void

export interface Format {
  /** Lower-case names of the headers. */
  readonly fields: readonly string[]
  /** Headers that start with this belong to it too, whatever follows. */
  readonly prefix?: string
  /** The remote parent. Never throws. */
  readonly extract?: (headers: Headers) => InertSpan | undefined
  readonly inject?: (span: SpanIdentity, set: SetHeader) => void
  readonly extractBaggage?: (headers: Headers) => Baggage | undefined
  readonly injectBaggage?: (baggage: Baggage, set: SetHeader) => void
}
