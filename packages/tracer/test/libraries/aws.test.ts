/** The AWS SDK against a fake endpoint, which answers as the four services do and keeps what it was sent. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SinkSpan } from '../otlp-sink.ts'
import { tracedApps } from '../traced-apps.ts'
import { LIBRARY_APPS, librariesAreThere } from './available.ts'

const CLIENT = 3
const PRODUCER = 4
const SENDER = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

interface Seen {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** By the operation's name. */
class FakeAws {
  readonly seen = new Map<string, Seen[]>()
  readonly #server: Server
  url = ''

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString()
        const target = String(request.headers['x-amz-target'] ?? '')
        const operation = target.split('.').at(-1) || /Action=(\w+)/.exec(body)?.[1] || 'GetObject'
        const seen = { headers: request.headers, body }
        this.seen.set(operation, [...(this.seen.get(operation) ?? []), seen])
        const [status, answer] = answerTo(operation, body)
        response.writeHead(status, { 'x-amzn-requestid': `id of ${operation}` }).end(answer)
      })
    })
  }

  async listen(): Promise<this> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening')
    this.url = `http://127.0.0.1:${(this.#server.address() as { port: number }).port}`
    return this
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

/** The SDK checks the sums of bodies. */
const md5 = (text: string) => createHash('md5').update(text).digest('hex')

function answerTo(operation: string, body: string): [number, string] {
  switch (operation) {
    case 'ReceiveMessage': {
      const traceparent = { DataType: 'String', StringValue: SENDER }
      const message = { MessageId: 'm1', Body: 'x', MD5OfBody: md5('x') }
      const messages = [{ ...message, MessageAttributes: { traceparent } }]
      return [200, JSON.stringify({ Messages: messages })]
    }
    case 'Publish':
      return [
        200,
        '<PublishResponse><PublishResult><MessageId>p1</MessageId></PublishResult></PublishResponse>'
      ]
    case 'GetObject':
      return [404, '<Error><Code>NoSuchKey</Code><Message>no cat</Message></Error>']
    case 'SendMessageBatch':
      return [200, JSON.stringify({ Successful: [], Failed: [] })]
    case 'SendMessage': {
      const { MessageBody } = JSON.parse(body) as { MessageBody: string }
      return [200, JSON.stringify({ MessageId: 'm7', MD5OfMessageBody: md5(MessageBody) })]
    }
    default:
      return [200, '{}']
  }
}

describe.skipIf(!librariesAreThere)('the AWS SDK', { timeout: 30_000 }, () => {
  let aws: FakeAws
  beforeEach(async () => {
    aws = await new FakeAws().listen()
  })
  afterEach(() => aws.close())
  const { sink, start } = tracedApps(LIBRARY_APPS)

  it.each([
    ['require', ''],
    ['import', ''],
    ['require', '-3.478'],
    ['import', '-3.478']
  ])('by %s%s', async (how, ending) => {
    const app = start('aws.mjs', { args: [how, aws.url, ending] })
    await app.line(/done/)
    expect(await app.ended()).toMatchObject({ code: 0 })
    expect(app.stdout).toContain('untouched 9')
    expect(app.stdout).toContain('received 1')
    expect(app.stdout).toContain('kept true')
    expect(app.stdout).toContain('failed NoSuchKey')

    const below = (work: string): SinkSpan => {
      const { spanId } = sink.only(`from ${work}`)
      return sink.only((span) => span.parentSpanId === spanId, work)
    }
    const body = (operation: string, index = 0) =>
      JSON.parse(aws.seen.get(operation)![index]!.body) as Record<string, object>

    const nine = below('nine')
    expect(nine.name).toBe('send orders')
    expect(nine.kind).toBe(PRODUCER)
    expect(nine.attributes).toMatchObject({
      'messaging.system': 'aws_sqs',
      'messaging.destination.name': 'orders',
      'messaging.message.id': 'm7',
      'rpc.system': 'aws-api',
      'rpc.service': 'SQS',
      'rpc.method': 'SendMessage',
      'cloud.region': 'eu-west-1',
      'aws.request_id': 'id of SendMessage',
      'http.response.status_code': 200
    })
    const carried = { DataType: 'String', StringValue: `00-${nine.traceId}-${nine.spanId}-03` }
    const [first, second] = [0, 1].map((index) => body('SendMessage', index).MessageAttributes)
    expect(Object.keys(first!)).toHaveLength(10)
    expect(first).toMatchObject({ traceparent: carried })
    // A message has room for ten attributes, and these are the app's.
    expect(Object.keys(second!)).toHaveLength(10)
    expect(second).not.toHaveProperty('traceparent')
    expect(below('ten').name).toBe('send orders')

    const batch = below('batch')
    expect(batch.attributes['messaging.batch.message_count']).toBe(2)
    const entries = body('SendMessageBatch').Entries as unknown as { MessageAttributes: object }[]
    for (const { MessageAttributes } of entries) {
      expect(MessageAttributes).toHaveProperty(
        'traceparent.StringValue',
        `00-${batch.traceId}-${batch.spanId}-03`
      )
    }

    const received = below('receive')
    expect(received.name).toBe('receive orders')
    expect(received.kind).toBe(CLIENT)
    expect(received.links).toMatchObject([
      { traceId: SENDER.slice(3, 35), spanId: SENDER.slice(36, 52) }
    ])
    expect(body('ReceiveMessage').MessageAttributeNames).toContain('traceparent')

    const published = below('sns')
    expect(published.name).toBe('send news')
    expect(published.attributes['messaging.system']).toBe('aws_sns')
    expect(decodeURIComponent(aws.seen.get('Publish')![0]!.body)).toContain(published.spanId)

    expect(below('dynamodb').attributes).toMatchObject({
      'db.system.name': 'aws.dynamodb',
      'db.operation.name': 'GetItem',
      'db.collection.name': 'carts'
    })
    const failed = below('s3')
    expect(failed.name).toBe('S3.GetObject')
    expect(failed.status.code).toBe(2)
    expect(failed.attributes).toMatchObject({
      'aws.s3.bucket': 'photos',
      'error.type': 'NoSuchKey',
      'http.response.status_code': 404
    })
    // Seven calls and what they were made from: nothing of the HTTP below them.
    expect(sink.spans).toHaveLength(14)
    for (const { headers } of [...aws.seen.values()].flat()) {
      expect(headers).not.toHaveProperty('traceparent')
    }
  })
})
