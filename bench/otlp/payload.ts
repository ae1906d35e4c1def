/**
 * A payload as SDKs send it: one resource with 13 attributes, one scope, spans of the semantic
 * conventions in the mix of a web service. About 360 bytes a span; the same bytes in each run.
 */
import {
  DB_COLLECTION_NAME,
  DB_NAMESPACE,
  DB_OPERATION_NAME,
  DB_QUERY_TEXT,
  DB_SYSTEM_NAME,
  HTTP_REQUEST_METHOD,
  HTTP_RESPONSE_STATUS_CODE,
  HTTP_ROUTE,
  NETWORK_PEER_ADDRESS,
  NETWORK_PROTOCOL_VERSION,
  SERVER_ADDRESS,
  SERVER_PORT,
  SERVICE_NAME,
  SpanKind,
  URL_FULL,
  URL_PATH,
  URL_SCHEME,
  USER_AGENT_ORIGINAL,
  WireWriter
} from '@spanloom/otlp'

type Attributes = ReadonlyArray<readonly [key: string, value: string | number]>

const QUERY =
  'SELECT id, customer_id, status, total, created_at FROM orders WHERE customer_id = $1 ORDER BY created_at DESC LIMIT 20'

export function tracesPayload(spanCount: number, seed = 1): Uint8Array {
  const writer = new WireWriter()
  let state = seed
  const below = (count: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.trunc((state / 2 ** 32) * count)
  }

  message(1, () => {
    message(1, () => {
      attribute(1, SERVICE_NAME, 'checkout')
      for (let index = 0; index < 12; index++)
        attribute(1, `resource.key.${index}`, `value-${index}`)
    })
    message(2, () => {
      message(1, () => {
        string(1, '@opentelemetry/instrumentation-http')
        string(2, '0.215.0')
      })
      for (let index = 0; index < spanCount; index++) span(index)
    })
  })
  return writer.take()

  function span(index: number): void {
    const route = `/api/v1/orders/${below(40)}/items`
    const [kind, name, attributes] = shape(index % 4, route)
    message(2, () => {
      writer.tag(1, 2)
      writer.varint(16)
      writer.id64(below(2 ** 32), below(2 ** 32))
      writer.id64(below(2 ** 32), index >> 2)
      id(2, below(2 ** 32), index + 1)
      if (index % 4 !== 0) id(4, 7, index)
      string(5, name)
      writer.tag(6, 0)
      writer.varint(kind)
      const startLow = below(2 ** 31)
      writer.tag(7, 1)
      writer.fixed64(395_812_345, startLow)
      writer.tag(8, 1)
      writer.fixed64(395_812_345, startLow + below(50_000_000))
      for (const [key, value] of attributes) attribute(9, key, value)
      message(15, () => {
        if (below(20) === 0) {
          writer.tag(3, 0)
          writer.varint(2)
        }
      })
      writer.tag(16, 5)
      writer.fixed32(0x101)
    })
  }

  function shape(which: number, route: string): [kind: number, name: string, Attributes] {
    const status = below(20) === 0 ? 500 : 200
    if (which === 0) {
      return [
        SpanKind.SERVER,
        `GET ${route}`,
        [
          [HTTP_REQUEST_METHOD, 'GET'],
          [URL_PATH, `${route}/${below(100_000)}`],
          [URL_SCHEME, 'https'],
          [SERVER_ADDRESS, 'checkout.example.com'],
          [SERVER_PORT, 443],
          [NETWORK_PEER_ADDRESS, '10.1.2.3'],
          [NETWORK_PROTOCOL_VERSION, '1.1'],
          [USER_AGENT_ORIGINAL, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36'],
          [HTTP_ROUTE, route],
          [HTTP_RESPONSE_STATUS_CODE, status]
        ]
      ]
    }
    if (which === 1) {
      return [
        SpanKind.CLIENT,
        'GET',
        [
          [HTTP_REQUEST_METHOD, 'GET'],
          [URL_FULL, `https://stock.example.com/v2/items/${below(100_000)}`],
          [SERVER_ADDRESS, 'stock.example.com'],
          [SERVER_PORT, 443],
          [NETWORK_PEER_ADDRESS, '10.1.2.4'],
          [NETWORK_PROTOCOL_VERSION, '1.1'],
          [HTTP_RESPONSE_STATUS_CODE, status]
        ]
      ]
    }
    if (which === 2) {
      return [
        SpanKind.CLIENT,
        'SELECT orders',
        [
          [DB_SYSTEM_NAME, 'postgresql'],
          [DB_NAMESPACE, 'orders'],
          [DB_OPERATION_NAME, 'SELECT'],
          [DB_COLLECTION_NAME, 'orders'],
          [DB_QUERY_TEXT, QUERY],
          [SERVER_ADDRESS, 'db.example.com'],
          [SERVER_PORT, 5432]
        ]
      ]
    }
    return [
      SpanKind.INTERNAL,
      'middleware - session',
      [
        ['express.name', 'session'],
        ['express.type', 'middleware'],
        ['code.function.name', 'session'],
        ['app.step', index4()]
      ]
    ]
  }

  function index4(): number {
    return below(4)
  }

  function message(field: number, write: () => void): void {
    writer.tag(field, 2)
    const slot = writer.openSlot()
    write()
    writer.closeSlot(slot)
  }

  function string(field: number, text: string): void {
    writer.tag(field, 2)
    writer.string(text)
  }

  function id(field: number, high: number, low: number): void {
    writer.tag(field, 2)
    writer.varint(8)
    writer.id64(high, low)
  }

  function attribute(field: number, key: string, value: string | number): void {
    message(field, () => {
      string(1, key)
      message(2, () => {
        if (typeof value === 'string') {
          string(1, value)
        } else {
          writer.tag(3, 0)
          writer.int64(value)
        }
      })
    })
  }
}
