/** kafkajs and @platformatic/kafka against a real Kafka. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { App } from '../child.ts'
import { OtlpSink, type SinkSpan } from '../otlp-sink.ts'
import { LIBRARIES_FOLDER, librariesAreThere } from './available.ts'
import type { TestServer } from './brokers.ts'
import { kafkaAvailable, startKafka } from './kafka-server.ts'
import { registerUrl } from './register-url.ts'

const PRODUCER = 4
const CONSUMER = 5
const canRun = librariesAreThere && kafkaAvailable()

describe.skipIf(!canRun)('Kafka', { timeout: 60_000 }, () => {
  let server: TestServer
  let sink: OtlpSink
  let app: App
  beforeAll(async () => {
    server = await startKafka()
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

  async function run(file: string, args: string[]): Promise<void> {
    app = new App(`${LIBRARIES_FOLDER}apps/${file}`, {
      nodeArgs: ['--import', registerUrl],
      args,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, KAFKAJS_NO_PARTITIONER_WARNING: '1' }
    })
    await app.line(/done/)
    expect(await app.ended()).toMatchObject({ code: 0 })
    expect(app.stderr).not.toContain('[spanloom]')
  }

  it.each(['require', 'import'])('kafkajs by %s', async (how) => {
    const prefix = `js-${how}-`
    await run('kafkajs.mjs', [how, `${server.port}`, prefix])
    expect(app.stdout).toContain('untouched {"key":"k1","value":"one","headers":{"mine":"x"}}')

    const sent = one(`send ${prefix}single`)
    expect(sent.kind).toBe(PRODUCER)
    expect(sent.parentSpanId).toBe(one('from single').spanId)
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
    const tries = named(`process ${prefix}single`)
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
    expect(named('in one').map((span) => span.parentSpanId)).toEqual(
      tries.map((span) => span.spanId)
    )

    const batch = one(`send ${prefix}batch`)
    expect(batch.attributes['messaging.batch.message_count']).toBe(2)
    const other = one(`send ${prefix}other`)
    expect(other.parentSpanId).toBe(batch.parentSpanId)
    expect(one(`process ${prefix}other`).parentSpanId).toBe(other.spanId)
    const processed = one(`process ${prefix}batch`)
    expect(processed.parentSpanId).toBe('')
    expect(processed.attributes['messaging.batch.message_count']).toBe(2)
    expect(processed.links.map((link) => link.spanId)).toEqual([batch.spanId, batch.spanId])
    expect(one('in batch of 2').parentSpanId).toBe(processed.spanId)
  })

  it.each([
    ['@platformatic/kafka', 'text'],
    ['@platformatic/kafka', 'buffers'],
    ['@platformatic/kafka-1', 'text'],
    ['@platformatic/kafka-1', 'buffers']
  ])('%s with %s', async (name, how) => {
    const prefix = `${name.slice(1).replace('/', '-')}-${how}-`
    await run('platformatic-kafka.mjs', [name, how, `${server.port}`, prefix])
    expect(app.stdout).toContain('untouched 1')
    expect(app.stdout).toContain('kept true')

    const begun = (a: SinkSpan, b: SinkSpan) => Number(a.startTimeUnixNano - b.startTimeUnixNano)
    const sent = named(`send ${prefix}looped`).sort(begun)
    expect(sent.map(({ kind }) => kind)).toEqual([PRODUCER, PRODUCER])
    expect(sent.map((span) => span.parentSpanId)).toEqual(
      named('from looped')
        .sort(begun)
        .map((span) => span.spanId)
    )
    const looped = named(`process ${prefix}looped`).sort(begun)
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
        expect(one(`${when} ${index + 1}`).parentSpanId).toBe(span.spanId)
      }
    })
    expect(one('after the loop').parentSpanId).toBe('')

    const heard = one(`send ${prefix}heard`)
    expect(heard.attributes['messaging.batch.message_count']).toBe(2)
    const processed = named(`process ${prefix}heard`)
    expect(processed.map((span) => span.parentSpanId)).toEqual([heard.spanId, heard.spanId])
    expect([1, 2].map((each) => one(`in heard ${each}`).parentSpanId)).toEqual(
      processed.map((span) => span.spanId)
    )
  })
})
