/** Small OTLP payloads for tests, written by hand on the wire writer. */
import { WireWriter } from '@spanloom/otlp'

export interface TestSpan {
  /** Both count up from 1 by default; 0 is an invalid id. */
  readonly trace: number
  readonly span: number
  readonly parent?: number
  readonly name?: string
  /** OTLP's number; 2 is server. */
  readonly kind?: number
  readonly startUnixMs?: number
  readonly durationMs?: number
  readonly error?: boolean
}

const START_UNIX_MS = 1_700_000_000_000

/** An ExportTraceServiceRequest with one resource and one scope. */
export function tracesPayload(service: string, spans: readonly TestSpan[]): Uint8Array {
  const writer = new WireWriter(1_024)
  writer.tag(1, 2)
  const resourceSpans = writer.openSlot()
  writer.tag(1, 2)
  const resource = writer.openSlot()
  writer.tag(1, 2)
  const attribute = writer.openSlot()
  writer.tag(1, 2)
  writer.string('service.name')
  writer.tag(2, 2)
  const value = writer.openSlot()
  writer.tag(1, 2)
  writer.string(service)
  writer.closeSlot(value)
  writer.closeSlot(attribute)
  writer.closeSlot(resource)
  writer.tag(2, 2)
  const scopeSpans = writer.openSlot()
  for (const span of spans) writeSpan(writer, span)
  writer.closeSlot(scopeSpans)
  writer.closeSlot(resourceSpans)
  return writer.take()
}

function writeSpan(writer: WireWriter, span: TestSpan): void {
  const startMs = span.startUnixMs ?? START_UNIX_MS
  writer.tag(2, 2)
  const slot = writer.openSlot()
  writer.tag(1, 2)
  writer.varint(16)
  writer.id64(0, span.trace)
  writer.id64(0, span.trace)
  writer.tag(2, 2)
  writer.varint(8)
  writer.id64(0, span.span)
  if (span.parent !== undefined) {
    writer.tag(4, 2)
    writer.varint(8)
    writer.id64(0, span.parent)
  }
  writer.tag(5, 2)
  writer.string(span.name ?? 'GET /')
  writer.tag(6, 0)
  writer.varint(span.kind ?? 2)
  writeUnixMs(writer, 7, startMs)
  writeUnixMs(writer, 8, startMs + (span.durationMs ?? 5))
  if (span.error === true) {
    writer.tag(15, 2)
    const status = writer.openSlot()
    writer.tag(3, 0)
    writer.varint(2)
    writer.closeSlot(status)
  }
  writer.closeSlot(slot)
}

/** fixed64 nanoseconds. */
function writeUnixMs(writer: WireWriter, field: number, unixMs: number): void {
  const nano = BigInt(Math.round(unixMs)) * 1_000_000n
  writer.tag(field, 1)
  writer.fixed64(Number(nano >> 32n), Number(nano & 0xffff_ffffn))
}

export function tracesJson(service: string, spans: readonly TestSpan[]): string {
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
        scopeSpans: [
          {
            spans: spans.map(({ trace, span, name = 'GET /', kind = 2 }) => ({
              traceId: hex(trace, 16) + hex(trace, 16),
              spanId: hex(span, 16),
              name,
              kind,
              startTimeUnixNano: `${START_UNIX_MS}000000`,
              endTimeUnixNano: `${START_UNIX_MS + 5}000000`
            }))
          }
        ]
      }
    ]
  })
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}
