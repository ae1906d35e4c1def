/**
 * The series of one interval, found from an ended span without making a string.
 *
 *   name ─→ Map ─→ [series, series …]      one for each kind, status and HTTP outcome of that name:
 *                    few, compared one after the other, the last one hit first
 *
 * Limits: SERIES_MAX series; a span beyond them is counted under an overflow series of its kind and
 * status, fifteen at most, so that calls, errors and durations stay exact in total. Names and values
 * are cut at their own limits. A series that counted nothing in a whole interval is forgotten.
 */
import {
  ERROR_TYPE,
  HTTP_REQUEST_METHOD,
  HTTP_RESPONSE_STATUS_CODE,
  HTTP_ROUTE
} from '@spanloom/otlp'
import type { RecordingSpan } from '../trace/span.ts'
import { BucketWindow } from './bucket-window.ts'

export const SERIES_MAX = 2_000
/** The collector cuts names at 1,024 bytes, so a name cut here is the same there. */
export const NAME_CHARS_MAX = 1_024
const VALUE_CHARS_MAX = 256

type Value = string | number | undefined

export class Series {
  readonly name: string
  readonly kind: number
  readonly status: number
  readonly method: Value
  readonly route: Value
  readonly httpStatus: Value
  readonly errorType: Value
  readonly overflow: boolean
  calls = 0
  sumNano = 0
  minNano = Number.POSITIVE_INFINITY
  maxNano = 0
  /** Durations of 0 ns, which no exponential bucket holds. */
  zeroCount = 0
  /** By cell; see @spanloom/otlp's durations. */
  readonly cells = new BucketWindow()
  /** Of scale 3, in seconds. */
  readonly exponential = new BucketWindow()

  constructor(key: SeriesKey, name: string, overflow: boolean) {
    this.name = name
    this.kind = key.kind
    this.status = key.status
    this.method = overflow ? undefined : bounded(key.method)
    this.route = overflow ? undefined : bounded(key.route)
    this.httpStatus = overflow ? undefined : bounded(key.httpStatus)
    this.errorType = overflow ? undefined : bounded(key.errorType)
    this.overflow = overflow
  }
}

/** What of a span makes its series; one object, filled anew for each span. */
class SeriesKey {
  kind = 0
  status = 0
  method: Value = undefined
  route: Value = undefined
  httpStatus: Value = undefined
  errorType: Value = undefined

  /** @hot One pass over the attributes: keys are constants, so comparing them is comparing pointers. */
  read(span: RecordingSpan): void {
    this.kind = span.kind
    this.status = span.statusCode
    this.method = undefined
    this.route = undefined
    this.httpStatus = undefined
    this.errorType = undefined
    const flat = span.flatAttributes
    for (let index = 0; index < flat.length; index += 2) {
      const key = flat[index]
      if (key === HTTP_RESPONSE_STATUS_CODE) this.httpStatus = scalarOf(flat[index + 1])
      else if (key === HTTP_REQUEST_METHOD) this.method = scalarOf(flat[index + 1])
      else if (key === HTTP_ROUTE) this.route = scalarOf(flat[index + 1])
      else if (key === ERROR_TYPE) this.errorType = scalarOf(flat[index + 1])
    }
  }

  is(series: Series): boolean {
    return (
      series.kind === this.kind &&
      series.status === this.status &&
      series.httpStatus === this.httpStatus &&
      series.route === this.route &&
      series.method === this.method &&
      series.errorType === this.errorType
    )
  }
}

export class SeriesTable {
  readonly #byName = new Map<string, Series[]>()
  readonly #key = new SeriesKey()
  readonly #overflow: Series[] = []
  readonly #onOverflow: () => void
  #count = 0

  /** `onOverflow` is called for each series that finds no room. */
  constructor(onOverflow: () => void) {
    this.#onOverflow = onOverflow
  }

  get count(): number {
    return this.#count
  }

  /** @hot */
  of(span: RecordingSpan): Series {
    const key = this.#key
    key.read(span)
    const name = span.name.length > NAME_CHARS_MAX ? span.name.slice(0, NAME_CHARS_MAX) : span.name
    const known = this.#byName.get(name)
    if (known === undefined) return this.#add(name, undefined)
    const first = known[0]!
    if (key.is(first)) return first
    for (let index = 1; index < known.length; index++) {
      const series = known[index]!
      if (!key.is(series)) continue
      known[index] = first
      known[0] = series
      return series
    }
    return this.#add(name, known)
  }

  /** Visits all that have counted since the last time, and forgets those that have not. */
  takeCounted(visit: (series: Series) => void): void {
    for (const [name, all] of this.#byName) {
      const counted = all.filter((series) => series.calls > 0)
      for (const series of counted) visit(series)
      this.#count -= all.length - counted.length
      if (counted.length === 0) this.#byName.delete(name)
      else if (counted.length < all.length) this.#byName.set(name, counted)
    }
    for (const series of this.#overflow) if (series.calls > 0) visit(series)
  }

  #add(name: string, known: Series[] | undefined): Series {
    const key = this.#key
    // A value that was cut is compared uncut, so what was cut is looked for once more.
    key.method = bounded(key.method)
    key.route = bounded(key.route)
    key.httpStatus = bounded(key.httpStatus)
    key.errorType = bounded(key.errorType)
    const same = known?.find((series) => key.is(series))
    if (same !== undefined) return same
    if (this.#count >= SERIES_MAX) return this.#overflowSeries()
    const series = new Series(key, name, false)
    this.#count++
    if (known === undefined) this.#byName.set(name, [series])
    else known.push(series)
    return series
  }

  #overflowSeries(): Series {
    this.#onOverflow()
    const { kind, status } = this.#key
    const known = this.#overflow.find((series) => series.kind === kind && series.status === status)
    if (known !== undefined) return known
    const series = new Series(this.#key, '', true)
    this.#overflow.push(series)
    return series
  }
}

function scalarOf(value: unknown): Value {
  return typeof value === 'string' || typeof value === 'number' ? value : undefined
}

function bounded(value: Value): Value {
  return typeof value === 'string' && value.length > VALUE_CHARS_MAX
    ? value.slice(0, VALUE_CHARS_MAX)
    : value
}
