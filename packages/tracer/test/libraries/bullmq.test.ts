/** bullmq against a real Redis. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { App } from '../child.ts'
import { OtlpSink, type SinkSpan } from '../otlp-sink.ts'
import { LIBRARIES_FOLDER, librariesAreThere } from './available.ts'
import { registerUrl } from './register-url.ts'
import { hasServer, type RunningServer, startServer } from './servers.ts'

const PRODUCER = 4
const CONSUMER = 5
const canRun = librariesAreThere && hasServer('redis')

describe.skipIf(!canRun)('bullmq', { timeout: 60_000 }, () => {
  let server: RunningServer
  let sink: OtlpSink
  let app: App
  beforeEach(async () => {
    server = await startServer('redis')
    sink = await new OtlpSink().listen()
  })
  afterEach(async () => {
    await app?.stop()
    await sink.close()
    await server.stop()
  })

  it.each([
    ['bullmq', 'require'],
    ['bullmq', 'import'],
    ['bullmq5', 'require'],
    ['bullmq5', 'import']
  ])('%s by %s', async (name, how) => {
    app = new App(`${LIBRARIES_FOLDER}apps/bullmq.mjs`, {
      nodeArgs: ['--import', registerUrl],
      args: [name, how, `${server.port}`],
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url }
    })
    await app.line(/done/)
    expect(await app.ended()).toMatchObject({ code: 0 })
    expect(app.stdout).toContain('untouched {"removeOnComplete":true}')

    const one = (is: (span: SinkSpan) => boolean, what: string): SinkSpan => {
      const found = sink.spans.filter(is)
      expect(found, what).toHaveLength(1)
      return found[0]!
    }
    const named = (text: string) => one((span) => span.name === text, text)
    const sentFrom = (text: string) => {
      const { spanId } = named(text)
      return one((span) => span.kind === PRODUCER && span.parentSpanId === spanId, text)
    }
    const processedOf = (sent: SinkSpan) =>
      sink.spans.filter((span) => span.kind === CONSUMER && span.parentSpanId === sent.spanId)

    const sent = sentFrom('from plain')
    const [processed] = processedOf(sent)
    expect(sent.name).toBe('send mail')
    expect(processed!.name).toBe('process mail')
    expect(processed!.links).toMatchObject([{ traceId: sent.traceId, spanId: sent.spanId }])
    expect(processed!.attributes).toMatchObject({
      'messaging.system': 'bullmq',
      'messaging.destination.name': 'mail',
      'messaging.operation.type': 'process',
      'messaging.message.id': sent.attributes['messaging.message.id']
    })
    expect(named('in plain').parentSpanId).toBe(processed!.spanId)
    expect(named('completed plain').parentSpanId).toBe(processed!.spanId)

    const bulk = sentFrom('from bulk')
    expect(bulk.attributes['messaging.batch.message_count']).toBe(2)
    expect(processedOf(bulk)).toHaveLength(2)

    const attempts = processedOf(sentFrom('from fail'))
    expect(attempts.map((span) => span.status)).toEqual([
      { code: 2, message: 'mailbox full' },
      { code: 0, message: '' }
    ])
    expect(attempts[0]!.attributes['error.type']).toBe('RangeError')

    expect(processedOf(sentFrom('from flow'))).toHaveLength(2)
    expect(sentFrom('from tick').name).toBe('send tick')
    const ticks = sink.spans.filter((span) => span.name === 'process tick')
    expect(ticks.map((span) => span.parentSpanId)).toEqual([''])
    const theirs = sink.spans.filter((span) => span.name.endsWith(' theirs'))
    expect(theirs.map((span) => span.name).sort()).toEqual([
      'completed theirs',
      'from theirs',
      'in theirs'
    ])
  })
})
