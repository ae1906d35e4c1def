/** Kept traces as a shard hands them to the encoder, for tests: real OTLP bytes, by protobufjs. */
import protobuf from 'protobufjs'
import type { KeptSpan, KeptTrace } from './batch-encoder.ts'

const { root } = protobuf.parse(`syntax = "proto3";
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3;
  double double_value = 4; ArrayValue array_value = 5; KeyValueList kvlist_value = 6;
  bytes bytes_value = 7; } }
message ArrayValue { repeated AnyValue values = 1; }
message KeyValueList { repeated KeyValue values = 1; }
message KeyValue { string key = 1; AnyValue value = 2; }
message RawValue { bytes string_value = 1; }
message RawKeyValue { string key = 1; RawValue value = 2; }
message Resource { repeated KeyValue attributes = 1; }
message Scope { string name = 1; string version = 2; }
message Event { fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3; }
message Link { bytes trace_id = 1; bytes span_id = 2; repeated KeyValue attributes = 4; }
message Status { string message = 2; int32 code = 3; }
message Span { bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5;
  int32 kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
  repeated KeyValue attributes = 9; repeated Event events = 11; repeated Link links = 13;
  Status status = 15; }
message RawSpan { repeated RawKeyValue attributes = 9; }
`)

export type Value =
  | string
  | number
  | boolean
  | bigint
  | Uint8Array
  | readonly Value[]
  | { readonly [key: string]: Value }

export type Attributes = Readonly<Record<string, Value>>

export interface TestSpan {
  readonly spanId: string
  readonly parentSpanId?: string
  readonly service?: string
  readonly name?: string
  readonly kind?: number
  readonly status?: number
  readonly statusMessage?: string
  /** After `TestTrace.startUnixNano`. */
  readonly offsetNano?: number
  readonly durationNano?: number
  readonly selfTimeNano?: number
  readonly attributes?: Attributes
  /** Values that are not UTF-8. */
  readonly rawAttributes?: Readonly<Record<string, Uint8Array>>
  readonly resource?: Attributes
  readonly scope?: string
  readonly events?: readonly { time: bigint; name: string; attributes?: Attributes }[]
  readonly links?: readonly { traceId: string; spanId: string; attributes?: Attributes }[]
}

export interface TestTrace {
  readonly traceId: string
  readonly startUnixNano: bigint
  readonly late?: boolean
  readonly spans: readonly TestSpan[]
}

/** 32 hex digits from a number. */
export function traceIdOf(number: number): string {
  return number.toString(16).padStart(32, '0')
}

export function spanIdOf(number: number): string {
  return number.toString(16).padStart(16, '0')
}

export function keptTrace(trace: TestTrace): KeptTrace {
  const spans = trace.spans.map((span) => keptSpan(trace, span))
  const first = trace.spans.find((span) => span.parentSpanId === undefined) ?? trace.spans[0]!
  const starts = trace.spans.map((span) => span.offsetNano ?? 0)
  const ends = trace.spans.map((span) => (span.offsetNano ?? 0) + (span.durationNano ?? 1_000_000))
  return {
    traceId: trace.traceId,
    rootService: first.service ?? 'shop',
    rootOperation: first.name ?? 'GET /',
    rootStatus: first.status ?? 0,
    startUnixMs: Number(trace.startUnixNano) / 1e6 + Math.min(...starts) / 1e6,
    durationNano: Math.max(...ends) - Math.min(...starts),
    errorCount: trace.spans.filter((span) => span.status === 2).length,
    services: [...new Set(trace.spans.map((span) => span.service ?? 'shop'))],
    spans,
    late: trace.late ?? false,
    keepReason: 'all',
    weight: 1
  }
}

function keptSpan(trace: TestTrace, span: TestSpan): KeptSpan {
  const service = span.service ?? 'shop'
  const start = trace.startUnixNano + BigInt(span.offsetNano ?? 0)
  const end = start + BigInt(span.durationNano ?? 1_000_000)
  const message = encode('Span', {
    traceId: Buffer.from(trace.traceId, 'hex'),
    spanId: Buffer.from(span.spanId, 'hex'),
    parentSpanId: Buffer.from(span.parentSpanId ?? '', 'hex'),
    name: span.name ?? 'GET /',
    kind: span.kind ?? 2,
    startTimeUnixNano: longOf(start),
    endTimeUnixNano: longOf(end),
    attributes: keyValues(span.attributes),
    events: (span.events ?? []).map((event) => ({
      timeUnixNano: longOf(event.time),
      name: event.name,
      attributes: keyValues(event.attributes)
    })),
    links: (span.links ?? []).map((link) => ({
      traceId: Buffer.from(link.traceId, 'hex'),
      spanId: Buffer.from(link.spanId, 'hex'),
      attributes: keyValues(link.attributes)
    })),
    status: { code: span.status ?? 0, message: span.statusMessage ?? '' }
  })
  const raw = encode('RawSpan', {
    attributes: Object.entries(span.rawAttributes ?? {}).map(([key, value]) => ({
      key,
      value: { stringValue: value }
    }))
  })
  const resource = encode('Resource', {
    attributes: keyValues({ 'service.name': service, ...span.resource })
  })
  const scope = encode('Scope', { name: span.scope ?? 'test' })
  return {
    // Any offsets do; these prove that they are respected.
    payload: Buffer.concat([Buffer.from([255, 255]), resource, scope, message, raw]),
    resourceOffset: 2,
    resourceLength: resource.length,
    scopeOffset: 2 + resource.length,
    scopeLength: scope.length,
    spanOffset: 2 + resource.length + scope.length,
    spanLength: message.length + raw.length,
    service,
    selfTimeNano: span.selfTimeNano ?? span.durationNano ?? 1_000_000
  }
}

function encode(type: string, message: object): Buffer {
  return Buffer.from(root.lookupType(type).encode(message).finish())
}

function keyValues(attributes: Attributes = {}) {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }))
}

function anyValue(value: Value): object {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'bigint') return { intValue: longOf(value) }
  if (typeof value === 'number') return { doubleValue: value }
  if (value instanceof Uint8Array) return { bytesValue: value }
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } }
  return { kvlistValue: { values: keyValues(value as Attributes) } }
}

/** As protobufjs takes 64-bit numbers without the package `long`. */
function longOf(value: bigint): { low: number; high: number; unsigned: boolean } {
  const bits = BigInt.asUintN(64, value)
  return { low: Number(bits & 0xffff_ffffn) | 0, high: Number(bits >> 32n) | 0, unsigned: true }
}
