/**
 * OTLP's trace and metric messages as far as they are read: field numbers, wire types, and which field holds
 * which message. Scanner, decoder and check all take them from here.
 * https://github.com/open-telemetry/opentelemetry-proto (trace.proto, metrics.proto, common.proto,
 * resource.proto)
 */
import { I32, I64, LEN, VARINT } from './wire-reader.ts'

export interface Message {
  readonly name: string
  /** By field number; -1 where the field is not known. */
  readonly wireTypes: Int8Array
  /** By field number: the message that the field holds. */
  readonly children: ReadonlyArray<Message | undefined>
}

const MESSAGE = 'message'
type FieldType = typeof VARINT | typeof I64 | typeof LEN | typeof I32 | Message | typeof MESSAGE

/** `fields` by number. MESSAGE is a message that `link` names later, because it is recursive. */
function message(name: string, fields: Readonly<Record<number, FieldType>>): Message {
  const numbers = Object.keys(fields).map(Number)
  const count = Math.max(...numbers) + 1
  const wireTypes = new Int8Array(count).fill(-1)
  const children = new Array<Message | undefined>(count).fill(undefined)
  for (const number of numbers) {
    const type = fields[number]!
    wireTypes[number] = typeof type === 'number' ? type : LEN
    if (typeof type === 'object') children[number] = type
  }
  return { name, wireTypes, children }
}

function link(parent: Message, field: number, child: Message): void {
  const children = parent.children as Array<Message | undefined>
  children[field] = child
}

/** 1 string, 2 bool, 3 int, 4 double, 5 array, 6 kvlist, 7 bytes. */
export const ANY_VALUE = message('AnyValue', {
  1: LEN,
  2: VARINT,
  3: VARINT,
  4: I64,
  5: MESSAGE,
  6: MESSAGE,
  7: LEN
})

/** 1 key, 2 value. */
export const KEY_VALUE = message('KeyValue', { 1: LEN, 2: ANY_VALUE })

/** 1 values. */
export const ARRAY_VALUE = message('ArrayValue', { 1: ANY_VALUE })
export const KEY_VALUE_LIST = message('KeyValueList', { 1: KEY_VALUE })
link(ANY_VALUE, 5, ARRAY_VALUE)
link(ANY_VALUE, 6, KEY_VALUE_LIST)

/** 1 attributes, 2 dropped_attributes_count. */
export const RESOURCE = message('Resource', { 1: KEY_VALUE, 2: VARINT })

/** 1 name, 2 version, 3 attributes, 4 dropped_attributes_count. */
export const SCOPE = message('InstrumentationScope', { 1: LEN, 2: LEN, 3: KEY_VALUE, 4: VARINT })

/** 1 time_unix_nano, 2 name, 3 attributes, 4 dropped_attributes_count. */
export const EVENT = message('Event', { 1: I64, 2: LEN, 3: KEY_VALUE, 4: VARINT })

/** 1 trace_id, 2 span_id, 3 trace_state, 4 attributes, 5 dropped_attributes_count, 6 flags. */
export const LINK = message('Link', { 1: LEN, 2: LEN, 3: LEN, 4: KEY_VALUE, 5: VARINT, 6: I32 })

/** 2 message, 3 code. */
export const STATUS = message('Status', { 2: LEN, 3: VARINT })

/**
 * 1 trace_id, 2 span_id, 3 trace_state, 4 parent_span_id, 5 name, 6 kind, 7 start_time_unix_nano,
 * 8 end_time_unix_nano, 9 attributes, 10 dropped_attributes_count, 11 events,
 * 12 dropped_events_count, 13 links, 14 dropped_links_count, 15 status, 16 flags.
 */
export const SPAN = message('Span', {
  1: LEN,
  2: LEN,
  3: LEN,
  4: LEN,
  5: LEN,
  6: VARINT,
  7: I64,
  8: I64,
  9: KEY_VALUE,
  10: VARINT,
  11: EVENT,
  12: VARINT,
  13: LINK,
  14: VARINT,
  15: STATUS,
  16: I32
})

/** 1 scope, 2 spans, 3 schema_url. */
export const SCOPE_SPANS = message('ScopeSpans', { 1: SCOPE, 2: SPAN, 3: LEN })

/** 1 resource, 2 scope_spans, 3 schema_url. */
export const RESOURCE_SPANS = message('ResourceSpans', { 1: RESOURCE, 2: SCOPE_SPANS, 3: LEN })

/** 1 resource_spans. ExportTraceServiceRequest and TracesData are the same bytes. */
export const TRACES = message('ExportTraceServiceRequest', { 1: RESOURCE_SPANS })

/** 1 attributes of exponential histograms, 7 of numbers, 9 of histograms; times are 2 and 3 in all. */
export const NUMBER_POINT = message('NumberDataPoint', {
  2: I64,
  3: I64,
  4: I64,
  6: I64,
  7: KEY_VALUE,
  8: VARINT
})

/** 4 count, 5 sum, 6 bucket_counts, 7 explicit_bounds, both packed. */
export const HISTOGRAM_POINT = message('HistogramDataPoint', {
  2: I64,
  3: I64,
  4: I64,
  5: I64,
  6: LEN,
  7: LEN,
  9: KEY_VALUE,
  10: VARINT
})

/** 4 count, 5 sum. Its buckets are passed over. */
export const EXPONENTIAL_POINT = message('ExponentialHistogramDataPoint', {
  1: KEY_VALUE,
  2: I64,
  3: I64,
  4: I64,
  5: I64,
  10: VARINT
})

/** 1 data_points, 2 aggregation_temporality, 3 is_monotonic. One for each kind of points. */
export const NUMBERS = message('Sum', { 1: NUMBER_POINT, 2: VARINT, 3: VARINT })
export const HISTOGRAM = message('Histogram', { 1: HISTOGRAM_POINT, 2: VARINT })
export const EXPONENTIAL = message('ExponentialHistogram', { 1: EXPONENTIAL_POINT, 2: VARINT })

/** 1 data_points, which are not read. */
export const SUMMARY = message('Summary', { 1: LEN })

/** 1 name, 2 description, 3 unit, 5 gauge, 7 sum, 9 and 10 histograms, 11 summary, 12 metadata. */
export const METRIC = message('Metric', {
  1: LEN,
  2: LEN,
  3: LEN,
  5: NUMBERS,
  7: NUMBERS,
  9: HISTOGRAM,
  10: EXPONENTIAL,
  11: SUMMARY,
  12: KEY_VALUE
})

/** 1 scope, 2 metrics, 3 schema_url. */
export const SCOPE_METRICS = message('ScopeMetrics', { 1: SCOPE, 2: METRIC, 3: LEN })

/** 1 resource, 2 scope_metrics, 3 schema_url. */
export const RESOURCE_METRICS = message('ResourceMetrics', {
  1: RESOURCE,
  2: SCOPE_METRICS,
  3: LEN
})

/** 1 resource_metrics. ExportMetricsServiceRequest and MetricsData are the same bytes. */
export const METRICS = message('ExportMetricsServiceRequest', { 1: RESOURCE_METRICS })

/** How deep values may stand in values: an attribute's own value is at 1. */
export const VALUE_DEPTH_MAX = 32
