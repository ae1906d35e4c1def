/**
 * A context: an immutable frame with a field for each key that every request uses, and a Map, copied on
 * write, for the app's own keys. Setting a value makes one small object; the API's own contexts copy a
 * Map and make three closures.
 */
import {
  type Baggage,
  type Context,
  createContextKey,
  ROOT_CONTEXT,
  type Span
} from '@opentelemetry/api'
import { SpanCell } from '../trace/cell.ts'
import { InertSpan } from '../trace/inert-span.ts'
import { RecordingSpan } from '../trace/span.ts'

/** Keys are `Symbol.for` of the API's own words, so every copy of the API has the same. */
export const SPAN_KEY = createContextKey('OpenTelemetry Context Key SPAN')
export const BAGGAGE_KEY = createContextKey('OpenTelemetry Baggage Key')
export const SUPPRESS_KEY = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING')

export class Frame implements Context {
  /** Our own spans sit in their cell; a foreign one is held as it is. */
  readonly cell: SpanCell | undefined
  readonly foreignSpan: Span | undefined
  readonly baggage: Baggage | undefined
  readonly suppressed: boolean
  readonly #rest: ReadonlyMap<symbol, unknown> | undefined

  constructor(
    cell: SpanCell | undefined,
    foreignSpan: Span | undefined,
    baggage: Baggage | undefined,
    suppressed: boolean,
    rest: ReadonlyMap<symbol, unknown> | undefined
  ) {
    this.cell = cell
    this.foreignSpan = foreignSpan
    this.baggage = baggage
    this.suppressed = suppressed
    this.#rest = rest
  }

  getValue(key: symbol): unknown {
    if (key === SPAN_KEY) return this.cell === undefined ? this.foreignSpan : this.cell.span
    if (key === BAGGAGE_KEY) return this.baggage
    if (key === SUPPRESS_KEY) return this.suppressed ? true : undefined
    return this.#rest?.get(key)
  }

  setValue(key: symbol, value: unknown): Frame {
    if (key === SPAN_KEY) return this.withSpan(value as Span | undefined)
    if (key === BAGGAGE_KEY) {
      const baggage = value as Baggage | undefined
      return new Frame(this.cell, this.foreignSpan, baggage, this.suppressed, this.#rest)
    }
    if (key === SUPPRESS_KEY) {
      return new Frame(this.cell, this.foreignSpan, this.baggage, value === true, this.#rest)
    }
    const rest = new Map(this.#rest).set(key, value)
    return new Frame(this.cell, this.foreignSpan, this.baggage, this.suppressed, rest)
  }

  deleteValue(key: symbol): Frame {
    if (key === SPAN_KEY || key === BAGGAGE_KEY || key === SUPPRESS_KEY) {
      return this.setValue(key, undefined)
    }
    const rest = new Map(this.#rest)
    rest.delete(key)
    return new Frame(this.cell, this.foreignSpan, this.baggage, this.suppressed, rest)
  }

  withSpan(span: Span | undefined): Frame {
    const cell = cellOf(span)
    const foreign = cell === undefined ? span : undefined
    return new Frame(cell, foreign, this.baggage, this.suppressed, this.#rest)
  }
}

export const ROOT_FRAME = new Frame(undefined, undefined, undefined, false, undefined)
export const SUPPRESSED_FRAME = new Frame(undefined, undefined, undefined, true, undefined)

/** The frame of an incoming request. */
export function requestFrame(span: RecordingSpan | InertSpan, baggage: Baggage | undefined): Frame {
  return new Frame(cellOf(span), undefined, baggage, false, undefined)
}

function cellOf(span: Span | undefined): SpanCell | undefined {
  if (span instanceof RecordingSpan) return span.cellForContext()
  return span instanceof InertSpan ? new SpanCell(span) : undefined
}

/** Whether nothing may be traced here: the tracer's own requests, or an SDK exporter's. */
export function isSuppressed(context: Context | undefined): boolean {
  if (context === undefined || context === ROOT_CONTEXT) return false
  if (context instanceof Frame) return context.suppressed
  return context.getValue(SUPPRESS_KEY) === true
}
