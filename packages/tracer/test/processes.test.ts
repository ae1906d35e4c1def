/** Forks, cluster workers and worker threads are traced too; a Lambda function delivers before it is frozen. */
import { describe, expect, it } from 'vitest'
import { type App, REGISTER } from './child.ts'
import { tracedApps } from './traced-apps.ts'

const { sink, start: startApp } = tracedApps()

function start(file: string, args: string[], nodeArgs: string[] = []): App {
  return startApp(file, { args, nodeArgs, env: { OTEL_SERVICE_NAME: 'app' } })
}

describe('spans of', () => {
  it.each([
    ['a worker thread', 'thread', 'in worker thread'],
    ['a worker thread that exits', 'thread-exit', 'in worker thread'],
    ['a forked child', 'fork', 'in fork'],
    ['a cluster worker', 'cluster', 'in cluster worker']
  ])('%s arrive, beside those of the main thread', async (_name, kind, name) => {
    await start('processes.mjs', [kind], ['--import', REGISTER]).ended()
    await sink.until(() => sink.spans.length >= 2, 'two spans')
    expect(sink.spans.map((span) => span.name).sort()).toEqual([name, 'in main'].sort())
    const instances = new Set(sink.spans.map((span) => span.resource['service.instance.id']))
    expect(instances.size).toBe(2)
  })
})

describe('a Lambda function', () => {
  const headers = { Traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }
  const http = { httpMethod: 'POST', resource: '/orders/{id}', headers, body: 'x' }

  it.each(['promise', 'callback', 'plain', 'stream'])(
    'that answers by %s has delivered its span by then, below its caller',
    async (form) => {
      const running = start('lambda.mjs', [form, JSON.stringify(http)])
      await running.line(/answered .*x/)
      running.process.kill('SIGKILL')
      await running.ended()
      const [span] = sink.spans
      expect(span).toMatchObject({
        name: 'orders',
        kind: 2,
        traceId: '0af7651916cd43dd8448eb211c80319c',
        parentSpanId: 'b7ad6b7169203331',
        attributes: {
          'faas.trigger': 'http',
          'faas.coldstart': true,
          'faas.invocation_id': 'r-1',
          'cloud.resource_id': 'arn:orders',
          'http.route': '/orders/{id}'
        }
      })
    }
  )

  it('has the parameters that it had: the runtime goes by their number', async () => {
    await start('lambda.mjs', ['promise', '{}']).line(/^refused callback,stream$/m)
  })

  it('answers an event of any shape', async () => {
    const event = { Records: [null, { messageAttributes: { a: null } }], headers: 7, body: 'x' }
    await start('lambda.mjs', ['promise', JSON.stringify(event)]).line(/answered .*x/)
  })

  it('that fails says so, and fails as it would', async () => {
    await start('lambda.mjs', ['throws', '{}']).line(/failed RangeError/)
    const span = await sink.span('orders')
    expect(span.status).toMatchObject({ code: 2, message: 'no such order' })
    expect(span.attributes['error.type']).toBe('RangeError')
  })

  it('that takes a batch of messages is linked to who sent them', async () => {
    const record = (traceparent: string) => ({
      eventSource: 'aws:sqs',
      messageAttributes: { traceparent: { stringValue: traceparent } }
    })
    const event = { Records: [record(headers.Traceparent), { eventSource: 'aws:sqs' }], body: 'x' }
    await start('lambda.mjs', ['promise', JSON.stringify(event)]).line(/answered/)
    const span = await sink.span('orders')
    expect(span.kind).toBe(5)
    expect(span.links.map((link) => link.spanId)).toEqual(['b7ad6b7169203331'])
  })
})
