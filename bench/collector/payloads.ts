/** One second of traffic: traces over four of twenty services, as payloads of 512 spans a service. */
import {
  DB_NAMESPACE,
  DB_QUERY_TEXT,
  DB_SYSTEM_NAME,
  HTTP_REQUEST_METHOD,
  HTTP_RESPONSE_STATUS_CODE,
  HTTP_ROUTE,
  SERVER_ADDRESS,
  SERVER_PORT,
  SERVICE_NAME,
  SpanKind,
  URL_PATH,
  USER_AGENT_ORIGINAL,
  WireWriter
} from '@spanloom/otlp'

const SERVICES = 20
const ROUTES = 40
const SPANS_PER_PAYLOAD = 512
const QUERY = 'SELECT id, customer_id, status, total FROM orders WHERE customer_id = $1 LIMIT 20'

type Attributes = ReadonlyArray<readonly [key: string, value: string | number]>

interface Span {
  readonly trace: number
  readonly id: number
  readonly parent: number
  readonly name: string
  readonly kind: number
  readonly failed: boolean
  readonly startMs: number
  readonly durationMs: number
  readonly attributes: Attributes
}

export interface ServicePayload {
  readonly bytes: Uint8Array
  readonly spanCount: number
}

export function servicePayloads(traces: number, unixMs: number, seed: number): ServicePayload[] {
  let state = seed
  const below = (count: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.trunc((state / 2 ** 32) * count)
  }
  const byService = Array.from({ length: SERVICES }, (): Span[] => [])
  for (let trace = 0; trace < traces; trace++) addTrace(trace)
  const payloads: ServicePayload[] = []
  for (const [service, spans] of byService.entries()) {
    for (let at = 0; at < spans.length; at += SPANS_PER_PAYLOAD) {
      const part = spans.slice(at, at + SPANS_PER_PAYLOAD)
      payloads.push({ bytes: encode(service, part, unixMs, seed), spanCount: part.length })
    }
  }
  return payloads

  function addTrace(trace: number): void {
    const startMs = below(1000)
    let id = 0
    let caller = 0
    for (let hop = 0; hop < 4; hop++) {
      const service = below(SERVICES)
      const route = `/api/v1/resource-${below(ROUTES)}/{id}`
      const server = ++id
      const durationMs = (4 - hop) * (5 + below(20))
      const put = (parent: number, name: string, kind: number, attributes: Attributes) => {
        const own = kind === SpanKind.SERVER ? server : ++id
        const failed = below(50) === 0
        const depth = kind === SpanKind.SERVER ? 0 : 1
        const span = { trace, id: own, parent, name, kind, failed, attributes }
        byService[service]!.push({
          ...span,
          startMs: startMs + hop * 4 + depth,
          durationMs: durationMs - depth * 3
        })
        return own
      }
      put(caller, `GET ${route}`, SpanKind.SERVER, [
        [HTTP_REQUEST_METHOD, 'GET'],
        [HTTP_ROUTE, route],
        [URL_PATH, `/api/v1/resource-1/${below(100_000)}`],
        [HTTP_RESPONSE_STATUS_CODE, 200],
        [SERVER_ADDRESS, `service-${service}.internal`],
        [SERVER_PORT, 8080],
        [USER_AGENT_ORIGINAL, 'node']
      ])
      put(server, 'SELECT shop.orders', SpanKind.CLIENT, [
        [DB_SYSTEM_NAME, 'postgresql'],
        [DB_NAMESPACE, 'shop'],
        [DB_QUERY_TEXT, QUERY],
        [SERVER_ADDRESS, 'db.internal'],
        [SERVER_PORT, 5432]
      ])
      caller = put(server, 'GET', hop === 3 ? SpanKind.INTERNAL : SpanKind.CLIENT, [
        [HTTP_REQUEST_METHOD, 'GET'],
        [SERVER_ADDRESS, 'next.internal'],
        [SERVER_PORT, 8080],
        [HTTP_RESPONSE_STATUS_CODE, 200]
      ])
    }
  }
}

function encode(service: number, spans: readonly Span[], unixMs: number, seed: number): Uint8Array {
  const writer = new WireWriter()
  message(1, () => {
    message(1, () => {
      attribute(1, SERVICE_NAME, `service-${service}`)
      for (let key = 0; key < 12; key++) attribute(1, `resource.key.${key}`, `value-${key}`)
    })
    message(2, () => {
      message(1, () => string(1, '@opentelemetry/instrumentation-http'))
      for (const span of spans) writeSpan(span)
    })
  })
  return writer.take()

  function writeSpan(span: Span): void {
    message(2, () => {
      writer.tag(1, 2)
      writer.varint(16)
      writer.id64(Math.imul(span.trace + 1, 0x9e37_79b1), Math.imul(seed, 0x85eb_ca6b))
      writer.id64(seed, span.trace)
      id(2, span)
      if (span.parent > 0) id(4, { trace: span.trace, id: span.parent })
      string(5, span.name)
      writer.tag(6, 0)
      writer.varint(span.kind)
      time(7, unixMs + span.startMs)
      time(8, unixMs + span.startMs + span.durationMs)
      for (const [key, value] of span.attributes) attribute(9, key, value)
      message(15, () => {
        if (!span.failed) return
        writer.tag(3, 0)
        writer.varint(2)
      })
    })
  }

  function id(field: number, span: Pick<Span, 'trace' | 'id'>): void {
    writer.tag(field, 2)
    writer.varint(8)
    writer.id64(Math.imul(span.trace + 7, 0xc2b2_ae35), Math.imul(span.id, 0x27d4_eb2f) ^ seed)
  }

  function time(field: number, atMs: number): void {
    const nano = BigInt(atMs) * 1_000_000n
    writer.tag(field, 1)
    writer.fixed64(Number(nano >> 32n), Number(nano & 0xffff_ffffn))
  }

  function attribute(field: number, key: string, value: string | number): void {
    message(field, () => {
      string(1, key)
      message(2, () => {
        if (typeof value === 'string') string(1, value)
        else {
          writer.tag(3, 0)
          writer.int64(value)
        }
      })
    })
  }

  function string(field: number, text: string): void {
    writer.tag(field, 2)
    writer.string(text)
  }

  function message(field: number, content: () => void): void {
    writer.tag(field, 2)
    const slot = writer.openSlot()
    content()
    writer.closeSlot(slot)
  }
}
