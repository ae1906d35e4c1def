/**
 * What a body turns out to be, by signal: protobuf whatever it came as, and what of it is refused.
 *
 * A payload of traces is checked and not decoded. One of metrics is decoded: it is small, and what is
 * not journaled is taken from here.
 */
import {
  checkTraces,
  type DecodedMetric,
  decodeMetrics,
  metricsJsonToProtobuf,
  readSpanStats,
  SPAN_STATS_METRIC,
  tracesJsonToProtobuf
} from '@spanloom/otlp'
import { CollectorError } from '../errors.ts'
import { POINTS_MAX } from '../model/metric-limits.ts'
import type { OpenSpan } from '../model/open-span.ts'
import { decodeOpenSpans } from './open-span-logs.ts'
import type { Signal } from './signal.ts'

export interface PayloadFacts {
  /** Spans, or points. */
  readonly itemCount: number
  readonly rejectedCount: number
  readonly rejectedReason: string
  /** There is something in it that counts. */
  readonly journaled: boolean
  /** Metrics of which only the latest value counts. */
  readonly latest: readonly DecodedMetric[]
  readonly openSpans: readonly OpenSpan[]
}

/** @throws CollectorError RECEIVE_PAYLOAD_MALFORMED */
export function checkPayload(signal: Signal, protobuf: Uint8Array): PayloadFacts {
  return wellFormed(() => FACTS[signal](protobuf))
}

/** @throws CollectorError RECEIVE_PAYLOAD_MALFORMED */
export function jsonToProtobuf(signal: Signal, body: Uint8Array): Uint8Array {
  return wellFormed(() => {
    const json = parseJson(body)
    return signal === 'traces' ? tracesJsonToProtobuf(json) : metricsJsonToProtobuf(json)
  })
}

function tracesFacts(protobuf: Uint8Array): PayloadFacts {
  const { spanCount, rejectedSpans, rejectedReason = '' } = checkTraces(protobuf)
  return {
    itemCount: spanCount,
    rejectedCount: rejectedSpans,
    rejectedReason,
    // Nothing to count in it: it takes no place in the journal.
    journaled: spanCount > rejectedSpans,
    latest: [],
    openSpans: []
  }
}

function metricsFacts(protobuf: Uint8Array): PayloadFacts {
  const { metrics, pointCount, pointsOver } = decodeMetrics(protobuf, POINTS_MAX)
  const latest: DecodedMetric[] = []
  let rejectedCount = pointsOver
  let rejectedReason = pointsOver > 0 ? `More than ${POINTS_MAX} points in one payload.` : ''
  let journaled = false
  for (const metric of metrics) {
    if (metric.name !== SPAN_STATS_METRIC) {
      latest.push(metric)
    } else if (readSpanStats(metric) !== undefined) {
      journaled = true
    } else {
      rejectedCount += metric.points.length
      rejectedReason ||= `${SPAN_STATS_METRIC} is taken from Spanloom's tracer only.`
    }
  }
  return { itemCount: pointCount, rejectedCount, rejectedReason, journaled, latest, openSpans: [] }
}

function logsFacts(protobuf: Uint8Array): PayloadFacts {
  const { recordCount, openSpans } = decodeOpenSpans(protobuf)
  const rejectedCount = recordCount - openSpans.length
  const rejectedReason = 'Logs are not kept; only reports of open spans are taken.'
  return {
    itemCount: recordCount,
    rejectedCount,
    rejectedReason: rejectedCount > 0 ? rejectedReason : '',
    journaled: false,
    latest: [],
    openSpans
  }
}

const FACTS: Readonly<Record<Signal, (protobuf: Uint8Array) => PayloadFacts>> = {
  traces: tracesFacts,
  metrics: metricsFacts,
  logs: logsFacts
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes))
  } catch (error) {
    throw new Error(`The body is not JSON: ${(error as Error).message}`)
  }
}

/** @throws CollectorError RECEIVE_PAYLOAD_MALFORMED, in the words of whoever found it. */
function wellFormed<Result>(read: () => Result): Result {
  try {
    return read()
  } catch (error) {
    throw new CollectorError('RECEIVE_PAYLOAD_MALFORMED', [(error as Error).message], error)
  }
}
