/**
 * The spans that both sides make: a server span with the ten attributes of a request, three of which differ
 * from span to span; what differs is made beforehand, because a price of a span is not one of putting text
 * together. The event loop turns after each lot, as it does in an app, so that timers and
 * exporters are served.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { SpanKind, type Tracer } from '@opentelemetry/api'

const LOT = 512
const LOTS_WARM_UP = 200
const LOTS_A_ROUND = 150

export const SPANS_A_ROUND = LOT * LOTS_A_ROUND

const PATHS = Array.from({ length: 50_000 }, (_, id) => `/orders/${id}`)
const ADDRESSES = Array.from({ length: 65_536 }, (_, at) => `10.0.${at & 255}.${at >> 8}`)

/** Answers each message with the microseconds of a span. */
export async function answerRounds(tracer: Tracer): Promise<void> {
  await lots(LOTS_WARM_UP)
  process.on('message', () => void round().then((micros) => process.send!(micros)))
  process.on('disconnect', () => process.exit())
  process.send!('ready')

  async function round(): Promise<number> {
    const { user, system } = process.threadCpuUsage()
    await lots(LOTS_A_ROUND)
    const after = process.threadCpuUsage({ user, system })
    return (after.user + after.system) / SPANS_A_ROUND
  }

  async function lots(count: number): Promise<void> {
    for (let lot = 0; lot < count; lot++) {
      for (let index = 0; index < LOT; index++) makeSpan(tracer, lot * LOT + index)
      await turn()
    }
  }
}

function makeSpan(tracer: Tracer, serial: number): void {
  const span = tracer.startSpan('GET /orders/:id', { kind: SpanKind.SERVER })
  span.setAttribute('http.request.method', 'GET')
  span.setAttribute('url.scheme', 'https')
  span.setAttribute('url.path', PATHS[serial % PATHS.length]!)
  span.setAttribute('server.address', 'shop.example.com')
  span.setAttribute('server.port', 443)
  span.setAttribute('client.address', ADDRESSES[serial % ADDRESSES.length]!)
  span.setAttribute('network.protocol.version', '1.1')
  span.setAttribute('http.route', '/orders/:id')
  span.setAttribute('http.response.status_code', 200)
  span.setAttribute('app.order.total', (serial % 9_973) + 0.5)
  span.end()
}
