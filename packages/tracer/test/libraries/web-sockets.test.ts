/** ws and socket.io, with their own clients. */
import { describe, expect, it } from 'vitest'
import { librariesAreThere } from './available.ts'
import { CLIENT, runToEnd } from './scenario.ts'

const SERVER = 2
const CONSUMER = 5
const ERROR = 2

describe.skipIf(!librariesAreThere)('sockets', { timeout: 60_000 }, () => {
  it.each(['require', 'import'])('ws by %s', async (how) => {
    const { spans, step: mark } = await runToEnd('ws.mjs', [how])
    const servers = spans.filter(({ kind }) => kind === SERVER)
    expect(servers.map(({ attributes }) => attributes['http.response.status_code'])).toEqual([
      101, 101, 400, 401
    ])
    const clients = spans.filter(({ kind }) => kind === CLIENT)
    expect(
      clients.map(({ attributes, status }) => [
        attributes['http.response.status_code'],
        status.code
      ])
    ).toEqual([
      [101, 0],
      [101, 0],
      [400, ERROR],
      [401, ERROR]
    ])
    const [upgrade] = servers
    expect(upgrade!.parentSpanId).toBe(clients[0]!.spanId)
    expect(upgrade!.name).toBe('GET')
    expect(upgrade!.attributes).toMatchObject({
      'http.request.method': 'GET',
      'url.path': '/chat',
      'server.address': '127.0.0.1'
    })
    expect(mark('connected').parentSpanId).toBe(upgrade!.spanId)

    const messages = spans.filter(({ kind }) => kind === CONSUMER)
    expect(messages.map(({ name }) => name)).toEqual(Array(4).fill('websocket message'))
    for (const { parentSpanId, traceId, links, attributes } of messages) {
      expect(parentSpanId).toBe('')
      expect(traceId).not.toBe(upgrade!.traceId)
      expect(links.map(({ spanId }) => spanId)).toEqual([upgrade!.spanId])
      expect(attributes).toMatchObject({
        'network.protocol.name': 'websocket',
        'url.path': '/chat'
      })
    }
    const of = (text: string) => mark(`got ${text}`).parentSpanId
    expect(messages.map(({ spanId }) => spanId)).toEqual(
      ['one', 'two', 'throw', 'throw at once'].map(of)
    )
    for (const text of ['one', 'two']) {
      const message = messages.find(({ spanId }) => spanId === of(text))!
      const later = mark(`later ${text}`)
      expect(later.parentSpanId).toBe(message.spanId)
      expect(message.endTimeUnixNano).toBeGreaterThanOrEqual(later.startTimeUnixNano)
      expect(message.status.code).toBe(0)
    }
    expect(spans.filter(({ name }) => name === 'once')).toHaveLength(1)
    expect(messages.slice(2).map(({ status }) => [status.code, status.message])).toEqual([
      [ERROR, 'rejected'],
      [ERROR, 'thrown']
    ])
    // What the app would have been told without the tracer.
    expect(mark('unhandled rejected')).toBeDefined()
    expect(mark('uncaught thrown')).toBeDefined()
    expect(JSON.stringify(spans.map(({ attributes }) => attributes))).not.toContain('secret')
  })

  it.each([
    ['require', 'websocket'],
    ['import', 'websocket'],
    ['require', 'polling']
  ])('socket.io by %s over %s', async (how, transport) => {
    const { spans, step: mark } = await runToEnd('socket-io.mjs', [how, transport])
    const messages = spans.filter(({ kind }) => kind === CONSUMER)
    const named = (wanted: string) => messages.filter(({ name }) => name === wanted)

    const orders = named('process order')
    expect(orders.map(({ attributes }) => attributes)).toMatchObject(
      ['/', '/shop'].map((namespace) => ({
        'messaging.system': 'socket.io',
        'messaging.destination.name': namespace,
        'messaging.socket.io.event_name': 'order'
      }))
    )
    expect(orders.map(({ spanId }) => spanId)).toEqual(
      ['got one', 'got two'].map((each) => mark(each).parentSpanId)
    )
    expect(orders.map(({ spanId }) => spanId)).toEqual(
      ['later one', 'later two'].map((each) => mark(each).parentSpanId)
    )
    const requests = new Set(
      spans.filter(({ kind }) => kind === SERVER).map(({ spanId }) => spanId)
    )
    for (const { parentSpanId, links } of orders) {
      expect(parentSpanId).toBe('')
      expect(links.map(({ spanId }) => requests.has(spanId))).toEqual([true])
    }
    expect(named('process failing').map(({ status }) => status)).toMatchObject([
      { code: ERROR, message: 'rejected' }
    ])
    expect(mark('unhandled rejected')).toBeDefined()
    // The last name within the bound, and the first that is not; `order` and `failing` are two.
    expect(named('process event 97')).toHaveLength(1)
    expect(named('process event 98')).toHaveLength(0)
    expect(named('process (other)')).toHaveLength(3)
    // Nothing for what nobody listens to, nor for the packets below.
    expect(messages).toHaveLength(2 + 1 + 101)
    expect(JSON.stringify(spans.map(({ attributes }) => attributes))).not.toContain('secret')
  })
})
