/** amqplib against a real RabbitMQ. */
import { describe, expect, it } from 'vitest'
import { tracedApps } from '../traced-apps.ts'
import { LIBRARY_APPS, librariesAreThere } from './available.ts'
import { isInstalled, RABBITMQ, startRabbitmq } from './brokers.ts'
import { sharedServer } from './shared-server.ts'

const PRODUCER = 4
const CONSUMER = 5
const canRun = librariesAreThere && isInstalled(RABBITMQ)

describe.skipIf(!canRun)('amqplib', { timeout: 60_000 }, () => {
  const server = sharedServer(startRabbitmq)
  const { sink, start } = tracedApps(LIBRARY_APPS)

  it.each([
    ['amqplib', 'require'],
    ['amqplib', 'import'],
    ['amqplib-0.10', 'require'],
    ['amqplib-0.10', 'import']
  ])('%s by %s', async (name, how) => {
    const app = start('amqp.mjs', { args: [name, how, `${server.port}`] })
    await app.line(/unacknowledged/)
    await sink.span('process news')
    await sink.span('process async')
    expect(sink.named('process acked')).toEqual([])
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
      const sent = sink.only(`send ${queue}`)
      const processed = sink.only(`process ${queue}`)
      expect(sent.kind).toBe(PRODUCER)
      expect(sent.parentSpanId).toBe(sink.only(`from ${work}`).spanId)
      expect(processed.kind).toBe(CONSUMER)
      expect(processed.traceId).toBe(sent.traceId)
      expect(processed.parentSpanId).toBe(sent.spanId)
      expect(processed.links).toMatchObject([{ traceId: sent.traceId, spanId: sent.spanId }])
      expect(sink.only(`in ${work}`).parentSpanId).toBe(processed.spanId)
    }
    expect(sink.only('process acked').attributes).toMatchObject({
      'messaging.system': 'rabbitmq',
      'messaging.destination.name': 'acked',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.rabbitmq.destination.routing_key': 'acked',
      'messaging.message.id': 'm1'
    })
    expect(sink.only('send news').attributes).toMatchObject({
      'messaging.destination.name': 'news',
      'messaging.rabbitmq.destination.routing_key': 'uk.london'
    })
    const failed = sink.only('process async')
    expect(failed.status).toEqual({ code: 2, message: 'no such order' })
    expect(failed.attributes['error.type']).toBe('TypeError')
    expect(sink.only('later').parentSpanId).toBe(failed.spanId)

    const gets = sink.named('receive got')
    expect(gets.length).toBeGreaterThan(0)
    const sent = sink.only('send got')
    const linked = gets.filter((span) => span.links.length > 0)
    expect(linked.map((span) => span.links[0]!.spanId)).toEqual([sent.spanId])
    expect(linked[0]!.parentSpanId).toBe(sink.only('get').spanId)

    expect(sink.named('send confirmed')).toHaveLength(2)
    const back = sink.named('send called').map((span) => span.spanId)
    expect(back).toHaveLength(2)
    const [first, again] = sink.named('process called')
    expect(back).toEqual([first!.parentSpanId, again!.parentSpanId])
    expect(sink.only('in called').parentSpanId).toBe(first!.spanId)
  })
})
