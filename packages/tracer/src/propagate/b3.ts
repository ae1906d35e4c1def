/**
 * Zipkin's B3, in its two forms:
 *
 *   b3             trace-id "-" span-id [ "-" sampling-state [ "-" parent-span-id ] ]
 *   x-b3-traceid   16 or 32 hex digits      x-b3-sampled  1 or 0 (also true, false)
 *   x-b3-spanid    16 hex digits            x-b3-flags    1: debug, which is sampled
 *
 * The sampling state is 1, 0 or d for debug. Where there is none the decision is ours, and it is to
 * sample. A state without ids is not carried on: there is no span to carry it. Either form is read
 * whichever is configured, the single header first; ids of 64 bits are filled up with zeros.
 */
import type { InertSpan } from '../trace/inert-span.ts'
import { type Headers, oneOf } from './carrier.ts'
import type { Format } from './format.ts'
import { remoteSpan } from './ids.ts'

const SAMPLED = 1

export const b3Single: Format = {
  fields: ['b3'],
  extract,
  inject(span, set) {
    set('b3', `${span.traceId}-${span.spanId}-${span.traceFlags & SAMPLED}`)
  }
}

export const b3Multi: Format = {
  fields: ['x-b3-traceid', 'x-b3-spanid', 'x-b3-sampled', 'x-b3-flags', 'b3'],
  extract,
  inject(span, set) {
    set('x-b3-traceid', span.traceId)
    set('x-b3-spanid', span.spanId)
    set('x-b3-sampled', String(span.traceFlags & SAMPLED))
  }
}

function extract(headers: Headers): InertSpan | undefined {
  const single = oneOf(headers.b3)
  return (single === undefined ? undefined : fromSingle(single)) ?? fromMulti(headers)
}

function fromSingle(header: string): InertSpan | undefined {
  const [traceId = '', spanId = '', state] = header.trim().split('-', 4)
  return remoteSpan(traceId, spanId, isSampled(state), '')
}

function fromMulti(headers: Headers): InertSpan | undefined {
  const traceId = oneOf(headers['x-b3-traceid'])
  const spanId = oneOf(headers['x-b3-spanid'])
  if (traceId === undefined || spanId === undefined) return undefined
  const debug = oneOf(headers['x-b3-flags']) === '1'
  return remoteSpan(traceId, spanId, debug || isSampled(oneOf(headers['x-b3-sampled'])), '')
}

function isSampled(state: string | undefined): boolean {
  return state !== '0' && state?.toLowerCase() !== 'false'
}
