/** kafkajs and @platformatic/kafka against a real Kafka. */
import { describe, expect, it } from 'vitest'
import type { App } from '../child.ts'
import type { SinkSpan } from '../otlp-sink.ts'
import { tracedApps } from '../traced-apps.ts'
import { LIBRARY_APPS, librariesAreThere } from './available.ts'
import { kafkaAvailable, startKafka } from './kafka-server.ts'
import { sharedServer } from './shared-server.ts'

const PRODUCER = 4
const CONSUMER = 5
const canRun = librariesAreThere && kafkaAvailable()

describe.skipIf(!canRun)('Kafka', { timeout: 60_000 }, () => {
  const server = sharedServer(startKafka)
  const { sink, start } = tracedApps(LIBRARY_APPS)

  async function run(file: string, args: string[]): Promise<App> {
    const app = start(file, { args, env: { KAFKAJS_NO_PARTITIONER_WARNING: '1' } })
    await app.line(/done/)
    expect(await app.ended()).toMatchObject({ code: 0 })
    expect(app.stderr).not.toContain('[spanloom]')
    return app
  }

  it.each(['require', 'import'])('kafkajs by %s', async (how) => {
    const prefix = `js-${how}-`
    const app = await run('kafkajs.mjs', [how, `${server.port}`, prefix])
    expect(app.stdout).toContain('untouched {"key":"k1","value":"one","headers":{"mine":"x"}}')

    const sent = sink.only(`send ${prefix}single`)
    expect(sent.kind).toBe(PRODUCER)
    expect(sent.parentSpanId).toBe(sink.only('from single').spanId)
    expect(sent.attributes).toEqual({
      'messaging.system': 'kafka',
      'messaging.destination.name': `${prefix}single`,
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.partition.id': '0',
      'messaging.kafka.offset': 0,
      'messaging.kafka.message.key': 'k1'
    })
    // The handler fails the first time: the library hands the message over again.
    const tries = sink.named(`process ${prefix}single`)
    expect(tries.map((span) => span.status.code)).toEqual([2, 0])
    for (const span of tries) {
      expect(span.kind).toBe(CONSUMER)
      expect(span.traceId).toBe(sent.traceId)
      expect(span.parentSpanId).toBe(sent.spanId)
      expect(span.links).toMatchObject([{ traceId: sent.traceId, spanId: sent.spanId }])
    }
    expect(tries[0]!.attributes).toMatchObject({
      'messaging.consumer.group.name': `${prefix}messages`,
      'messaging.operation.type': 'process',
      'messaging.kafka.message.key': 'k1',
      'error.type': 'NotYet'
    })
    expect(sink.named('in one').map((span) => span.parentSpanId)).toEqual(
      tries.map((span) => span.spanId)
    )

    const batch = sink.only(`send ${prefix}batch`)
    expect(batch.attributes['messaging.batch.message_count']).toBe(2)
    const other = sink.only(`send ${prefix}other`)
    expect(other.parentSpanId).toBe(batch.parentSpanId)
    expect(sink.only(`process ${prefix}other`).parentSpanId).toBe(other.spanId)
    const processed = sink.only(`process ${prefix}batch`)
    expect(processed.parentSpanId).toBe('')
    expect(processed.attributes['messaging.batch.message_count']).toBe(2)
    expect(processed.links.map((link) => link.spanId)).toEqual([batch.spanId, batch.spanId])
    expect(sink.only('in batch of 2').parentSpanId).toBe(processed.spanId)
  })

  it.each([
    ['@platformatic/kafka', 'text'],
    ['@platformatic/kafka', 'buffers'],
    ['@platformatic/kafka-1', 'text'],
    ['@platformatic/kafka-1', 'buffers']
  ])('%s with %s', async (name, how) => {
    const prefix = `${name.slice(1).replace('/', '-')}-${how}-`
    const app = await run('platformatic-kafka.mjs', [name, how, `${server.port}`, prefix])
    expect(app.stdout).toContain('untouched 1')
    expect(app.stdout).toContain('kept true')

    const begun = (a: SinkSpan, b: SinkSpan) => Number(a.startTimeUnixNano - b.startTimeUnixNano)
    const sent = sink.named(`send ${prefix}looped`).sort(begun)
    expect(sent.map(({ kind }) => kind)).toEqual([PRODUCER, PRODUCER])
    expect(sent.map((span) => span.parentSpanId)).toEqual(
      sink
        .named('from looped')
        .sort(begun)
        .map((span) => span.spanId)
    )
    const looped = sink.named(`process ${prefix}looped`).sort(begun)
    expect(looped).toHaveLength(2)
    looped.forEach((span, index) => {
      const { traceId, spanId } = sent[index]!
      expect(span.parentSpanId).toBe(spanId)
      expect(span.links).toMatchObject([{ traceId, spanId }])
      expect(span.attributes).toMatchObject({
        'messaging.destination.partition.id': '0',
        'messaging.kafka.offset': index,
        'messaging.kafka.message.key': 'k1'
      })
      for (const when of ['begins', 'ends']) {
        expect(sink.only(`${when} ${index + 1}`).parentSpanId).toBe(span.spanId)
      }
    })
    expect(sink.only('after the loop').parentSpanId).toBe('')

    const heard = sink.only(`send ${prefix}heard`)
    expect(heard.attributes['messaging.batch.message_count']).toBe(2)
    const processed = sink.named(`process ${prefix}heard`)
    expect(processed.map((span) => span.parentSpanId)).toEqual([heard.spanId, heard.spanId])
    expect([1, 2].map((each) => sink.only(`in heard ${each}`).parentSpanId)).toEqual(
      processed.map((span) => span.spanId)
    )
  })
})
