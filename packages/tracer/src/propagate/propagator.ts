/**
 * Trace context and baggage on the wire, in the formats that are configured. `extract` and `inject` are
 * the API's; instrumentations use `parentOf`, `baggageOf` and `eachHeader`, which make no context and no
 * carrier.
 *
 * The formats are two lists, made once. The first that finds a valid context in the headers wins, and
 * what other formats say is not looked at; all formats of the other list are written. W3C's two alone,
 * which is the default, cost what a propagator of just them would.
 */
import type {
  Baggage,
  Context,
  TextMapGetter,
  TextMapPropagator,
  TextMapSetter
} from '@opentelemetry/api'
import type { FormatName, PropagatorConfig } from '../config/propagation.ts'
import { BAGGAGE_KEY, isSuppressed, SPAN_KEY } from '../context/frame.ts'
import { requireOwn } from '../lib/own-file.ts'
import type { InertSpan } from '../trace/inert-span.ts'
import { identityOf, type SpanIdentity } from '../trace/span-identity.ts'
import { w3cBaggage } from './baggage.ts'
import type { Header, Headers } from './carrier.ts'
import type { Format, SetHeader } from './format.ts'
import { traceContext } from './trace-context.ts'

export type { Headers } from './carrier.ts'

/** The others are loaded when they are configured: file and export. */
const LOADED: Readonly<Record<Exclude<FormatName, 'tracecontext' | 'baggage'>, [string, string]>> =
  {
    b3: ['b3', 'b3Single'],
    b3multi: ['b3', 'b3Multi'],
    jaeger: ['jaeger', 'jaeger'],
    xray: ['xray', 'xray'],
    datadog: ['datadog', 'datadog']
  }

function formatOf(name: FormatName): Format {
  if (name === 'tracecontext') return traceContext
  if (name === 'baggage') return w3cBaggage
  const [file, exported] = LOADED[name]
  return requireOwn<Record<string, Format>>(`propagate/${file}`)[exported]!
}

/** A carrier of a stranger's may have any number of headers; more are not looked at. */
const CARRIER_KEYS_MAX = 1_000

type Extract = (headers: Headers) => InertSpan | undefined
type Inject = (span: SpanIdentity, set: SetHeader) => void
type ExtractBaggage = (headers: Headers) => Baggage | undefined
type InjectBaggage = (baggage: Baggage, set: SetHeader) => void

export class Propagator implements TextMapPropagator {
  readonly #extract: Extract | undefined
  readonly #extractLink: Extract | undefined
  readonly #extractBaggage: ExtractBaggage | undefined
  readonly #inject: Inject | undefined
  readonly #injectBaggage: InjectBaggage | undefined
  readonly #readFields: readonly string[]
  readonly #readPrefixes: readonly string[]
  readonly #writtenFields: readonly string[]

  constructor({ extract, inject, behavior }: PropagatorConfig) {
    const read = extract.map(formatOf)
    const written = inject.map(formatOf)
    const first = firstOf(read.flatMap((format) => format.extract ?? []))
    const goesOn = behavior === 'continue'
    this.#extract = goesOn ? first : undefined
    this.#extractLink = behavior === 'restart' ? first : undefined
    const baggage = firstOf(read.flatMap((format) => format.extractBaggage ?? []))
    this.#extractBaggage = behavior === 'ignore' ? undefined : baggage
    this.#inject = allOf(written.flatMap((format) => format.inject ?? []))
    this.#injectBaggage = allOf(written.flatMap((format) => format.injectBaggage ?? []))
    this.#readFields = [...new Set(read.flatMap((format) => format.fields))]
    this.#readPrefixes = read.flatMap((format) => format.prefix ?? [])
    this.#writtenFields = [...new Set(written.flatMap((format) => format.fields))]
  }

  /** @hot */
  parentOf(headers: Headers): InertSpan | undefined {
    const extract = this.#extract
    return extract === undefined ? undefined : extract(headers)
  }

  /** @hot Whose trace the request came from, where a new trace is begun for it: to be linked to. */
  linkOf(headers: Headers): InertSpan | undefined {
    const extract = this.#extractLink
    return extract === undefined ? undefined : extract(headers)
  }

  /** @hot */
  baggageOf(headers: Headers): Baggage | undefined {
    const extract = this.#extractBaggage
    return extract === undefined ? undefined : extract(headers)
  }

  /** @hot Calls `set` for each header of an outgoing request. */
  eachHeader(span: SpanIdentity, baggage: Baggage | undefined, set: SetHeader): void {
    this.#inject?.(span, set)
    if (baggage !== undefined) this.#injectBaggage?.(baggage, set)
  }

  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    try {
      this.#injectInto(context, carrier, setter)
    } catch {
      // A carrier that takes no headers: the call that it is for goes out without.
    }
  }

  #injectInto(context: Context, carrier: unknown, setter: TextMapSetter): void {
    if (isSuppressed(context)) return
    const span = identityOf(context.getValue(SPAN_KEY))
    const baggage = context.getValue(BAGGAGE_KEY) as Baggage | undefined
    const set: SetHeader = (name, value) => setter.set(carrier, name, value)
    if (span !== undefined) this.eachHeader(span, baggage, set)
    else if (baggage !== undefined) this.#injectBaggage?.(baggage, set)
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    try {
      return this.#extracted(context, carrier, getter)
    } catch {
      // A carrier that throws when it is read carries nothing.
      return context
    }
  }

  #extracted(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const headers = this.#headersOf(carrier, getter)
    const parent = this.parentOf(headers)
    const baggage = this.baggageOf(headers)
    let extracted = context
    if (parent !== undefined) extracted = extracted.setValue(SPAN_KEY, parent)
    if (baggage !== undefined) extracted = extracted.setValue(BAGGAGE_KEY, baggage)
    return extracted
  }

  /** The headers that `parentOf` and `baggageOf` look at, for carriers that are not read by name. */
  get readFields(): readonly string[] {
    return this.#readFields
  }

  fields(): string[] {
    return [...this.#writtenFields]
  }

  #headersOf(carrier: unknown, getter: TextMapGetter): Headers {
    const headers: Record<string, Header> = {}
    for (const field of this.#readFields) headers[field] = getter.get(carrier, field)
    if (this.#readPrefixes.length === 0) return headers
    for (const key of getter.keys(carrier).slice(0, CARRIER_KEYS_MAX)) {
      const name = key.toLowerCase()
      if (this.#readPrefixes.some((prefix) => name.startsWith(prefix))) {
        headers[name] = getter.get(carrier, key)
      }
    }
    return headers
  }
}

/** One function for the list: a call of a single format goes through no loop. */
function firstOf<Found>(
  each: readonly ((headers: Headers) => Found | undefined)[]
): ((headers: Headers) => Found | undefined) | undefined {
  if (each.length < 2) return each[0]
  return (headers) => {
    for (const extract of each) {
      const found = extract(headers)
      if (found !== undefined) return found
    }
    return undefined
  }
}

function allOf<What>(
  each: readonly ((what: What, set: SetHeader) => void)[]
): ((what: What, set: SetHeader) => void) | undefined {
  if (each.length < 2) return each[0]
  return (what, set) => {
    for (const inject of each) inject(what, set)
  }
}
