/** amqplib against a real RabbitMQ. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { App } from '../child.ts'
import { OtlpSink, type SinkSpan } from '../otlp-sink.ts'
import { LIBRARIES_FOLDER, librariesAreThere } from './available.ts'
import { isInstalled, RABBITMQ, startRabbitmq, type TestServer } from './brokers.ts'
import { registerUrl } from './register-url.ts'

const PRODUCER = 4
const CONSUMER = 5
const canRun = librariesAreThere && isInstalled(RABBITMQ)

describe.skipIf(!canRun)('amqplib', { timeout: 60_000 }, () => {
  let server: TestServer
  let sink: OtlpSink
  let app: App
  beforeAll(async () => {
    server = await startRabbitmq()
  }, 90_000)
  afterAll(() => server?.stop())
  beforeEach(async () => {
    sink = await new OtlpSink().listen()
  })
  afterEach(async () => {
    await app?.stop()
    await sink.close()
  })
  const named = (name: string) => sink.spans.filter((span) => span.name === name)
  const one = (name: string): SinkSpan => {
    const found = named(name)
    expect(found, name).toHaveLength(1)
    return found[0]!
  }

  it.each([
    ['amqplib', 'require'],
    ['amqplib', 'import'],
    ['amqplib-0.10', 'require'],
    ['amqplib-0.10', 'import']
  ])('%s by %s', async (name, how) => {
    app = new App(`${LIBRARIES_FOLDER}apps/amqp.mjs`, {
      nodeArgs: ['--import', registerUrl],
      args: [name, how, `${server.port}`],
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url }
    })
    await app.line(/unacknowledged/)
    await sink.span('process news')
    await sink.span('process async')
    expect(named('process acked')).toEqual([])
    app.tell({})
    await app.line(/done/)
    expect(await app.ended()).toMatchObject({ code: 0 })
    expect(app.stdout).toContain('untouched {"headers":{"mine":1},"messageId":"m1"}')
    expect(app.stdout).toContain('mine 1')
    expect(app.stdout).toContain('kept true')
    expect(app.stdout).toContain('unhandled no such order')

    for (const [queue, work] of [
      ['acked', 'acked'],
      ['noack', 'noack'],
      ['async', 'async'],
      ['news', 'routed']
    ] as const) {
      const sent = one(`send ${queue}`)
      const processed = one(`process ${queue}`)
      expect(sent.kind).toBe(PRODUCER)
      expect(sent.parentSpanId).toBe(one(`from ${work}`).spanId)
      expect(processed.kind).toBe(CONSUMER)
      expect(processed.traceId).toBe(sent.traceId)
      expect(processed.parentSpanId).toBe(sent.spanId)
      expect(processed.links).toMatchObject([{ traceId: sent.traceId, spanId: sent.spanId }])
      expect(one(`in ${work}`).parentSpanId).toBe(processed.spanId)
    }
    expect(one('process acked').attributes).toMatchObject({
      'messaging.system': 'rabbitmq',
      'messaging.destination.name': 'acked',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.rabbitmq.destination.routing_key': 'acked',
      'messaging.message.id': 'm1'
    })
    expect(one('send news').attributes).toMatchObject({
      'messaging.destination.name': 'news',
      'messaging.rabbitmq.destination.routing_key': 'uk.london'
    })
    const failed = one('process async')
    expect(failed.status).toEqual({ code: 2, message: 'no such order' })
    expect(failed.attributes['error.type']).toBe('TypeError')
    expect(one('later').parentSpanId).toBe(failed.spanId)

    const gets = named('receive got')
    expect(gets.length).toBeGreaterThan(0)
    const sent = one('send got')
    const linked = gets.filter((span) => span.links.length > 0)
    expect(linked.map((span) => span.links[0]!.spanId)).toEqual([sent.spanId])
    expect(linked[0]!.parentSpanId).toBe(one('get').spanId)

    expect(named('send confirmed')).toHaveLength(2)
    const back = named('send called').map((span) => span.spanId)
    expect(back).toHaveLength(2)
    const [first, again] = named('process called')
    expect(back).toEqual([first!.parentSpanId, again!.parentSpanId])
    expect(one('in called').parentSpanId).toBe(first!.spanId)
  })
})
