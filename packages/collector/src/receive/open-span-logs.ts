/**
 * Log records that report open spans (`spanloom.span.open`): the only ones that are taken. The collector keeps
 * no logs, and says so of all others.
 */
import { SERVICE_INSTANCE_ID, SERVICE_NAME, UNKNOWN_SERVICE } from '@spanloom/otlp'
import protobuf from 'protobufjs'
import type { OpenSpan } from '../model/open-span.ts'
import { loadProto } from './proto.ts'

const EVENT = 'spanloom.span.open'
const TEXT_CHARS_MAX = 256
/** Of one payload: a tracer watches 1,024 spans. */
const RECORDS_MAX = 1_024

interface Value {
  readonly stringValue?: string
  readonly intValue?: number
  readonly doubleValue?: number
}

interface KeyValue {
  readonly key?: string
  readonly value?: Value
}

interface Request {
  readonly resourceLogs?: readonly {
    readonly resource?: { readonly attributes?: readonly KeyValue[] }
    readonly scopeLogs?: readonly { readonly logRecords?: readonly LogRecord[] }[]
  }[]
}

interface LogRecord {
  readonly timeUnixNano?: number
  readonly attributes?: readonly KeyValue[]
  readonly traceId?: Uint8Array
  readonly spanId?: Uint8Array
  readonly eventName?: string
}

const RequestMessage = loadProto('logs-service.proto').lookupType(
  'spanloom.otlp.ExportLogsServiceRequest'
)

export interface DecodedLogs {
  readonly recordCount: number
  readonly openSpans: readonly OpenSpan[]
}

/** @throws Error when the bytes are not what they claim to be. */
export function decodeOpenSpans(bytes: Uint8Array): DecodedLogs {
  const decoded = RequestMessage.decode(protobuf.Reader.create(bytes))
  const request = RequestMessage.toObject(decoded, { longs: Number }) as Request
  const openSpans: OpenSpan[] = []
  let recordCount = 0
  for (const { resource, scopeLogs = [] } of request.resourceLogs ?? []) {
    const resourceFacts = factsOf(resource?.attributes)
    for (const record of scopeLogs.flatMap((scope) => scope.logRecords ?? [])) {
      recordCount++
      if (record.eventName !== EVENT || openSpans.length >= RECORDS_MAX) continue
      const span = openSpanOf(record, resourceFacts)
      if (span !== undefined) openSpans.push(span)
    }
  }
  return { recordCount, openSpans }
}

type Facts = ReadonlyMap<string, string | number>

function factsOf(attributes: readonly KeyValue[] = []): Facts {
  const facts = new Map<string, string | number>()
  for (const { key, value } of attributes) {
    const fact = value?.stringValue ?? value?.intValue ?? value?.doubleValue
    if (key !== undefined && fact !== undefined) facts.set(key, fact)
  }
  return facts
}

function openSpanOf(record: LogRecord, resource: Facts): OpenSpan | undefined {
  const { traceId, spanId, timeUnixNano = 0 } = record
  if (traceId?.length !== 16 || spanId?.length !== 8) return undefined
  const facts = factsOf(record.attributes)
  const text = (from: Facts, key: string, fallback: string) =>
    String(from.get(key) ?? fallback).slice(0, TEXT_CHARS_MAX)
  const number = (key: string) => {
    const value = Number(facts.get(key) ?? 0)
    return Number.isFinite(value) ? value : 0
  }
  return {
    traceId: Buffer.from(traceId).toString('hex'),
    spanId: Buffer.from(spanId).toString('hex'),
    service: text(resource, SERVICE_NAME, UNKNOWN_SERVICE),
    instance: text(resource, SERVICE_INSTANCE_ID, ''),
    name: text(facts, 'spanloom.span.name', ''),
    kind: text(facts, 'spanloom.span.kind', 'internal'),
    startUnixMs: number('spanloom.span.start_ms'),
    reportedUnixMs: timeUnixNano / 1e6,
    eventLoopBlockedMs: number('spanloom.event_loop.blocked_ms')
  }
}
