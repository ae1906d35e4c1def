/** nats and @nats-io/transport-node against a real nats-server. */
import { describe, expect, it } from 'vitest'
import { librariesAreThere } from './available.ts'
import { expectNoValue, runToEnd } from './scenario.ts'
import { hasServer, startServer } from './servers.ts'
import { sharedServer } from './shared-server.ts'

const runs = librariesAreThere && hasServer('nats')
const PRODUCER = 4
const CONSUMER = 5

describe.skipIf(!runs)('nats', { timeout: 20_000 }, () => {
  const server = sharedServer(() => startServer('nats'))

  it.each([
    ['nats-2.7', 'require'],
    ['nats', 'require'],
    ['nats', 'import'],
    ['@nats-io/transport-node', 'require'],
    ['@nats-io/transport-node', 'import']
  ])('%s, %s', async (name, how) => {
    const told = await runToEnd('nats.mjs', [name, how, `${server.port}`])
    const { spans, named, step: one } = told
    const sentUnder = (step: string) =>
      spans.filter(
        ({ kind, parentSpanId }) => kind === PRODUCER && parentSpanId === one(step).spanId
      )

    const [send, ...more] = sentUnder('publish')
    expect(more).toEqual([])
    expect(send!.name).toBe('send orders.new')
    expect(send!.attributes).toEqual({
      'messaging.system': 'nats',
      'messaging.destination.name': 'orders.new',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'server.address': '127.0.0.1',
      'server.port': server.port
    })
    const process = one('process orders.*')
    expect(process).toMatchObject({ kind: CONSUMER, parentSpanId: send!.spanId })
    expect(process.links.map(({ spanId }) => spanId)).toEqual([send!.spanId])
    expect(process.attributes).toMatchObject({
      'messaging.destination.name': 'orders.*',
      'messaging.consumer.group.name': 'workers',
      'server.port': server.port
    })
    expect(one('got orders.*').parentSpanId).toBe(process.spanId)
    expect(process.endTimeUnixNano).toBeGreaterThan(one('got orders.*').startTimeUnixNano)

    expect(one('process headers').parentSpanId).toBe(sentUnder('headers')[0]!.spanId)
    expect(one('process passed').parentSpanId).toBe(sentUnder('pass on')[0]!.spanId)

    const requests = ['request', 'request alone', 'many'].map((step) => sentUnder(step))
    expect(requests.map((all) => all.map((span) => span.name))).toEqual(
      Array(3).fill(['send answers'])
    )
    const answers = named('process answers')
    expect(answers.map(({ parentSpanId }) => parentSpanId)).toEqual(
      requests.map(([span]) => span!.spanId)
    )
    for (const [at, [request]] of requests.entries()) {
      expect(request!.endTimeUnixNano).toBeGreaterThan(answers[at]!.startTimeUnixNano)
    }
    expect(named('in answer').map(({ parentSpanId }) => parentSpanId)).toEqual(
      answers.map(({ spanId }) => spanId)
    )
    expect(one('after request').parentSpanId).toBe(one('request').spanId)
    expect(one('one of many').parentSpanId).toBe(one('many').spanId)
    expect(sentUnder('nobody').map(({ status }) => status.code)).toEqual([2])

    expect(named('process loop').map(({ parentSpanId }) => parentSpanId)).toEqual(
      sentUnder('loop').map(({ spanId }) => spanId)
    )
    const looped = named('process loop').map(({ spanId }) => spanId)
    for (const mark of ['in loop', 'later in loop']) {
      expect(named(mark).map(({ parentSpanId }) => parentSpanId)).toEqual(looped)
    }
    expect(one('after loop').parentSpanId).toBe('')
    if (name !== 'nats-2.7') {
      const stored = named('process STORED')
      expect(stored.map(({ parentSpanId }) => parentSpanId)).toEqual(
        sentUnder('store').map(({ spanId }) => spanId)
      )
      expect(stored[0]!.attributes).toMatchObject({
        'messaging.destination.name': 'STORED',
        'messaging.consumer.group.name': 'reader'
      })
      expect(one('in fetch').parentSpanId).toBe(stored[0]!.spanId)
      expect(one('after fetch').parentSpanId).toBe('')
      expect(one('in consumer').parentSpanId).toBe(stored[1]!.spanId)
    }
    // Nothing for inboxes, nor for what is between client and server.
    expect(spans.filter((span) => /_INBOX|\$/.test(span.name))).toEqual([])
    expectNoValue(told)
  })
})
