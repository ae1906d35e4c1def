/** bullmq against a real Redis. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SinkSpan } from '../otlp-sink.ts'
import { tracedApps } from '../traced-apps.ts'
import { LIBRARY_APPS, librariesAreThere } from './available.ts'
import { hasServer, type RunningServer, startServer } from './servers.ts'

const PRODUCER = 4
const CONSUMER = 5
const canRun = librariesAreThere && hasServer('redis')

describe.skipIf(!canRun)('bullmq', { timeout: 60_000 }, () => {
  let server: RunningServer
  beforeEach(async () => {
    server = await startServer('redis')
  })
  afterEach(() => server.stop())
  const { sink, start } = tracedApps(LIBRARY_APPS)

  it.each([
    ['bullmq', 'require'],
    ['bullmq', 'import'],
    ['bullmq5', 'require'],
    ['bullmq5', 'import']
  ])('%s by %s', async (name, how) => {
    const app = start('bullmq.mjs', { args: [name, how, `${server.port}`] })
    await app.line(/done/)
    expect(await app.ended()).toMatchObject({ code: 0 })
    expect(app.stdout).toContain('untouched {"removeOnComplete":true}')

    const sentFrom = (text: string) => {
      const { spanId } = sink.only(text)
      return sink.only((span) => span.kind === PRODUCER && span.parentSpanId === spanId, text)
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
    expect(sink.only('in plain').parentSpanId).toBe(processed!.spanId)
    expect(sink.only('completed plain').parentSpanId).toBe(processed!.spanId)

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
    const ticks = sink.named('process tick')
    expect(ticks.map((span) => span.parentSpanId)).toEqual([''])
    const theirs = sink.spans.filter((span) => span.name.endsWith(' theirs'))
    expect(theirs.map((span) => span.name).sort()).toEqual([
      'completed theirs',
      'from theirs',
      'in theirs'
    ])
  })
})
