/**
 * Writes OTLP log records: the sending thread's reports of spans that are still open.
 *
 *   ExportLogsServiceRequest
 *     1 resource_logs   ResourceLogs { 1 resource { 1 attributes }  2 scope_logs }
 *         2 scope_logs  ScopeLogs { 1 scope { 1 name  2 version }  2 log_records }
 *             LogRecord { 1 time (fixed64)  2 severity_number  5 body  6 attributes  9 trace_id
 *                         10 span_id  11 observed_time (fixed64)  12 event_name }
 */
import type { Attributes } from '@opentelemetry/api'
import { WireWriter } from '@spanloom/otlp'
import { nanosOf } from '../lib/clock.ts'
import { writeScalar } from './attribute-cache.ts'

export interface LogRecord {
  readonly timeMs: number
  readonly severityNumber: number
  readonly eventName: string
  readonly body: string
  readonly attributes: Attributes
  readonly traceId: readonly [number, number, number, number]
  readonly spanId: readonly [number, number]
}

export interface LogScope {
  readonly name: string
  readonly version: string
}

const INITIAL_BYTES = 4_096

export function encodeLogs(
  resource: Attributes,
  scope: LogScope,
  records: readonly LogRecord[]
): Uint8Array<ArrayBuffer> {
  const writer = new WireWriter(INITIAL_BYTES)
  message(writer, 1, () => {
    message(writer, 1, () => writeAttributes(writer, 1, resource))
    message(writer, 2, () => {
      message(writer, 1, () => {
        text(writer, 1, scope.name)
        text(writer, 2, scope.version)
      })
      for (const record of records) message(writer, 2, () => writeRecord(writer, record))
    })
  })
  return new Uint8Array(writer.bytes.subarray(0, writer.length))
}

function writeRecord(writer: WireWriter, record: LogRecord): void {
  const pair = new Uint32Array(2)
  nanosOf(record.timeMs, pair)
  writer.taggedFixed64((1 << 3) | 1, pair[0]!, pair[1]!)
  writer.tag(2, 0)
  writer.varint(record.severityNumber)
  message(writer, 5, () => text(writer, 1, record.body))
  writeAttributes(writer, 6, record.attributes)
  const [trace0, trace1, trace2, trace3] = record.traceId
  writer.taggedId128((9 << 3) | 2, trace0, trace1, trace2, trace3)
  writer.taggedId64((10 << 3) | 2, ...record.spanId)
  writer.taggedFixed64((11 << 3) | 1, pair[0]!, pair[1]!)
  text(writer, 12, record.eventName)
}

/** Strings, numbers and booleans; other values are left out. */
function writeAttributes(writer: WireWriter, field: number, attributes: Attributes): void {
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      continue
    }
    message(writer, field, () => {
      text(writer, 1, key)
      message(writer, 2, () => writeScalar(writer, value))
    })
  }
}

function text(writer: WireWriter, field: number, value: string): void {
  writer.tag(field, 2)
  writer.string(value)
}

function message(writer: WireWriter, field: number, write: () => void): void {
  writer.tag(field, 2)
  const slot = writer.openSlot()
  write()
  writer.closeSlot(slot)
}
