/** OTLP/JSON → OTLP protobuf for metrics; json.ts has the rules. Summaries are let through unread. */
import {
  attributes,
  bool,
  double,
  enumOf,
  type Fields,
  fixed64,
  integer,
  jsonToProtobuf,
  message,
  RESOURCE,
  repeated,
  SCOPE,
  string,
  uint32,
  type WriteField,
  wrong
} from './json.ts'

/** The request as protobuf. @throws OtlpError as `tracesJsonToProtobuf`. */
export function metricsJsonToProtobuf(json: unknown): Uint8Array {
  return jsonToProtobuf(json, METRICS)
}

const INT64_MIN = -0x8000_0000_0000_0000n
const INT64_MAX = 0x7fff_ffff_ffff_ffffn

const sfixed64: WriteField = (writer, field, value, place) => {
  const number = integer(value, INT64_MIN, INT64_MAX, place, 'a 64-bit integer, best as a string')
  const unsigned = BigInt.asUintN(64, number)
  writer.tag(field, 1)
  writer.fixed64(Number(unsigned >> 32n), Number(unsigned & 0xffff_ffffn))
}

const sint32: WriteField = (writer, field, value, place) => {
  const number = Number(integer(value, -0x8000_0000n, 0x7fff_ffffn, place, 'a 32-bit integer'))
  writer.tag(field, 0)
  writer.varint(number < 0 ? -2 * number - 1 : 2 * number)
}

/** Numbers of a packed field have no tags of their own: `width` bytes of each are its tag. */
function packed(writeItem: WriteField): WriteField {
  return (writer, field, value, place) => {
    if (!Array.isArray(value)) throw wrong(place, 'an array')
    writer.tag(field, 2)
    const slot = writer.openSlot()
    for (let index = 0; index < value.length; index++) {
      const start = writer.length
      // Field 1: a tag of one byte, taken out again.
      writeItem(writer, 1, value[index], { parent: place, step: index })
      writer.bytes.copyWithin(start, start + 1, writer.length)
      writer.length--
    }
    writer.closeSlot(slot)
  }
}

const uint64: WriteField = (writer, field, value, place) => {
  const number = integer(value, 0n, BigInt(Number.MAX_SAFE_INTEGER), place, 'a count up to 2^53')
  writer.tag(field, 0)
  writer.varint(Number(number))
}

const temporality = enumOf('AGGREGATION_TEMPORALITY_', ['UNSPECIFIED', 'DELTA', 'CUMULATIVE'])

const times: Fields = [
  ['startTimeUnixNano', 2, fixed64],
  ['timeUnixNano', 3, fixed64]
]

const NUMBER_POINT: Fields = [
  ...times,
  ['asDouble', 4, double],
  ['asInt', 6, sfixed64],
  ['attributes', 7, attributes],
  ['flags', 8, uint32]
]

const HISTOGRAM_POINT: Fields = [
  ...times,
  ['count', 4, fixed64],
  ['sum', 5, double],
  ['bucketCounts', 6, packed(fixed64)],
  ['explicitBounds', 7, packed(double)],
  ['attributes', 9, attributes],
  ['flags', 10, uint32],
  ['min', 11, double],
  ['max', 12, double]
]

const BUCKETS: Fields = [
  ['offset', 1, sint32],
  ['bucketCounts', 2, packed(uint64)]
]

const EXPONENTIAL_POINT: Fields = [
  ['attributes', 1, attributes],
  ...times,
  ['count', 4, fixed64],
  ['sum', 5, double],
  ['scale', 6, sint32],
  ['zeroCount', 7, fixed64],
  ['positive', 8, message(BUCKETS)],
  ['negative', 9, message(BUCKETS)],
  ['flags', 10, uint32],
  ['min', 12, double],
  ['max', 13, double]
]

const points = (fields: Fields): Fields => [
  ['dataPoints', 1, repeated(message(fields))],
  ['aggregationTemporality', 2, temporality]
]

const METRIC: Fields = [
  ['name', 1, string],
  ['description', 2, string],
  ['unit', 3, string],
  ['gauge', 5, message([['dataPoints', 1, repeated(message(NUMBER_POINT))]])],
  ['sum', 7, message([...points(NUMBER_POINT), ['isMonotonic', 3, bool]])],
  ['histogram', 9, message(points(HISTOGRAM_POINT))],
  ['exponentialHistogram', 10, message(points(EXPONENTIAL_POINT))],
  ['summary', 11, message([['dataPoints', 1, repeated(message([]))]])],
  ['metadata', 12, attributes]
]

const SCOPE_METRICS: Fields = [
  ['scope', 1, message(SCOPE)],
  ['metrics', 2, repeated(message(METRIC))],
  ['schemaUrl', 3, string]
]

const RESOURCE_METRICS: Fields = [
  ['resource', 1, message(RESOURCE)],
  ['scopeMetrics', 2, repeated(message(SCOPE_METRICS))],
  ['schemaUrl', 3, string]
]

const METRICS: Fields = [['resourceMetrics', 1, repeated(message(RESOURCE_METRICS))]]
