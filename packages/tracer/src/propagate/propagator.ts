/**
 * Trace context and baggage on the wire. `extract` and `inject` are the API's; instrumentations use
 * `parentOf`, `baggageOf` and `eachHeader`, which make no context and no carrier.
 */
import type {
  Baggage,
  Context,
  TextMapGetter,
  TextMapPropagator,
  TextMapSetter
} from '@opentelemetry/api'
import { BAGGAGE_KEY, isSuppressed, SPAN_KEY } from '../context/frame.ts'
import type { InertSpan } from '../trace/inert-span.ts'
import { identityOf, type SpanIdentity } from '../trace/span-identity.ts'
import { formatBaggage, parseBaggage } from './baggage.ts'
import { formatTraceparent, parseTraceparent } from './trace-context.ts'

type Header = string | string[] | undefined
export type Headers = Readonly<Record<string, Header>>

export class W3cPropagator implements TextMapPropagator {
  readonly #traceContext: boolean
  readonly #baggage: boolean

  constructor(enabled: { readonly traceContext: boolean; readonly baggage: boolean }) {
    this.#traceContext = enabled.traceContext
    this.#baggage = enabled.baggage
  }

  /** @hot */
  parentOf(headers: Headers): InertSpan | undefined {
    const header = headers.traceparent
    // Two traceparent headers are none: the standard has one.
    if (!this.#traceContext || typeof header !== 'string') return undefined
    return parseTraceparent(header, joined(headers.tracestate))
  }

  baggageOf(headers: Headers): Baggage | undefined {
    if (!this.#baggage) return undefined
    const header = joined(headers.baggage)
    return header === undefined ? undefined : parseBaggage(header)
  }

  /** @hot Calls `set` for each header of an outgoing request. */
  eachHeader(
    span: SpanIdentity,
    baggage: Baggage | undefined,
    set: (name: string, value: string) => void
  ): void {
    if (this.#traceContext) {
      set('traceparent', formatTraceparent(span))
      if (span.traceState !== '') set('tracestate', span.traceState)
    }
    if (this.#baggage && baggage !== undefined) {
      const header = formatBaggage(baggage)
      if (header !== '') set('baggage', header)
    }
  }

  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    if (isSuppressed(context)) return
    const span = identityOf(context.getValue(SPAN_KEY))
    const baggage = context.getValue(BAGGAGE_KEY) as Baggage | undefined
    const set = (name: string, value: string) => setter.set(carrier, name, value)
    if (span !== undefined) this.eachHeader(span, baggage, set)
    else if (this.#baggage && baggage !== undefined) set('baggage', formatBaggage(baggage))
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const headers = {
      traceparent: single(getter.get(carrier, 'traceparent')),
      tracestate: getter.get(carrier, 'tracestate'),
      baggage: getter.get(carrier, 'baggage')
    }
    const parent = this.parentOf(headers)
    const baggage = this.baggageOf(headers)
    let extracted = context
    if (parent !== undefined) extracted = extracted.setValue(SPAN_KEY, parent)
    if (baggage !== undefined) extracted = extracted.setValue(BAGGAGE_KEY, baggage)
    return extracted
  }

  fields(): string[] {
    const fields: string[] = []
    if (this.#traceContext) fields.push('traceparent', 'tracestate')
    if (this.#baggage) fields.push('baggage')
    return fields
  }
}

function single(header: Header): Header {
  return Array.isArray(header) && header.length === 1 ? header[0] : header
}

function joined(header: Header): string | undefined {
  return Array.isArray(header) ? header.join(',') : header
}
